"""Offers and answers for one audio stream (RFC 3264; hold by address: RFC 2543 section B.5; rtcp-mux: RFC
5761; a=rtcp: RFC 3605).

An answer accepts the first audio medium that fits and gives every other medium port 0. Left out: video, SRTP,
ICE, DTLS, addresses that are names, multicast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from townhall.sdp.audio import (
    STATIC_PAYLOAD_TYPES,
    AudioAgreement,
    AudioCapabilities,
    codecs_of,
    events_of,
    first_codec,
    ptime_of,
    telephone_event_of,
)
from townhall.sdp.description import (
    Line,
    MediaDescription,
    SessionDescription,
    address_family,
    attribute_lines,
    is_number,
    read_address,
)
from townhall.sdp.errors import NothingFits, SDPError

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]

_DEFAULT_CAPABILITIES = AudioCapabilities()
_CAN_SEND = ("sendrecv", "sendonly")
_CAN_RECEIVE = ("sendrecv", "recvonly")
_DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our end of the audio: where we receive, and the numbers of our o= line.

    `address` is an IPv4 or IPv6 literal. Without `rtcp_port` RTCP is on the port after RTP's. `direction` is
    what we are willing to do: a phone on hold is sendonly.
    """

    address: str
    rtp_port: int
    rtcp_port: int | None = None
    session_id: int = 0
    session_version: int = 1
    direction: Direction = "sendrecv"


def make_offer(local: LocalMedia, caps: AudioCapabilities = _DEFAULT_CAPABILITIES) -> SessionDescription:
    """An offer of everything we can do, in our order of preference.

    An answer may accept several codecs; its first is then the agreed one. A peer that mixes others in is
    heard as long as they are G.711, like the first.
    """
    rtpmaps = [(STATIC_PAYLOAD_TYPES[codec], f"{codec}/8000") for codec in caps.codecs]
    attributes = [f"rtpmap:{number} {encoding}" for number, encoding in rtpmaps]
    formats = [str(number) for number, _ in rtpmaps]
    if caps.telephone_event:
        formats.append(str(caps.telephone_event_payload_type))
        attributes += _telephone_event_lines(caps.telephone_event_payload_type, "0-16")
    attributes += [f"ptime:{caps.ptime_ms}", local.direction]
    attributes += _rtcp_lines(local, caps.offer_rtcp_mux)
    media = MediaDescription(
        lines=attribute_lines(attributes),
        kind="audio",
        port=local.rtp_port,
        protocol=caps.protocols[0],
        formats=tuple(formats),
    )
    return SessionDescription(lines=_session_lines(local, (("t", "0 0"),)), media=(media,))


def make_answer(
    offer: SessionDescription, local: LocalMedia, caps: AudioCapabilities = _DEFAULT_CAPABILITIES
) -> tuple[SessionDescription, AudioAgreement]:
    """Answer an offer, and say what was agreed.

    Raises:
        NothingFits: no audio medium can be accepted; the message says why the last one could not.
    """
    chosen, agreement = choose_audio(offer, local, caps)
    return answer_with(offer, chosen, agreement, local), agreement


def choose_audio(
    offer: SessionDescription, local: LocalMedia, caps: AudioCapabilities
) -> tuple[int, AudioAgreement]:
    """Which medium of an offer is to be accepted, and what is then agreed; of `local`, ports do not matter.

    Raises:
        NothingFits: none can; the message says why the last one could not.
    """
    reason = "the offer has no audio"
    for index, medium in enumerate(offer.media):
        try:
            if medium.kind == "audio":
                return index, _agree(offer, medium, local.address, local.direction, caps)
        except SDPError as error:
            reason = str(error)
    raise NothingFits(reason)


def answer_with(
    offer: SessionDescription, chosen: int, agreement: AudioAgreement, local: LocalMedia
) -> SessionDescription:
    """The answer that says what `choose_audio` found."""
    media = tuple(
        _accept(medium, agreement, local) if index == chosen else _reject(medium)
        for index, medium in enumerate(offer.media)
    )
    times = tuple(line for line in offer.lines if line[0] == "t") or (("t", "0 0"),)
    return SessionDescription(lines=_session_lines(local, times), media=media)


def accept_answer(offer: SessionDescription, answer: SessionDescription) -> AudioAgreement:
    """What the answer to our offer (made by `make_offer`) agrees on.

    Raises:
        SDPError: the answer has not as many media as the offer.
        NothingFits: it accepts no audio, or only what we did not offer.
    """
    if len(answer.media) != len(offer.media):
        raise SDPError(f"an answer with {len(offer.media)} media was expected, not with {len(answer.media)}")
    for ours, theirs in zip(offer.media, answer.media, strict=True):
        if ours.kind == theirs.kind == "audio" and theirs.port:
            address = offer.connection_of(ours) or ""
            return _agree(answer, theirs, address, offer.direction_of(ours), _capabilities_of(ours))
    raise NothingFits("the answer accepts no audio")


def _capabilities_of(offered: MediaDescription) -> AudioCapabilities:
    """What an answer to this offer of ours may choose from."""
    return AudioCapabilities(
        codecs=tuple(codecs_of(offered)),
        telephone_event=telephone_event_of(offered) is not None,
        ptime_ms=ptime_of(offered),
        accept_rtcp_mux=offered.attribute("rtcp-mux") is not None,
    )


def _agree(
    theirs: SessionDescription,
    medium: MediaDescription,
    our_address: str,
    our_direction: str,
    caps: AudioCapabilities,
) -> AudioAgreement:
    """What we and the peer agree on in this audio medium of theirs; raises `SDPError` or `NothingFits`."""
    if not medium.port:
        raise NothingFits("the audio has port 0, which rejects it")
    if medium.protocol not in caps.protocols:
        raise NothingFits(f"{' or '.join(caps.protocols)} was expected, not {medium.protocol}")
    codec = first_codec(medium, caps)
    if codec is None:
        raise NothingFits(f"none of {', '.join(caps.codecs)} is among {' '.join(medium.formats)[:60]}")
    host = theirs.connection_of(medium)
    if host is None:
        raise SDPError("the audio has no c= line")
    address = read_address(host)
    if address.is_multicast:
        raise NothingFits(f"{host} is a multicast address")
    if address.version != read_address(our_address).version and not address.is_unspecified:
        raise NothingFits(f"{host} cannot be reached from {our_address}")
    direction = theirs.direction_of(medium)
    rtcp_mux = caps.accept_rtcp_mux and medium.attribute("rtcp-mux") is not None
    return AudioAgreement(
        codec=codec[0],
        payload_type=codec[1],
        remote=(str(address), medium.port),
        remote_rtcp=None if rtcp_mux else _remote_rtcp(medium, str(address)),
        rtcp_mux=rtcp_mux,
        ptime_ms=ptime_of(medium, caps.ptime_ms),
        telephone_event=telephone_event_of(medium) if caps.telephone_event else None,
        # An unspecified address is the hold of RFC 2543: there is nowhere to send to.
        send=our_direction in _CAN_SEND and direction in _CAN_RECEIVE and not address.is_unspecified,
        receive=our_direction in _CAN_RECEIVE and direction in _CAN_SEND,
    )


def _remote_rtcp(medium: MediaDescription, host: str) -> tuple[str, int] | None:
    """Where the peer wants RTCP: a=rtcp, or the port after RTP's. A broken a=rtcp counts as none."""
    parts = (medium.attribute("rtcp") or "").split()
    port = int(parts[0]) if parts and is_number(parts[0], 65535) else 0
    if port:
        try:
            return str(read_address(parts[3])) if len(parts) >= 4 else host, port
        except SDPError:
            return host, port
    return (host, medium.port + 1) if medium.port < 65535 else None


def _accept(medium: MediaDescription, agreement: AudioAgreement, local: LocalMedia) -> MediaDescription:
    """Our answer to the medium that was chosen: one codec, and telephone-event if it was offered."""
    number = agreement.payload_type
    formats = [str(number)]
    attributes = [f"rtpmap:{number} {agreement.codec}/8000"]
    if agreement.telephone_event is not None:
        formats.append(str(agreement.telephone_event))
        attributes += _telephone_event_lines(
            agreement.telephone_event, events_of(medium, agreement.telephone_event)
        )
    attributes += [f"ptime:{agreement.ptime_ms}", _DIRECTIONS[agreement.send, agreement.receive]]
    attributes += _rtcp_lines(local, agreement.rtcp_mux)
    return MediaDescription(
        lines=attribute_lines(attributes),
        kind=medium.kind,
        port=local.rtp_port,
        protocol=medium.protocol,
        formats=tuple(formats),
    )


def _reject(medium: MediaDescription) -> MediaDescription:
    """Port 0; the formats are repeated because the m= line needs some (RFC 3264 section 6)."""
    return replace(medium, lines=(), port=0, port_count=1, formats=medium.formats or ("0",))


def _telephone_event_lines(number: int, events: str) -> list[str]:
    return [f"rtpmap:{number} telephone-event/8000", f"fmtp:{number} {events}"]


def _rtcp_lines(local: LocalMedia, rtcp_mux: bool) -> list[str]:
    lines = []
    if local.rtcp_port is not None and local.rtcp_port != local.rtp_port + 1 and not rtcp_mux:
        lines.append(f"rtcp:{local.rtcp_port}")
    if rtcp_mux:
        lines.append("rtcp-mux")
    return lines


def _session_lines(local: LocalMedia, times: tuple[Line, ...]) -> tuple[Line, ...]:
    connection = f"IN {address_family(local.address)} {local.address}"
    origin = f"- {local.session_id} {local.session_version} {connection}"
    return ("v", "0"), ("o", origin), ("s", "-"), ("c", connection), *times
