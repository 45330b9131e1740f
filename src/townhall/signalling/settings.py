"""How a user agent is set up, and the limits that keep strangers from filling its memory."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from townhall.sip.transaction import TimerValues

CredentialStore = Callable[[str], Awaitable[str | None] | str | None]
"""Username to password; None when there is no such user."""


@dataclass(frozen=True, slots=True)
class UserAgentSettings:
    """`port` 0 takes a free one, the same for UDP and TCP on every host.

    `public_host` stands in Contact instead of the address we were reached at; `domain` is the realm that
    phones are asked their password for. `credentials` None: nobody may register.
    """

    bind_hosts: Sequence[str] = ("127.0.0.1",)
    port: int = 5060
    domain: str = "townhall"
    public_host: str | None = None
    user_agent: str = "Townhall"
    credentials: CredentialStore | None = None
    timers: TimerValues = field(default_factory=TimerValues)
    min_session_s: int = 90
    max_pending_calls: int = 1000
    max_calls: int = 10_000
    max_transactions: int = 20_000
    tcp: bool = True
    max_connections: int = 2000
    max_connections_per_source: int = 200
    idle_timeout_s: float = 900.0
    message_timeout_s: float = 32.0
    """For a peer to send a whole message over TCP, and its first one."""
    connect_timeout_s: float = 4.0
    stop_timeout_s: float = 3.5
