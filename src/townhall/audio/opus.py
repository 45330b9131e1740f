"""Opus (RFC 6716) through the system's or a wheel's libopus: our own small binding, by ctypes.

Mono, 16 bit, any rate that libopus works at (8, 12, 16, 24, 48 kHz); a decoder takes whatever was encoded,
stereo and other rates included. Buffers are addresses, so that a tick hands over rows of its arrays without a
copy: a call costs some 2 µs besides libopus's own work, during which other threads run. States live in memory
of ours and go with their objects. Left out: multistream, float samples, repacketising.

The library is looked for where `path` says, then in the `opuslib-next-bundled` wheel, then as the system's
`libopus.so.0`. (PyAV's wheel has one as well, as fast, beside codecs under the GPL; it isn't touched.)
"""

import ctypes
import importlib.util
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from townhall.audio.shapes import Int16, UInt8
from townhall.errors import TownhallError

LONGEST_PACKET_MS = 120
"""RFC 6716 section 3.2.5."""

SHORTEST_STEP = 400
"""Steps of concealment a second: frames are multiples of 2.5 ms."""

_APPLICATION_VOIP, _APPLICATION_AUDIO = 2048, 2049
_SET_BITRATE, _SET_VBR, _SET_COMPLEXITY, _SET_INBAND_FEC = 4002, 4006, 4010, 4012
_SET_PACKET_LOSS_PERC, _SET_DTX, _SET_VBR_CONSTRAINT = 4014, 4016, 4020
_RESET_STATE, _GET_LOOKAHEAD = 4028, 4027
_SYSTEM_NAMES = {"darwin": "libopus.0.dylib", "win32": "opus.dll"}
_WHEEL_NAMES = {"darwin": "libopus.dylib", "win32": "opus.dll"}


class OpusMissing(TownhallError):
    """No libopus was found, or what was found is none; the message says where it was looked for."""


class OpusError(TownhallError):
    """libopus refused: a damaged packet, or a parameter out of its range."""


@lru_cache
def load_opus(path: str = "") -> ctypes.CDLL:
    """The library; `path` is a file or a name for the system's loader, empty: wherever it is found.

    Raises `OpusMissing`.
    """
    candidates = [path] if path else [*_in_wheel(), _SYSTEM_NAMES.get(sys.platform, "libopus.so.0")]
    reasons = []
    for candidate in candidates:
        try:
            library = ctypes.CDLL(candidate)
            _declare(library)
        except (OSError, AttributeError) as error:
            reasons.append(f"{candidate}: {error}")
        else:
            return library
    raise OpusMissing(
        f"no libopus: {'; '.join(reasons)}. Install the package opuslib-next-bundled or the system's libopus"
    )


def _in_wheel() -> list[str]:
    spec = importlib.util.find_spec("opuslib_next")  # finds it without running it
    folders = list(spec.submodule_search_locations or ()) if spec else []
    name = _WHEEL_NAMES.get(sys.platform, "libopus.so")
    return [str(Path(folder) / "_native" / name) for folder in folders]


def _declare(library: ctypes.CDLL) -> None:
    pointer, number, long = ctypes.c_void_p, ctypes.c_int, ctypes.c_int32
    library.opus_get_version_string.restype = ctypes.c_char_p
    library.opus_strerror.restype = ctypes.c_char_p
    library.opus_encoder_init.argtypes = [pointer, long, number, number]
    library.opus_encode.argtypes = [pointer, pointer, number, pointer, long]
    library.opus_encode.restype = long
    library.opus_encoder_ctl.argtypes = [pointer, number]  # and one more, which varies
    library.opus_decoder_init.argtypes = [pointer, long, number]
    library.opus_decode.argtypes = [pointer, pointer, long, pointer, number, number]
    library.opus_decoder_ctl.argtypes = [pointer, number]


def opus_version(library: ctypes.CDLL) -> str:
    """What the library calls itself."""
    return str(library.opus_get_version_string().decode("ascii", "replace"))


class OpusEncoder:
    """One stream, mono at `rate` Hz. Raises `OpusError` when libopus doesn't like a parameter."""

    def __init__(
        self,
        library: ctypes.CDLL,
        rate: int = 16000,
        *,
        bitrate: int = 32000,
        complexity: int = 5,
        fec: bool = False,
        expected_loss: int = 10,
        dtx: bool = False,
        voice: bool = False,
    ) -> None:
        """`fec` puts a coarser copy of each frame into the next packet, as much as `expected_loss` (percent)
        is worth. `voice` filters and shapes for one voice; without it the encoder is true to mixes as well.
        """
        self._library = library
        self._state = _state(library.opus_encoder_get_size(1))
        self._address = self._state.ctypes.data
        application = _APPLICATION_VOIP if voice else _APPLICATION_AUDIO
        self._check(library.opus_encoder_init(self._address, rate, 1, application))
        self.set_bitrate(bitrate)
        self.set_complexity(complexity)
        self._set(_SET_INBAND_FEC, int(fec))
        self._set(_SET_PACKET_LOSS_PERC, expected_loss if fec else 0)
        self._set(_SET_DTX, int(dtx))

    def set_bitrate(self, bitrate: int) -> None:
        """The mean of the variable rate, 500 to 512,000 bit/s."""
        self._set(_SET_BITRATE, bitrate)

    def set_complexity(self, complexity: int) -> None:
        """0 (fastest) to 10."""
        self._set(_SET_COMPLEXITY, complexity)

    @property
    def lookahead(self) -> int:
        """Samples by which the decoded signal is behind the encoded one."""
        value = ctypes.c_int32()
        self._check(self._library.opus_encoder_ctl(self._address, _GET_LOOKAHEAD, ctypes.byref(value)))
        return value.value

    def reset(self) -> None:
        """As if nothing had been encoded yet."""
        self._check(self._library.opus_encoder_ctl(self._address, _RESET_STATE))

    def encode_at(self, samples: int, count: int, target: int, room: int) -> int:
        """Encode `count` int16 samples at address `samples` to `target`, where `room` bytes are; the bytes
        used.
        """
        used = int(self._library.opus_encode(self._address, samples, count, target, room))
        if used < 0:
            self._check(used)
        return used

    def encode(self, samples: Int16, room: int = 1275) -> bytes:
        """One packet of int16 `(n,)`."""
        signal = np.ascontiguousarray(samples, np.int16)
        target = np.empty(room, np.uint8)
        used = self.encode_at(signal.ctypes.data, len(signal), target.ctypes.data, room)
        return target[:used].tobytes()

    def _set(self, request: int, value: int) -> None:
        self._check(self._library.opus_encoder_ctl(self._address, request, ctypes.c_int32(value)))

    def _check(self, result: int) -> None:
        _raise_for(self._library, result)


class OpusDecoder:
    """One stream to mono at `rate` Hz."""

    def __init__(self, library: ctypes.CDLL, rate: int = 16000) -> None:
        self._library = library
        self._state = _state(library.opus_decoder_get_size(1))
        self._address = self._state.ctypes.data
        _raise_for(library, library.opus_decoder_init(self._address, rate, 1))
        self._most = rate * LONGEST_PACKET_MS // 1000

    def reset(self) -> None:
        """As if nothing had been decoded yet."""
        _raise_for(self._library, self._library.opus_decoder_ctl(self._address, _RESET_STATE))

    def decode_at(self, packet: int, length: int, target: int, room: int, fec: bool = False) -> int:
        """Decode `length` bytes at address `packet` to int16 at `target`, where `room` samples fit; how many
        came out, negative when the packet is damaged.

        Address 0: conceal `room` samples. `fec`: what was lost just before this packet, `room` samples long;
        concealed where the packet tells nothing of it. `room` is then a multiple of 2.5 ms.
        """
        return int(self._library.opus_decode(self._address, packet, length, target, room, fec))

    def decode(self, packet: bytes | None, samples: int = 0, *, fec: bool = False) -> Int16:
        """The samples `(n,)` of a packet; of None, or before it with `fec`: `samples` in place of what was
        lost. Raises `OpusError`.
        """
        target = np.zeros(samples or self._most, np.int16)
        source = np.frombuffer(packet or b"\0", np.uint8)
        place, length = (source.ctypes.data, len(source)) if packet else (0, 0)
        count = self.decode_at(place, length, target.ctypes.data, len(target), fec)
        _raise_for(self._library, count)
        return target[:count]


def _state(size: int) -> UInt8:
    return np.zeros(size, np.uint8)


def _raise_for(library: Any, result: int) -> None:
    if result < 0:
        raise OpusError(f"libopus: {library.opus_strerror(result).decode('ascii', 'replace')} ({result})")
