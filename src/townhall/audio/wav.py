"""The header of a 16-bit WAV file that grows: one length for any size, so it can be written over in place.

Follows the RIFF/WAVE chunks of Microsoft's multimedia specification and, above 4 GB, RF64 (EBU Tech 3306): a
`JUNK` chunk keeps the room of its `ds64`. More than two channels are written as WAVE_FORMAT_EXTENSIBLE
without a speaker mask: they are tracks, not places in a room.
"""

import struct

_DS64_BYTES = 28
_MOST_32 = 0xFFFFFFFF
_PCM = 1
_EXTENSIBLE = 0xFFFE
_PCM_GUID = struct.pack("<IHH8s", _PCM, 0, 0x10, bytes.fromhex("800000aa00389b71"))


def wav_header(channels: int, frames: int, rate: int = 8000) -> bytes:
    """The bytes before the samples; as many for every number of `frames` (samples per channel)."""
    width = 2 * channels
    kind = _PCM if channels <= 2 else _EXTENSIBLE
    form = struct.pack("<HHIIHH", kind, channels, rate, rate * width, width, 16)
    if kind == _EXTENSIBLE:
        form += struct.pack("<HHI", 22, 16, 0) + _PCM_GUID
    data_bytes = frames * width
    riff_bytes = 4 + 8 + _DS64_BYTES + 8 + len(form) + 8 + data_bytes
    format_chunk = b"fmt " + struct.pack("<I", len(form)) + form
    if riff_bytes <= _MOST_32:
        room = b"JUNK" + struct.pack("<I", _DS64_BYTES) + bytes(_DS64_BYTES)
        begin = b"RIFF" + struct.pack("<I", riff_bytes) + b"WAVE"
        return begin + room + format_chunk + b"data" + struct.pack("<I", data_bytes)
    sizes = b"ds64" + struct.pack("<IQQQI", _DS64_BYTES, riff_bytes, data_bytes, frames, 0)
    limit = struct.pack("<I", _MOST_32)
    return b"RF64" + limit + b"WAVE" + sizes + format_chunk + b"data" + limit


def wav_header_bytes(channels: int) -> int:
    """Where the samples begin."""
    return len(wav_header(channels, 0))
