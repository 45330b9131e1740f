"""What a phone says: a tone, a recording or silence, and the keys it presses, cut into RTP packets.

Follows RFC 3550 section 5.1 (headers) and RFC 4733 section 2.5 (events: one timestamp for the whole press,
the duration growing, the end sent three times). One `next_packets` is one packet time; the caller keeps the
time.
"""

import secrets
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from townhall.audio import dtmf
from townhall.phone.hearing import RATE, Samples

Encode = Callable[[Samples], bytes]
"""Samples at 8 kHz, shape (samples,), to a G.711 payload of as many bytes."""
EVENTS = "0123456789*#ABCD"
"""RFC 4733 table 3: the place of a key in this string is its event code."""
_EVENT_VOLUME = 10
_END_PACKETS = 3
_TONE_AMPLITUDE = 6000


def tone(hz: float, samples: int, start: int = 0, amplitude: float = _TONE_AMPLITUDE) -> Samples:
    """A sine of `samples` samples at 8 kHz, its phase that of a sine begun `start` samples ago."""
    time = np.arange(start, start + samples) / RATE
    return np.round(amplitude * np.sin(2 * np.pi * hz * time)).astype(np.int16)


@dataclass(slots=True)
class _Event:
    """A key being pressed by RFC 4733. `timestamp` is fixed by its first packet."""

    code: int
    samples: int
    timestamp: int | None = None
    sent: int = 0


class Voice:
    """The outgoing stream of one call, in packets of `packet_samples` samples."""

    def __init__(self, packet_samples: int) -> None:
        self._packet_samples = packet_samples
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(31)
        self._position = 0
        self._tone_hz: float | None = None
        self._recording: npt.NDArray[np.int16] | None = None
        self._pressed: deque[Samples | _Event] = deque()
        self._marker = True

    @property
    def ssrc(self) -> int:
        return self._ssrc

    @property
    def pressing(self) -> bool:
        """Whether a key is being pressed now or waits for its turn."""
        return bool(self._pressed)

    @property
    def playing(self) -> bool:
        """Whether a recording still has samples to send."""
        return self._recording is not None and self._position < len(self._recording)

    def say_tone(self, hz: float) -> None:
        self._tone_hz, self._recording, self._position = hz, None, 0

    def say_samples(self, samples: Samples) -> None:
        """Say a recording, shape (samples,) at 8 kHz, once; then silence."""
        self._tone_hz, self._recording, self._position = None, samples, 0

    def say_nothing(self) -> None:
        self._tone_hz, self._recording, self._position = None, None, 0

    def press_event(self, key: str, duration_ms: int, pause_ms: int) -> None:
        """Press a key as an RFC 4733 event, then be silent for `pause_ms`."""
        self._pressed.append(_Event(EVENTS.index(key), RATE * duration_ms // 1000))
        self._pressed.append(np.zeros(RATE * pause_ms // 1000, dtype=np.int16))

    def press_tone(self, key: str, duration_ms: int, pause_ms: int) -> None:
        """Press a key as its tone pair within the audio, with silence before and after it."""
        silence = np.zeros(RATE * pause_ms // 1000, dtype=np.int16)
        self._pressed.append(np.concatenate([silence, dtmf(key, RATE, duration_ms, pause_ms)]))

    def next_packets(self, payload_type: int, event_payload_type: int | None, encode: Encode) -> list[bytes]:
        """The packets of the next packet time: one of audio, or one (at an event's end three) of a key."""
        if self._pressed and isinstance(self._pressed[0], _Event) and event_payload_type is not None:
            packets = self._event_packets(self._pressed[0], event_payload_type)
        else:
            packets = [
                self._packet(payload_type, self._timestamp, encode(self._next_samples()), self._marker)
            ]
            self._marker = False
        self._timestamp = (self._timestamp + self._packet_samples) % 0x1_0000_0000
        return packets

    def skip(self) -> None:
        """Say nothing for a packet time (on hold); time goes on (RFC 3550 section 5.1)."""
        self._timestamp = (self._timestamp + self._packet_samples) % 0x1_0000_0000
        self._marker = True

    def _event_packets(self, event: _Event, payload_type: int) -> list[bytes]:
        first = event.timestamp is None
        timestamp = self._timestamp if event.timestamp is None else event.timestamp
        event.timestamp = timestamp
        event.sent += self._packet_samples
        ended = event.sent >= event.samples
        payload = struct.pack("!BBH", event.code, ended << 7 | _EVENT_VOLUME, min(event.sent, 0xFFFF))
        if ended:
            self._pressed.popleft()
            self._marker = True
        return [
            self._packet(payload_type, timestamp, payload, first and not copy)
            for copy in range(_END_PACKETS if ended else 1)
        ]

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, marker: bool) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        header = struct.pack(
            "!BBHII", 0x80, marker << 7 | payload_type, self._sequence, timestamp, self._ssrc
        )
        return header + payload

    def _next_samples(self) -> Samples:
        wanted = self._packet_samples
        if self._pressed and not isinstance(self._pressed[0], _Event):
            pressed = self._pressed[0]
            if len(pressed) > wanted:
                self._pressed[0] = pressed[wanted:]
            else:
                self._pressed.popleft()
            return _filled(pressed[:wanted], wanted)
        start = self._position
        self._position += wanted
        if self._tone_hz is not None:
            return tone(self._tone_hz, wanted, start)
        if self._recording is not None:
            return _filled(self._recording[start : start + wanted], wanted)
        return np.zeros(wanted, dtype=np.int16)


def _filled(samples: Samples, wanted: int) -> Samples:
    if len(samples) == wanted:
        return samples
    return np.concatenate([samples, np.zeros(wanted - len(samples), dtype=np.int16)])
