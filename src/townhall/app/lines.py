"""What the application knows of a line: the number called and the conference behind it."""

from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import unquote

Role = Literal["listener", "speaker", "moderator"]
ROLES: tuple[Role, ...] = ("listener", "speaker", "moderator")


@dataclass(frozen=True, slots=True)
class Line:
    """One number that people call. Everything but the number and the conference may be left as it is."""

    number: str
    conference_name: str
    welcome: str | None = None
    """Spoken first, in `language`; None: a short welcome of our own."""
    speaker_pin: str | None = field(default=None, repr=False)
    moderator_pin: str | None = field(default=None, repr=False)
    voice: str | None = None
    """A voice name of `<Say>`; None: the engine's default."""
    language: str = "en-US"
    music: str | None = None
    """Wait URL; None: the engine's hold music, empty: silence."""
    beep: Literal["true", "false", "onEnter", "onExit"] | None = None
    """None: Twilio's default, a beep at every coming and going."""
    max_participants: int | None = None
    when_full: Literal["busy", "spoken"] = "busy"
    """What callers get when the server is full. It is the engine that asks: see `application.FULL`."""

    def pin(self, role: Role) -> str | None:
        """The PIN that guards a role, if one does."""
        return {"listener": None, "speaker": self.speaker_pin, "moderator": self.moderator_pin}[role] or None


class LineBook(Protocol):
    async def get(self, number: str) -> Line | None:
        """The line that is reached under this number."""


def dialled_number(to: str) -> str:
    """The number in a webhook's `To`: `sip:1000@host;transport=udp`, `client:1000`, `+15550100`."""
    scheme, separator, rest = to.strip().partition(":")
    if not separator:
        return to.strip()
    if scheme.lower() in ("sip", "sips"):
        user, at, _ = rest.partition("@")
        rest = user if at else ""
    return unquote(rest.partition(";")[0].partition(":")[0])
