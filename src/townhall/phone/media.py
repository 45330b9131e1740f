"""A phone's RTP socket: one per call, plain asyncio, good for tens of calls at a time.

What it leaves out: RTCP (a port is announced and what comes there is ignored), SRTP and playout delay. The
load maker, which needs hundreds, has its own.
"""

import asyncio
import select
import struct
from collections.abc import Callable

from townhall.phone.hearing import Hearing, Samples

_HEADER = struct.Struct("!BBHII")
_CODEC_OF = {0: "PCMU", 8: "PCMA", 9: "G722"}
Address = tuple[str, int]
Decode = Callable[[str, bytes], Samples]
"""Codec (`PCMU`, `PCMA`, `G722`) and payload to samples at 8 kHz, shape (samples,)."""


class RTPSocket(asyncio.DatagramProtocol):
    """Receives into a `Hearing`. `transport` is set once the socket is open."""

    def __init__(self, hearing: Hearing, decode: Decode, clock: Callable[[], float]) -> None:
        self._hearing = hearing
        self._decode = decode
        self._clock = clock
        self.transport: asyncio.DatagramTransport | None = None
        self.strays = 0
        """Packets that were no audio of a codec we know: events, comfort noise, rubbish."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport) or hasattr(transport, "sendto")
        self.transport = transport  # type: ignore[assignment]  # Python 3.11's is no DatagramTransport by isinstance

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if len(data) < _HEADER.size or data[0] >> 6 != 2:
            self.strays += 1
            return
        first, second, sequence_number, timestamp, ssrc = _HEADER.unpack_from(data)
        codec = _CODEC_OF.get(second & 0x7F)
        start = _HEADER.size + 4 * (first & 0x0F)
        if codec is None or first & 0x30 or start >= len(data):
            self.strays += 1
            self._hearing.count(ssrc, sequence_number, self._clock())
            return
        self._hearing.take(ssrc, sequence_number, timestamp, self._decode(codec, data[start:]), self._clock())

    def error_received(self, exc: Exception) -> None:
        """ICMP says nobody listens there (yet, or any more): a phone goes on regardless."""

    @property
    def has_more(self) -> bool:
        """Whether packets have arrived that were not read yet: the loop has been busy elsewhere."""
        if self.transport is None or self.transport.is_closing():
            return False
        return bool(select.select([self.transport.get_extra_info("socket")], [], [], 0)[0])

    def send(self, packet: bytes, remote: Address) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.sendto(packet, remote)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


async def open_rtp(
    host: str, hearing: Hearing, decode: Decode, clock: Callable[[], float]
) -> tuple[RTPSocket, int]:
    """Open an RTP socket on an ephemeral port; returns it and the port."""
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: RTPSocket(hearing, decode, clock), local_addr=(host, 0)
    )
    assert protocol.transport is not None
    return protocol, int(protocol.transport.get_extra_info("sockname")[1])
