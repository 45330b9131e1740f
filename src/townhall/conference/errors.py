"""What can go wrong in the conference room: a caller is refused, or we broke our own rules."""

from dataclasses import dataclass

from townhall.errors import TownhallError


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a caller is not let in: Twilio's error number and a sentence for the log. His `<Dial>` fails."""

    code: int
    message: str


class LocalProtocolError(TownhallError):
    """An event that our own code must not send, such as the second arrival of a participant."""
