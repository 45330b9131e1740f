"""Where a message comes from or goes to: one hop of SIP (RFC 3261 section 18)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hop:
    """The next hop of a message to be sent, or the last hop of one that was received.

    `host` is an address literal or, for messages to be sent, possibly a name that the shell resolves.
    `local` is our own address of that path (never a wildcard). `connection` numbers the stream to use while
    it lives; when it is gone a new one is opened to `host` and `port`.
    """

    transport: str
    host: str
    port: int
    local: tuple[str, int] | None = None
    connection: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"
