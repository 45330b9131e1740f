"""What an audio medium offers, and what two sides can agree on (RFC 3551 section 6, RFC 4733 section 2.4)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from townhall.sdp.description import MediaDescription, read_payload_type

Codec = Literal["PCMU", "PCMA", "G722", "opus"]

STATIC_PAYLOAD_TYPES: dict[Codec, int] = {"PCMU": 0, "PCMA": 8, "G722": 9}
"""RFC 3551 section 6: what these numbers mean without an a=rtpmap. All count 8000 Hz in RTP, G.722 by an
error that has become the standard (section 4.5.2).
"""
DEFAULT_PTIME_MS = 20
_RTPMAP = re.compile(r"(\d{1,3})\s+([^\s/]+)\s*/\s*(\d+)(?:\s*/\s*(\d+))?")
_EVENT_RANGE = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")


@dataclass(frozen=True, slots=True)
class AudioCapabilities:
    """What our side can do. `codecs` are in our order of preference, which counts only in offers of ours."""

    codecs: tuple[Codec, ...] = ("PCMU", "PCMA")
    protocols: tuple[str, ...] = ("RTP/AVP", "RTP/AVPF")
    telephone_event: bool = True
    telephone_event_payload_type: int = 101
    """The payload type in offers of ours; answers take the offerer's."""
    ptime_ms: int = DEFAULT_PTIME_MS
    accept_rtcp_mux: bool = True
    offer_rtcp_mux: bool = False


@dataclass(frozen=True, slots=True)
class AudioAgreement:
    """What offer and answer agreed on, seen from us.

    `remote` is where our RTP goes; `remote_rtcp` None means together with RTP (`rtcp_mux`) or nowhere.
    `ptime_ms` is the length of the packets we send. `telephone_event` is the payload type of RFC 4733 events,
    None when the peer has none.
    """

    codec: Codec
    payload_type: int
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int] | None = None
    rtcp_mux: bool = False
    ptime_ms: int = DEFAULT_PTIME_MS
    telephone_event: int | None = None
    telephone_event_rate: int = 8000
    """Clock rate of those events, Hz."""
    send: bool = True
    receive: bool = True


@dataclass(frozen=True, slots=True)
class Format:
    """A payload type and what it stands for; `encoding` in upper case."""

    payload_type: int
    encoding: str
    clock_rate: int
    channels: int = 1


def formats_of(media: MediaDescription) -> list[Format]:
    """The formats of an audio medium in the order of its m= line, those without a known meaning left out."""
    maps: dict[int, Format] = {
        number: Format(number, codec, 8000) for codec, number in STATIC_PAYLOAD_TYPES.items()
    }
    for text in media.attributes("rtpmap"):
        match = _RTPMAP.match(text)
        if match is not None and len(match[3]) <= 9 and len(match[4] or "") <= 3:
            number = int(match[1])
            maps[number] = Format(number, match[2].upper(), int(match[3]), int(match[4] or 1))
    numbers = (read_payload_type(text) for text in media.formats)
    return [maps[number] for number in numbers if number is not None and number in maps]


def codecs_of(media: MediaDescription) -> dict[Codec, int]:
    """The codecs of an audio medium that we know, with their payload types, in its order of preference."""
    found: dict[Codec, int] = {}
    for entry in formats_of(media):
        if entry.encoding in STATIC_PAYLOAD_TYPES and entry.clock_rate == 8000 and entry.channels == 1:
            found.setdefault(entry.encoding, entry.payload_type)
    return found


def first_codec(media: MediaDescription, caps: AudioCapabilities) -> tuple[Codec, int] | None:
    """The first format of an audio medium that we have, with its payload type."""
    return next(((codec, number) for codec, number in codecs_of(media).items() if codec in caps.codecs), None)


def telephone_event_of(media: MediaDescription) -> int | None:
    """The payload type of telephone-event at 8000 Hz, the clock rate of the codecs we have."""
    for entry in formats_of(media):
        if entry.encoding == "TELEPHONE-EVENT" and entry.clock_rate == 8000:
            return entry.payload_type
    return None


def events_of(media: MediaDescription, payload_type: int) -> str:
    """The events to answer with: digits, and the hook flash (16) if the offer has it."""
    for text in media.attributes("fmtp"):
        number, _, events = text.partition(" ")
        if number == str(payload_type):
            for match in _EVENT_RANGE.finditer(events):
                if int(match[1]) <= 16 <= int(match[2] or match[1]):
                    return "0-16"
    return "0-15"


def ptime_of(media: MediaDescription, preferred: int = DEFAULT_PTIME_MS) -> int:
    """The packet length to send to this peer: 10 to 60 ms in steps of 10.

    Its a=ptime, or else `preferred`, at most its a=maxptime; what is out of range or makes no sense counts as
    20.
    """
    wanted = _read_milliseconds(media.attribute("ptime"))
    ptime = preferred if wanted is None else wanted
    if ptime not in range(10, 61, 10):
        ptime = DEFAULT_PTIME_MS
    longest = _read_milliseconds(media.attribute("maxptime"))
    if longest is not None and 10 <= longest < ptime:
        ptime = longest // 10 * 10
    return ptime


def _read_milliseconds(text: str | None) -> int | None:
    """A number of milliseconds; fractions, which some phones write, are cut off."""
    whole = (text or "").partition(".")[0]
    return int(whole) if whole.isascii() and whole.isdigit() and len(whole) <= 6 else None
