"""Offers and answers with a browser: one audio medium over ICE, DTLS and SRTP (RFC 8829, RFC 8839, RFC 8842).

We are ICE-lite, with all our candidates in the description and none of the peer's needed, RTP and RTCP on one
port, and one codec in an answer, so there is never a doubt what comes: the first of the offer that we have,
because the page puts them in its order. Opus is RFC 7587. Left out: video (refused), trickle ICE, BUNDLE of
more than the audio, header extensions, feedback messages, `a=ssrc` and `a=msid` (a browser does without).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from townhall.sdp.audio import (
    AudioAgreement,
    AudioCapabilities,
    events_of,
    ptime_of,
)
from townhall.sdp.description import (
    Line,
    MediaDescription,
    SessionDescription,
    address_family,
    attribute_lines,
)
from townhall.sdp.errors import NothingFits, SDPError
from townhall.sdp.web_codecs import (
    OFFERED_EVENTS,
    OFFERED_TYPES,
    bitrate_of,
    codec_lines,
    event_lines,
    events_of_codec,
    parameters_of,
    web_codecs_of,
)
from townhall.sdp.web_transport import DTLSRole, IceCredentials, WebTransport, web_transport_of

__all__ = [
    "WEB_CAPABILITIES",
    "DTLSRole",
    "IceCredentials",
    "WebAgreement",
    "WebLocal",
    "accept_web_answer",
    "make_web_answer",
    "make_web_offer",
]

WEB_CAPABILITIES = AudioCapabilities(
    codecs=("opus", "PCMU", "PCMA"),
    # RFC 8829 section 5.1.2: the first is the right one, the others are to be understood.
    protocols=("UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "RTP/SAVPF", "RTP/SAVP"),
    offer_rtcp_mux=True,
)
_MID = re.compile(r"[!#-'*+.0-9A-Z^-~-]{1,64}")
_HOST_PREFERENCE = 126 << 24


@dataclass(frozen=True, slots=True)
class WebLocal:
    """Our end: where browsers reach us (numeric addresses, at least one), and how they know that it is us."""

    addresses: tuple[tuple[str, int], ...]
    ice: IceCredentials
    fingerprint: str
    """`sha-256 AB:CD:…`"""
    session_id: int = 0
    session_version: int = 1


@dataclass(frozen=True, slots=True)
class WebAgreement:
    """What offer and answer agreed on, seen from us. `audio.remote` means nothing: ICE finds the peer."""

    audio: AudioAgreement
    ice: IceCredentials
    """The peer's."""
    fingerprint: str
    """The peer's certificate's."""
    role: DTLSRole
    """Ours in DTLS."""
    max_bitrate: int | None = None
    """Opus: the most bit/s that the peer wants to receive; None: ours to choose."""
    in_band_fec: bool = False
    """Opus: the peer makes use of in-band FEC."""


def make_web_answer(
    offer: SessionDescription, local: WebLocal, caps: AudioCapabilities = WEB_CAPABILITIES
) -> tuple[SessionDescription, WebAgreement]:
    """Answer a browser's offer, and say what was agreed.

    Raises:
        NothingFits: no audio medium can be accepted; the message says why the last one could not.
    """
    chosen, agreement = _choose(offer, caps)
    media = tuple(
        _accept(medium, agreement, local) if index == chosen else _reject(medium)
        for index, medium in enumerate(offer.media)
    )
    mid = _mid_of(offer.media[chosen])
    bundled = mid is not None and any(mid in group.split()[1:] for group in offer.attributes("group"))
    lines = _session_lines(local, f"group:BUNDLE {mid}" if bundled else None)
    return SessionDescription(lines=lines, media=media), agreement


def make_web_offer(local: WebLocal, caps: AudioCapabilities = WEB_CAPABILITIES) -> SessionDescription:
    """An offer of everything we can do, in our order of preference."""
    formats = [str(OFFERED_TYPES[codec]) for codec in caps.codecs]
    attributes = ["mid:0", *_transport_lines(local, "actpass"), "sendrecv"]
    for codec in caps.codecs:
        attributes += codec_lines(codec, OFFERED_TYPES[codec])
    if caps.telephone_event:
        formats.append(str(OFFERED_EVENTS))
        attributes += event_lines(OFFERED_EVENTS, 8000, "0-16")
    attributes.append(f"ptime:{caps.ptime_ms}")
    medium = _medium(local, caps.protocols[0], formats, attributes)
    return SessionDescription(lines=_session_lines(local, "group:BUNDLE 0"), media=(medium,))


def accept_web_answer(offer: SessionDescription, answer: SessionDescription) -> WebAgreement:
    """What the answer to our offer (made by `make_web_offer`) agrees on.

    Raises:
        SDPError: the answer has not as many media as the offer.
        NothingFits: it accepts no audio, or only what we did not offer.
    """
    if len(answer.media) != len(offer.media):
        raise SDPError(f"an answer with {len(offer.media)} media was expected, not with {len(answer.media)}")
    for ours, theirs in zip(offer.media, answer.media, strict=True):
        if ours.kind == theirs.kind == "audio" and theirs.port:
            offered = tuple(web_codecs_of(ours))
            return _agree(answer, theirs, replace(WEB_CAPABILITIES, codecs=offered, ptime_ms=ptime_of(ours)))
    raise NothingFits("the answer accepts no audio")


def _choose(offer: SessionDescription, caps: AudioCapabilities) -> tuple[int, WebAgreement]:
    reason = "the offer has no audio"
    for index, medium in enumerate(offer.media):
        try:
            if medium.kind == "audio":
                return index, _agree(offer, medium, caps)
        except SDPError as error:
            reason = str(error)
    raise NothingFits(reason)


def _agree(theirs: SessionDescription, medium: MediaDescription, caps: AudioCapabilities) -> WebAgreement:
    """What we and the browser agree on in this audio medium of its; raises `NothingFits`."""
    if not medium.port:
        raise NothingFits("the audio has port 0, which rejects it")
    if medium.protocol not in caps.protocols:
        raise NothingFits(f"{caps.protocols[0]} was expected, not {medium.protocol[:40]}")
    found = {codec: number for codec, number in web_codecs_of(medium).items() if codec in caps.codecs}
    if not found:
        raise NothingFits(f"none of {', '.join(caps.codecs)} is among {' '.join(medium.formats)[:60]}")
    codec, payload_type = next(iter(found.items()))
    transport: WebTransport = web_transport_of(theirs, medium)
    direction = theirs.direction_of(medium)
    events = events_of_codec(medium, codec) if caps.telephone_event else None
    parameters = parameters_of(medium, payload_type) if codec == "opus" else {}
    audio = AudioAgreement(
        codec=codec,
        payload_type=payload_type,
        remote=("0.0.0.0", 9),
        rtcp_mux=True,
        ptime_ms=ptime_of(medium, caps.ptime_ms),
        telephone_event=events.payload_type if events is not None else None,
        telephone_event_rate=events.clock_rate if events is not None else 8000,
        send=direction in ("sendrecv", "recvonly"),
        receive=direction in ("sendrecv", "sendonly"),
    )
    return WebAgreement(
        audio=audio,
        ice=transport.ice,
        fingerprint=transport.fingerprint,
        role=transport.role,
        max_bitrate=bitrate_of(parameters.get("maxaveragebitrate")),
        in_band_fec=parameters.get("useinbandfec") == "1",
    )


def _mid_of(medium: MediaDescription) -> str | None:
    mid = medium.attribute("mid")
    return mid if mid is not None and _MID.fullmatch(mid) is not None else None


def _accept(medium: MediaDescription, agreement: WebAgreement, local: WebLocal) -> MediaDescription:
    """Our answer to the medium that was chosen: one codec, and telephone-event if it was offered."""
    audio, mid = agreement.audio, _mid_of(medium)
    formats = [str(audio.payload_type)]
    attributes = [f"mid:{mid}"] if mid is not None else []
    attributes += _transport_lines(local, "passive" if agreement.role == "server" else "active")
    directions = {(True, True): "sendrecv", (True, False): "sendonly", (False, True): "recvonly"}
    attributes.append(directions.get((audio.send, audio.receive), "inactive"))
    attributes += codec_lines(audio.codec, audio.payload_type)
    if audio.telephone_event is not None:
        formats.append(str(audio.telephone_event))
        number, rate = audio.telephone_event, audio.telephone_event_rate
        attributes += event_lines(number, rate, events_of(medium, number))
    attributes.append(f"ptime:{audio.ptime_ms}")
    return _medium(local, medium.protocol, formats, attributes)


def _reject(medium: MediaDescription) -> MediaDescription:
    """Port 0; the formats are repeated because the m= line needs some, the mid because browsers want it."""
    mid = _mid_of(medium)
    lines = attribute_lines([*([f"mid:{mid}"] if mid is not None else []), "inactive"])
    return replace(medium, lines=lines, port=0, port_count=1, formats=medium.formats or ("0",))


def _medium(local: WebLocal, protocol: str, formats: list[str], attributes: list[str]) -> MediaDescription:
    address, port = local.addresses[0]
    connection: Line = ("c", f"IN {address_family(address)} {address}")
    return MediaDescription(
        lines=(connection, *attribute_lines(attributes)),
        kind="audio",
        port=port,
        protocol=protocol,
        formats=tuple(formats),
    )


def _transport_lines(local: WebLocal, setup: str) -> list[str]:
    candidates = [
        f"candidate:{number} 1 udp {_HOST_PREFERENCE | (65535 - number) << 8 | 255} {host} {port} typ host"
        for number, (host, port) in enumerate(local.addresses, 1)
    ]
    return [
        f"ice-ufrag:{local.ice.ufrag}",
        f"ice-pwd:{local.ice.pwd}",
        f"fingerprint:{local.fingerprint}",
        f"setup:{setup}",
        "rtcp-mux",
        *candidates,
        "end-of-candidates",
    ]


def _session_lines(local: WebLocal, group: str | None) -> tuple[Line, ...]:
    address = local.addresses[0][0]
    origin = f"- {local.session_id} {local.session_version} IN {address_family(address)} {address}"
    attributes = ["ice-lite", *([group] if group is not None else [])]
    return ("v", "0"), ("o", origin), ("s", "-"), ("t", "0 0"), *attribute_lines(attributes)
