"""What a phone is like: its name, its codecs, and the habits that make phones differ."""

from dataclasses import dataclass
from typing import Literal

from townhall.errors import TownhallError

Codec = Literal["PCMU", "PCMA", "G722"]
Transport = Literal["udp", "tcp"]
PressHow = Literal["rfc4733", "info", "inband"]

PACKET_TIMES_MS = (10, 20, 30, 40, 50, 60)


class PhoneError(TownhallError):
    """The phone was asked for something it cannot do: what was asked, and what it can."""


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    host: str = "127.0.0.1"
    """Address of this machine that the phone signals and speaks from."""
    user: str = "phone"
    display_name: str | None = None
    transport: Transport = "udp"
    codecs: tuple[Codec, ...] = ("PCMU", "PCMA")
    """Offered in this order. G.722 in its lower band: the phone hears and speaks at 8 kHz."""
    telephone_event: bool = True
    """Offer RFC 4733 digits. Without them a phone presses its keys as tones or by SIP INFO."""
    ptime_ms: int = 20
    late_offer: bool = False
    """Send the INVITE without SDP and answer the other side's offer in the ACK (RFC 3261 section 13.2.1)."""
    tone_hz: float | None = None
    """What the phone says from its first packet on: a tone, or silence."""
    ring_timeout_s: float = 30.0
    takes_calls: bool = False
    """Whether calls to this phone wait for `Phone.rings`; else it is always busy."""
    password: str = ""
    """For challenges: of its calls, and of its registration."""

    def __post_init__(self) -> None:
        if self.ptime_ms not in PACKET_TIMES_MS:
            raise PhoneError(
                f"ptime_ms is {self.ptime_ms}; a phone sends packets of 10, 20, 30, 40, 50 or 60 ms"
            )
        if not self.codecs:
            raise PhoneError("a phone needs at least one codec: PCMU, PCMA or G722")
