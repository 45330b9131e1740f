"""Messages on the stream between control and media process: four bytes of length, then MessagePack."""

import struct
from typing import Generic, TypeVar

import msgspec

from townhall.errors import TownhallError
from townhall.media.protocol import Command, Event, Message

MAX_FRAME = 1 << 20
"""A `Play` with a hundred paths is far below; more is a broken peer."""

M = TypeVar("M")

_encoder = msgspec.msgpack.Encoder()


class FramingError(TownhallError):
    """The other process sent what is no message of ours; the stream cannot be trusted any more."""


def encode(message: Message) -> bytes:
    """One framed message."""
    body = _encoder.encode(message)
    return struct.pack("!I", len(body)) + body


class FrameReader(Generic[M]):
    """Cuts a byte stream into messages of one direction."""

    def __init__(self, decoder: "msgspec.msgpack.Decoder[M]") -> None:
        self._decoder = decoder
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in what was read; messages come from `take`."""
        self._buffer += data

    def take(self, limit: int) -> list[M]:
        """Up to `limit` whole messages. Raises `FramingError`."""
        messages: list[M] = []
        at = 0
        while len(messages) < limit and len(self._buffer) - at >= 4:
            (size,) = struct.unpack_from("!I", self._buffer, at)
            if size > MAX_FRAME:
                raise FramingError(f"a message of {size} bytes; the largest has {MAX_FRAME}")
            if len(self._buffer) - at - 4 < size:
                break
            try:
                messages.append(self._decoder.decode(memoryview(self._buffer)[at + 4 : at + 4 + size]))
            except msgspec.DecodeError as error:
                raise FramingError(f"a message that cannot be read: {error}") from None
            at += 4 + size
        del self._buffer[:at]
        return messages

    @property
    def pending(self) -> bool:
        """Whether a whole message waits."""
        if len(self._buffer) < 4:
            return False
        return len(self._buffer) - 4 >= int(struct.unpack_from("!I", self._buffer)[0])


def command_reader() -> FrameReader[Command]:
    """Reads what control sends."""
    return FrameReader(msgspec.msgpack.Decoder(Command))


def event_reader() -> FrameReader[Event]:
    """Reads what the media process sends."""
    return FrameReader(msgspec.msgpack.Decoder(Event))
