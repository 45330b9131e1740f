"""The phone's side of offer and answer: what it offers first, and again on hold and after it (RFC 3264)."""

import secrets
from dataclasses import replace

from townhall.phone.settings import PhoneSettings
from townhall.sdp import (
    AudioAgreement,
    AudioCapabilities,
    Direction,
    LocalMedia,
    SessionDescription,
    accept_answer,
    make_answer,
    make_offer,
    parse_sdp,
)


class PhoneAudio:
    """One call's SDP. `agreement` is None until offer and answer have met."""

    def __init__(self, settings: PhoneSettings, rtp_port: int) -> None:
        self._capabilities = AudioCapabilities(
            codecs=settings.codecs, telephone_event=settings.telephone_event, ptime_ms=settings.ptime_ms
        )
        self._local = LocalMedia(settings.host, rtp_port, session_id=secrets.randbits(48))
        self._offer: SessionDescription | None = None
        self.agreement: AudioAgreement | None = None

    def offer(self, direction: Direction = "sendrecv") -> bytes:
        """A new offer of ours; its answer goes to `accept`."""
        if self._offer is not None:
            self._local = replace(self._local, session_version=self._local.session_version + 1)
        self._local = replace(self._local, direction=direction)
        self._offer = make_offer(self._local, self._capabilities)
        return bytes(self._offer)

    def accept(self, answer: bytes) -> AudioAgreement:
        """What the other side's answer agrees on; raises `SDPError` or `NothingFits`."""
        assert self._offer is not None, "there is no answer without an offer"
        self.agreement = accept_answer(self._offer, parse_sdp(answer))
        return self.agreement

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer of the other side's; raises `SDPError` or `NothingFits`."""
        description, self.agreement = make_answer(parse_sdp(offer), self._local, self._capabilities)
        return bytes(description)

    def renegotiate(self, offer: bytes | None) -> bytes:
        """The other side's re-INVITE: our answer, or our offer when it brought none."""
        return self.offer(self._local.direction) if offer is None else self.answer(offer)
