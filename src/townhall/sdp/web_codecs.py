"""What a browser's audio can be: Opus (RFC 7587) or G.711, and telephone-event (RFC 4733) beside it."""

from __future__ import annotations

from townhall.sdp.audio import Codec, Format, formats_of
from townhall.sdp.description import MediaDescription

WIDEBAND_HZ = 16_000
"""Our buses' rate: to encode more than that would be wasted on us (`maxplaybackrate`)."""

_CODECS: dict[tuple[str, int, int], Codec] = {
    ("OPUS", 48000, 2): "opus",
    ("PCMU", 8000, 1): "PCMU",
    ("PCMA", 8000, 1): "PCMA",
}
_CLOCK_RATES: dict[Codec, int] = {"opus": 48000, "PCMU": 8000, "PCMA": 8000}
_RTPMAPS: dict[Codec, str] = {"opus": "opus/48000/2", "PCMU": "PCMU/8000", "PCMA": "PCMA/8000"}
OFFERED_TYPES: dict[Codec, int] = {"opus": 111, "PCMU": 0, "PCMA": 8}
# At 8000 Hz for Opus as well, against RFC 4733 section 2.1: given both, Chromium sends those at 8000 Hz
# whatever the codec, and Firefox knows no others. With one there is no doubt which will come.
OFFERED_EVENTS = 126
_BITRATES = (6000, 510_000)  # RFC 7587 section 6.1


def web_codecs_of(medium: MediaDescription) -> dict[Codec, int]:
    """The codecs that we know, with their payload types, in the medium's order of preference."""
    found: dict[Codec, int] = {}
    for entry in formats_of(medium):
        codec = _CODECS.get((entry.encoding, entry.clock_rate, entry.channels))
        if codec is not None:
            found.setdefault(codec, entry.payload_type)
    return found


def events_of_codec(medium: MediaDescription, codec: Codec) -> Format | None:
    """The telephone-event at the codec's clock rate, or else at any that we know."""
    found: dict[int, Format] = {}
    for entry in formats_of(medium):
        if entry.encoding == "TELEPHONE-EVENT" and entry.clock_rate in (8000, 48000):
            found.setdefault(entry.clock_rate, entry)
    return found.get(_CLOCK_RATES[codec]) or found.get(8000) or found.get(48000)


def parameters_of(medium: MediaDescription, payload_type: int) -> dict[str, str]:
    """The a=fmtp of a payload type, as `name=value` pairs with names in lower case."""
    parameters: dict[str, str] = {}
    for text in medium.attributes("fmtp"):
        number, _, rest = text.partition(" ")
        if number == str(payload_type):
            pairs = (pair.partition("=") for pair in rest.split(";"))
            parameters.update({name.strip().lower(): value.strip() for name, _, value in pairs})
    return parameters


def bitrate_of(text: str | None) -> int | None:
    """`maxaveragebitrate` within RFC 7587's bounds; what is no number counts as nothing said."""
    if text is None or not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    return max(_BITRATES[0], min(int(text), _BITRATES[1]))


def codec_lines(codec: Codec, number: int) -> list[str]:
    """The attributes of a codec under this payload type."""
    lines = [f"rtpmap:{number} {_RTPMAPS[codec]}"]
    if codec == "opus":
        lines.append(f"fmtp:{number} minptime=10;useinbandfec=1;maxplaybackrate={WIDEBAND_HZ}")
    return lines


def event_lines(number: int, rate: int, events: str) -> list[str]:
    """The attributes of telephone-event under this payload type."""
    return [f"rtpmap:{number} telephone-event/{rate}", f"fmtp:{number} {events}"]
