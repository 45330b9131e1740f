"""The audio of a call with a browser: ICE credentials and fingerprints in the SDP, a secure leg (RFC 8829).

The addresses of the offer or answer are ours alone: a browser shows its own by the checks that it sends, so
nothing is sent anywhere before it has proved that it wants it. Left out: early media and other media than
one audio stream.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from townhall.calls.negotiation import CallAudio
from townhall.media import Media
from townhall.sdp import AudioCapabilities, NothingFits, SDPError, SessionDescription, parse_sdp
from townhall.sdp.webrtc import (
    WEB_CAPABILITIES,
    IceCredentials,
    WebAgreement,
    WebLocal,
    accept_web_answer,
    make_web_answer,
    make_web_offer,
)
from townhall.signalling import OfferRejected

_UFRAG_BYTES, _PASSWORD_BYTES = 8, 16
"""16 and 32 characters; RFC 8839 section 5.4 wants at least 4 and 22."""


class WebAudio(CallAudio):
    """See `CallAudio`. `addresses`: where browsers reach this server's media, the likeliest first."""

    def __init__(self, media: Media, addresses: Sequence[str], silence_limit_s: float) -> None:
        super().__init__()
        self._media = media
        self._addresses = addresses
        self._silence_limit_s = silence_limit_s
        self._local: WebLocal | None = None
        self._pending_offer: SessionDescription | None = None

    def check(self, offer: bytes) -> None:
        self._answer(offer, self._describe())

    async def answer(self, offer: bytes) -> bytes:
        self.check(offer)
        description, agreement = self._answer(offer, await self._open())
        self._connect(agreement)
        return bytes(description)

    async def offer(self) -> bytes:
        self._pending_offer = make_web_offer(await self._open(), self._capabilities())
        return bytes(self._pending_offer)

    def accept(self, answer: bytes) -> None:
        offer, self._pending_offer = self._pending_offer, None
        if offer is None:
            raise OfferRejected(status=488)
        try:
            self._connect(accept_web_answer(offer, parse_sdp(answer)))
        except (SDPError, NothingFits) as error:
            raise OfferRejected(status=488) from error

    def renegotiate(self, offer: bytes | None) -> bytes:
        """An ICE restart (RFC 8445 section 9) brings new credentials on both sides."""
        if self._local is None or offer is None:
            raise OfferRejected(status=488)
        version = self._local.session_version + 1
        local = replace(self._local, ice=_credentials(), session_version=version)
        description, agreement = self._answer(offer, local)
        self._local, self._pending_offer = local, None
        self._connect(agreement)
        return bytes(description)

    async def _open(self) -> WebLocal:
        self.leg = await self._media.open_leg(secure=True)
        self._local = self._describe(self.leg.rtp_port)
        self.on_open(self.leg)
        return self._local

    def _describe(self, port: int = 9) -> WebLocal:
        return WebLocal(
            addresses=tuple((address, port) for address in self._addresses),
            ice=_credentials(),
            fingerprint=self.leg.fingerprint if self.leg is not None else self._media.fingerprint,
            session_id=secrets.randbits(48),
            session_version=1,
        )

    def _answer(self, offer: bytes, local: WebLocal) -> tuple[SessionDescription, WebAgreement]:
        try:
            return make_web_answer(parse_sdp(offer), local, self._capabilities())
        except (SDPError, NothingFits) as error:
            raise OfferRejected(status=488) from error

    def _capabilities(self) -> AudioCapabilities:
        if self._media.opus:
            return WEB_CAPABILITIES
        return replace(WEB_CAPABILITIES, codecs=("PCMU", "PCMA"))

    def _connect(self, agreement: WebAgreement) -> None:
        assert self.leg is not None
        assert self._local is not None
        audio = self.agreement = agreement.audio
        self.leg.secure(
            local_ufrag=self._local.ice.ufrag,
            local_pwd=self._local.ice.pwd,
            remote_ufrag=agreement.ice.ufrag,
            remote_pwd=agreement.ice.pwd,
            fingerprint=agreement.fingerprint,
            role=agreement.role,
        )
        self.leg.connect(
            codec=audio.codec,
            payload_type=audio.payload_type,
            remote=None,
            rtcp_mux=True,
            telephone_event=audio.telephone_event,
            telephone_event_rate=audio.telephone_event_rate,
            send=audio.send,
            receive=audio.receive,
            max_bitrate=agreement.max_bitrate,
            in_band_fec=agreement.in_band_fec,
        )
        self.leg.set_silence_limit(self._silence_limit_s)


def _credentials() -> IceCredentials:
    return IceCredentials(secrets.token_hex(_UFRAG_BYTES), secrets.token_hex(_PASSWORD_BYTES))
