"""A phone of bare packets that talks to a leg of the real media process."""

import asyncio
from typing import Self

import numpy as np

from townhall.audio.g711 import encode_ulaw
from townhall.media import Leg, Media
from townhall.rtp import RTPPacket, build_packet, parse_packet

PATIENCE_S = 60.0


class Phone(asyncio.DatagramProtocol):
    """A socket that collects RTP."""

    def __init__(self) -> None:
        self.packets: list[RTPPacket] = []
        self.more = asyncio.Event()
        self.transport: asyncio.DatagramTransport
        self.number = 0

    @classmethod
    async def open(cls, media: Media) -> tuple[Self, Leg]:
        loop = asyncio.get_running_loop()
        transport, phone = await loop.create_datagram_endpoint(cls, local_addr=("127.0.0.1", 0))
        phone.transport = transport
        leg = await media.open_leg(phone.address)
        leg.connect(codec="PCMU", payload_type=0, remote=phone.address, telephone_event=101)
        phone.target = (leg.host, leg.rtp_port)
        await phone.wait_packet()  # from now on the leg knows who speaks to it: before, packets are nobody's
        return phone, leg

    @property
    def address(self) -> tuple[str, int]:
        return self.transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: tuple) -> None:
        self.packets.append(parse_packet(data))
        self.more.set()

    async def wait_packet(self) -> None:
        """The next packet from now on."""
        self.more.clear()
        async with asyncio.timeout(PATIENCE_S):
            await self.more.wait()

    def send(self, payload: bytes, payload_type: int = 0, timestamp: int | None = None) -> None:
        self.number += 1
        stamp = self.number * 160 if timestamp is None else timestamp
        self.transport.sendto(
            build_packet(RTPPacket(payload_type, self.number, stamp, 7, payload)), self.target
        )

    async def talk(self, level: int) -> None:
        """Say a level until cancelled, in as many packets as time has passed for: what is missing is
        concealed, and so is the beginning of what follows it.
        """
        loop, said = asyncio.get_running_loop(), encode_ulaw(np.full(160, level, np.int16)).tobytes()
        due = loop.time()
        while True:
            self.send(said)
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def has_heard(self, level: int) -> bool:
        """Whether a packet has nothing but this level."""
        wanted = encode_ulaw(np.full(160, level, np.int16)).tobytes()
        return any(packet.payload == wanted for packet in self.packets)

    async def hear(self, level: int) -> None:
        """Wait until a packet has nothing but this level."""
        while not self.has_heard(level):
            await self.wait_packet()

    async def hear_now(self, level: int) -> None:
        """The same, of the packets from now on."""
        self.packets.clear()
        await self.hear(level)
