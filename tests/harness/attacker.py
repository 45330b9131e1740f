"""A stranger on the network: raw SIP and RTP from an address of his own."""

import asyncio
import random
import secrets
import socket
from dataclasses import dataclass, field
from typing import Self

from tests.harness.server import TownhallServer

from townhall.sip import Request, Response, SIPParseError, parse_message

WITHIN_S = 30.0


def description(host: str, port: int, *more: str) -> bytes:
    """An offer of PCMU at an address, anybody's."""
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP 0",
        *more,
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Bytes changed, taken out, put in and doubled."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                del changed[at : at + chance.randint(1, 30)]
            case 2:
                changed[at:at] = chance.randbytes(chance.randint(1, 20))
            case _:
                changed[at:at] = changed[at : at + 100]
    return bytes(changed)


@dataclass
class Attacker:
    """`with Attacker(server, "127.0.4.1") as stranger: ...`; datagrams wait in the kernel until asked for."""

    server: TownhallServer
    host: str
    call_id: str = field(default_factory=lambda: secrets.token_hex(8))
    tag: str = field(default_factory=lambda: secrets.token_hex(4))

    def __enter__(self) -> Self:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        for sock in self._sockets:
            sock.bind((self.host, 0))
            sock.setblocking(False)
        self.sip, self.rtp = self._sockets
        return self

    def __exit__(self, *error: object) -> None:
        for sock in self._sockets:
            sock.close()

    @property
    def rtp_port(self) -> int:
        return int(self.rtp.getsockname()[1])

    def request(
        self,
        method: str,
        user: str = "1000",
        *,
        to_tag: str = "",
        cseq: int = 1,
        body: bytes = b"",
        **own: str,
    ) -> bytes:
        """`own`: `call_id` and `tag`, where they are not the attacker's usual ones."""
        port = self.sip.getsockname()[1]
        call_id, tag = own.get("call_id", self.call_id), own.get("tag", self.tag)
        fields = [
            ("Via", f"SIP/2.0/UDP {self.host}:{port};rport;branch=z9hG4bK{secrets.token_hex(8)}"),
            ("Max-Forwards", "70"),
            ("From", f"<sip:x@{self.host}>;tag={tag}"),
            ("To", f"<sip:{user}@{self.server.address}>" + (f";tag={to_tag}" if to_tag else "")),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
            ("Contact", f"<sip:x@{self.host}:{port}>"),
            *([("Content-Type", "application/sdp")] if body else []),
        ]
        return bytes(Request(method, self.server.sip_uri(user), fields, body))

    def send(self, data: bytes) -> None:
        self.sip.sendto(data, (self.server.address, self.server.sip_port))

    async def response(self, status: int) -> Response:
        """The next response with this status; others are passed over."""
        async with asyncio.timeout(WITHIN_S):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self.sip, 65536)
                try:
                    message = parse_message(data)
                except SIPParseError:
                    continue  # the answer to nonsense repeats some of it
                if isinstance(message, Response) and message.status == status:
                    return message

    def heard(self) -> int:
        """RTP packets that came since the last look."""
        count = 0
        while True:
            try:
                self.rtp.recv(2048)
            except BlockingIOError:
                return count
            count += 1
