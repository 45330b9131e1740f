"""What every coder with a state looks like from outside: one object per stream and direction, fed in order.

Addresses go in and out, so that a tick hands over rows of its arrays whatever the codec (`opus`, `g722`).
"""

from typing import Protocol


class StreamEncoder(Protocol):
    """Makes the payloads of one stream."""

    def encode_at(self, samples: int, count: int, target: int, room: int) -> int:
        """Encode `count` int16 samples at address `samples` to `target`, where `room` bytes are; the bytes
        used.
        """
        ...


class StreamDecoder(Protocol):
    """Makes the sound of one stream."""

    def reset(self) -> None:
        """As if nothing had been decoded yet."""
        ...

    def decode_at(self, packet: int, length: int, target: int, room: int, fec: bool = False) -> int:
        """Decode `length` bytes at address `packet` to int16 at `target`, where `room` samples fit; how many
        came out, negative when the packet is damaged.

        Address 0: conceal `room` samples. `fec`: what was lost just before this packet, `room` samples long,
        which is concealed where the packet tells nothing of it.
        """
        ...
