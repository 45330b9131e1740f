"""The audio of a call with a SIP phone: RTP with an address that the SDP names, or that shows itself."""

import ipaddress
import secrets
from dataclasses import dataclass, replace

from townhall.calls.negotiation import CallAudio
from townhall.media import LegRefusedError, Media
from townhall.sdp import (
    AudioAgreement,
    AudioCapabilities,
    Codec,
    LocalMedia,
    NothingFits,
    SDPError,
    SessionDescription,
    accept_answer,
    answer_with,
    choose_audio,
    make_offer,
    parse_sdp,
)
from townhall.signalling import OfferRejected


@dataclass(frozen=True, slots=True)
class _Read:
    """An offer of the peer, parsed, and what of it we take."""

    offer: bytes
    description: SessionDescription
    chosen: int
    agreement: AudioAgreement


class PlainAudio(CallAudio):
    """See `CallAudio`."""

    def __init__(
        self,
        media: Media,
        local_address: str,
        peer_address: str,
        silence_limit_s: float,
        is_direct: bool = False,
        codecs: tuple[Codec, ...] = ("PCMU", "PCMA"),
    ) -> None:
        """`peer_address`: where the peer's SIP comes from; `is_direct`: it is the phone, no proxy; `codecs`:
        in the order of our offers (in those of the peer, its own order counts).
        """
        super().__init__()
        self._media = media
        self._address = local_address
        self._peer_address = peer_address
        self._is_direct = is_direct
        self._silence_limit_s = silence_limit_s
        self._local: LocalMedia | None = None
        self._pending_offer: SessionDescription | None = None
        self._checked: _Read | None = None
        self._is_real = False
        self._capabilities = AudioCapabilities(codecs=codecs)

    def check(self, offer: bytes) -> None:
        self._checked = self._read(offer)

    async def answer(self, offer: bytes) -> bytes:
        checked, self._checked = self._checked, None
        # Nearly always it is the offer that was checked; each call would be read twice.
        read = checked if checked is not None and checked.offer == offer else self._read(offer)
        return self._answer(read, await self._open(read.agreement))

    def acknowledged(self) -> None:
        """The ACK of our answer has come, so somebody is there who saw it: sending begins.

        An INVITE by itself may have a forged source; its answer is no reason to send anybody audio.
        """
        self._is_real = True
        if self.agreement is not None and self.agreement.send:
            self._connect(self.agreement)

    async def offer(self) -> bytes:
        return self._offer(await self._open(None))

    def accept(self, answer: bytes) -> None:
        offer, self._pending_offer = self._pending_offer, None
        if offer is None:
            raise OfferRejected(status=488)
        self._is_real = True
        try:
            self._connect(accept_answer(offer, parse_sdp(answer)))
        except (SDPError, NothingFits) as error:
            raise OfferRejected(status=488) from error

    def preview(self, answer: bytes) -> bool:
        if self._pending_offer is None:
            return False
        self._is_real = True
        try:
            self._connect(accept_answer(self._pending_offer, parse_sdp(answer)))
        except (SDPError, NothingFits):
            return False
        assert self.leg is not None
        self.leg.set_silence_limit(0)  # who has not answered owes us no sound
        return True

    def renegotiate(self, offer: bytes | None) -> bytes:
        if self._local is None:
            raise OfferRejected(status=488)
        self._local = replace(self._local, session_version=self._local.session_version + 1)
        if offer is None:
            return self._offer(self._local)
        return self._answer(self._read(offer), self._local)

    async def _open(self, wanted: AudioAgreement | None) -> LocalMedia:
        ip_version = ipaddress.ip_address(self._address).version
        remote = wanted.remote if wanted is not None and wanted.send else None
        host = self._address if self._address in self._media.settings.bind_hosts else None
        # An SDP that names the address its SIP came from is behind no NAT: nobody else's packets are taken.
        may_latch = remote is None or remote[0] != self._peer_address
        # Behind a NAT, a phone's packets come from where its SIP did, and nobody else's are its.
        latch_from = self._peer_address if self._is_direct else None
        try:
            self.leg = await self._media.open_leg(remote, may_latch, ip_version, host, latch_from)
        except LegRefusedError:
            if remote is not None:
                raise
            # Many calls of ours that ring can use up the places to latch; the answer's SDP does without.
            self.leg = await self._media.open_leg(None, False, ip_version, host)
        self._local = LocalMedia(
            address=self._address,
            rtp_port=self.leg.rtp_port,
            rtcp_port=self.leg.rtcp_port,
            session_id=secrets.randbits(48),
            session_version=1,
        )
        self.on_open(self.leg)
        return self._local

    def _read(self, offer: bytes) -> _Read:
        try:
            description = parse_sdp(offer)
            local = LocalMedia(address=self._address, rtp_port=9)
            return _Read(offer, description, *choose_audio(description, local, self._capabilities))
        except (SDPError, NothingFits) as error:
            raise OfferRejected(status=488) from error

    def _answer(self, read: _Read, local: LocalMedia) -> bytes:
        self._connect(read.agreement)
        return bytes(answer_with(read.description, read.chosen, read.agreement, local))

    def _offer(self, local: LocalMedia) -> bytes:
        self._pending_offer = make_offer(local, self._capabilities)
        return bytes(self._pending_offer)

    def _connect(self, agreement: AudioAgreement) -> None:
        assert self.leg is not None
        self.agreement = agreement
        self.leg.connect(
            codec=agreement.codec,
            payload_type=agreement.payload_type,
            remote=agreement.remote,
            remote_rtcp=agreement.remote_rtcp,
            rtcp_mux=agreement.rtcp_mux,
            ptime_ms=agreement.ptime_ms,
            telephone_event=agreement.telephone_event,
            send=agreement.send and self._is_real,
            receive=agreement.receive,
            wanted=agreement.remote[0] == self._peer_address,
        )
        # A peer that told us it sends nothing (hold) is not a dead one.
        self.leg.set_silence_limit(self._silence_limit_s if agreement.receive else 0)
