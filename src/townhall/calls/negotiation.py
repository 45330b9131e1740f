"""A call's audio: the SDP that offer and answer agreed on, and the media leg it runs on (RFC 3264).

The session carries the SDP, the media process the packets; this is where the two meet. What leaves is bytes
of SDP. `PlainAudio` is a SIP phone's, `WebAudio` a browser's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from townhall.media import Leg, LegRefusedError
from townhall.sdp import AudioAgreement


class CallAudio(ABC):
    """The audio of one call. `leg` is None until the first offer has been answered (or made).

    Of a call of ours, we make the offer, `preview` takes early media, and `accept` the answer.
    """

    def __init__(self) -> None:
        self.leg: Leg | None = None
        self.agreement: AudioAgreement | None = None
        self.on_open: Callable[[Leg], None] = lambda leg: None

    @abstractmethod
    def check(self, offer: bytes) -> None:
        """Raise `OfferRejected` when nothing in the offer fits, before any port is taken for it."""

    @abstractmethod
    async def answer(self, offer: bytes) -> bytes:
        """Open the leg and answer the offer; raises `OfferRejected` or `LegRefusedError`."""

    @abstractmethod
    async def offer(self) -> bytes:
        """Open the leg and make an offer of ours; `accept` takes the answer. Raises `LegRefusedError`."""

    @abstractmethod
    def accept(self, answer: bytes) -> None:
        """The peer's answer to our offer; raises `OfferRejected` when it agrees on nothing."""

    @abstractmethod
    def renegotiate(self, offer: bytes | None) -> bytes:
        """An offer within the call: our answer, or our offer when it brought none. Raises `OfferRejected`."""

    def acknowledged(self) -> None:  # noqa: B027 (nothing to do is the rule, not an omission)
        """The peer has our answer."""

    def preview(self, answer: bytes) -> bool:
        """Early media (RFC 3960): listen to what a provisional response brings; True when it fits."""
        return False

    async def close(self) -> dict[str, object] | None:
        """Give the leg up; returns the codec and its last figures for the record, if it ever carried
        anything.
        """
        if self.leg is None:
            return None
        self.leg.close()
        figures = await self.leg.wait_closed()
        if figures is None or self.agreement is None:
            return None
        return {
            "codec": self.agreement.codec,
            "packets_received": figures.packets_received,
            "packets_sent": figures.packets_sent,
            "packets_lost": figures.packets_lost,
            "jitter_ms": round(figures.jitter_ms, 1),
        }


__all__ = ["CallAudio", "LegRefusedError"]
