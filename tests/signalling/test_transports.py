"""The sockets: framing, limits, noise, both IP versions."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from townhall.signalling import IncomingInvite, UserAgent, UserAgentSettings
from townhall.signalling.complaints import MOST_AN_INTERVAL
from townhall.sip import Request, Response, StreamParser, parse_message
from townhall.sip.digest import answer_challenges

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


@pytest.fixture
async def agents() -> AsyncIterator[list[UserAgent]]:
    started: list[UserAgent] = []
    yield started
    for agent in started:
        await agent.stop()


async def start(agents: list[UserAgent], **settings: object) -> UserAgent:
    agent = UserAgent(
        UserAgentSettings(port=0, **settings),  # type: ignore[arg-type]
        lambda invite: invite.reject(486),
    )
    await agent.start()
    agents.append(agent)
    return agent


def request(method: str, call_id: str, transport: str = "TCP", *headers: tuple[str, str]) -> bytes:
    fields = [
        ("Via", f"SIP/2.0/{transport} 127.0.0.1:9;rport;branch=z9hG4bK{call_id}{method}"),
        ("Max-Forwards", "70"),
        ("From", "<sip:alice@127.0.0.1>;tag=a"),
        ("To", "<sip:alice@127.0.0.1>"),
        ("Call-ID", call_id),
        ("CSeq", f"1 {method}"),
        *headers,
    ]
    return bytes(Request(method, "sip:1000@127.0.0.1", fields))


class TCPPeer:
    """A bare TCP client that reads messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._parser = StreamParser()
        self._messages: list[Response] = []

    @classmethod
    async def connect(cls, agent: UserAgent) -> "TCPPeer":
        _, host, port = next(address for address in agent.addresses if address[0] == "tcp")
        return cls(*await asyncio.open_connection(host, port))

    async def response(self) -> Response:
        while not self._messages:
            data = await self.reader.read(65536)
            assert data, "the connection was closed"
            self._messages += [e for e in self._parser.receive_data(data) if isinstance(e, Response)]
        return self._messages.pop(0)

    async def closed(self) -> bool:
        while await self.reader.read(65536):
            pass
        return True

    def close(self) -> None:
        self.writer.close()


class UDPPeer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received.put_nowait(data)

    async def response(self) -> Response:
        message = parse_message(await self.received.get())
        assert isinstance(message, Response)
        return message


async def udp_peer(agent: UserAgent) -> tuple[asyncio.DatagramTransport, UDPPeer]:
    _, host, port = next(address for address in agent.addresses if address[0] == "udp")
    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(UDPPeer, remote_addr=(host, port))
    return transport, peer  # type: ignore[return-value]


async def test_udp_and_tcp_share_one_port_on_every_host(agents: list[UserAgent]) -> None:
    agent = await start(agents, bind_hosts=["127.0.0.1", "::1"])
    assert {(kind, host) for kind, host, _ in agent.addresses} == {
        ("udp", "127.0.0.1"),
        ("tcp", "127.0.0.1"),
        ("udp", "::1"),
        ("tcp", "::1"),
    }
    assert len({port for _, _, port in agent.addresses}) == 1


async def test_port_in_use_stops_the_start(agents: list[UserAgent]) -> None:
    first = await start(agents)
    second = UserAgent(UserAgentSettings(port=first.addresses[0][2]), lambda invite: None)
    with pytest.raises(OSError, match=r"[Aa]ddress"):
        await second.start()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0", "::"])
async def test_call_reaches_us_at_an_address_that_is_no_wildcard(
    agents: list[UserAgent], host: str, transport: str
) -> None:
    invites: asyncio.Queue[IncomingInvite] = asyncio.Queue()
    desk = UserAgent(UserAgentSettings(bind_hosts=[host], port=0), invites.put_nowait)
    await desk.start()
    agents.append(desk)
    phone = await start(agents, bind_hosts=[host])
    loopback = "::1" if ":" in host else "127.0.0.1"
    target = f"sip:1000@{f'[{loopback}]' if ':' in host else loopback}:{desk.addresses[0][2]}"
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(target, "sip:a@b", SDP, transport=transport))
        invite = await invites.get()
        await invite.answer(SDP)
    assert invite.local_address == loopback
    assert invite.source[0] == loopback
    session = calling.result()
    assert loopback in session.remote_target
    await invite.session.hang_up()
    assert (await session.wait_ended()).cause == "bye"


async def test_messages_cut_and_joined_on_a_stream_are_answered_in_order(agents: list[UserAgent]) -> None:
    peer = await TCPPeer.connect(await start(agents))
    data = request("OPTIONS", "one") + b"\r\n" + request("OPTIONS", "two") + request("OPTIONS", "three")
    for cut in (10, 300, 301, len(data)):
        peer.writer.write(data[:cut])
        data = data[cut:]
        await peer.writer.drain()
    peer.writer.write(data)
    assert [(await peer.response()).call_id for _ in range(3)] == ["one", "two", "three"]
    peer.close()


async def test_keep_alive_on_a_stream_is_answered(agents: list[UserAgent]) -> None:
    peer = await TCPPeer.connect(await start(agents))
    peer.writer.write(b"\r\n\r\n")
    assert await peer.reader.readexactly(2) == b"\r\n"
    peer.close()


async def test_keep_alive_in_a_datagram_is_not_answered(agents: list[UserAgent]) -> None:
    transport, peer = await udp_peer(await start(agents))
    for data in (b"\r\n\r\n", b"\0\0\0\0", b""):
        transport.sendto(data)
    transport.sendto(request("OPTIONS", "after", "UDP"))
    assert (await peer.response()).call_id == "after"
    transport.close()


async def test_stream_that_is_not_sip_is_closed(agents: list[UserAgent]) -> None:
    peer = await TCPPeer.connect(await start(agents))
    peer.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await peer.closed()
    peer.close()


async def test_noise_is_logged_once_and_hurts_nobody(
    agents: list[UserAgent], caplog: pytest.LogCaptureFixture
) -> None:
    transport, peer = await udp_peer(await start(agents))
    for noise in (
        b"\xff" * 100,
        b"INVITE\r\n\r\n",
        b"SIP/2.0 999 x\r\n\r\n",
        b"INVITE sip:x SIP/2.0\r\nVia: ,\r\n\r\n",
    ):
        transport.sendto(noise)
    transport.sendto(request("OPTIONS", "after", "UDP"))
    assert (await peer.response()).call_id == "after"
    assert len([record for record in caplog.records if "not SIP" in record.message]) == 1
    transport.close()


async def test_malformed_request_is_answered_400(agents: list[UserAgent]) -> None:
    transport, peer = await udp_peer(await start(agents))
    transport.sendto(request("OPTIONS", "bad", "UDP").replace(b"Max-Forwards: 70", b"Max-Forwards: many"))
    assert (await peer.response()).status == 400
    transport.close()


async def test_noise_from_many_sources_is_logged_a_few_times(
    agents: list[UserAgent], caplog: pytest.LogCaptureFixture
) -> None:
    agent = await start(agents)
    _, host, port = next(address for address in agent.addresses if address[0] == "udp")
    for number in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
            source.bind((f"127.0.7.{number + 1}", 0))
            source.sendto(b"noise", (host, port))
    transport, peer = await udp_peer(agent)
    transport.sendto(request("OPTIONS", "after", "UDP"))
    assert (await peer.response()).call_id == "after"
    complaints = [record for record in caplog.records if "not SIP" in record.message]
    assert len(complaints) == MOST_AN_INTERVAL
    transport.close()


async def test_many_pings_at_once_are_answered_once(agents: list[UserAgent]) -> None:
    peer = await TCPPeer.connect(await start(agents))
    peer.writer.write(b"\r\n\r\n" * 100 + request("OPTIONS", "after"))
    assert (await peer.reader.readuntil(b"SIP")).count(b"\r\n") <= 2
    peer.close()


@pytest.mark.parametrize("begun", [b"", b"OPT", b"OPTIONS sip:a SIP/2.0\r\nX: y\r\n", b"body"])
async def test_connection_without_a_whole_message_is_closed_in_time(
    agents: list[UserAgent], begun: bytes
) -> None:
    if begun == b"body":
        begun = request("OPTIONS", "x", "TCP", ("Content-Type", "a/b")).replace(
            b"Content-Length: 0", b"Content-Length: 9"
        )
    agent = await start(agents, message_timeout_s=0.1)
    peer = await TCPPeer.connect(agent)
    peer.writer.write(begun)
    with suppress(ConnectionResetError):
        assert await peer.closed()
    peer.close()


async def test_connection_stays_open_between_messages(agents: list[UserAgent]) -> None:
    peer = await TCPPeer.connect(await start(agents, message_timeout_s=1.0))
    peer.writer.write(request("OPTIONS", "one"))
    assert (await peer.response()).call_id == "one"
    other = await TCPPeer.connect(agents[0])
    with suppress(ConnectionResetError):
        assert await other.closed()  # so time enough has passed
    other.close()
    peer.writer.write(request("OPTIONS", "two"))
    assert (await peer.response()).call_id == "two"
    peer.close()


async def test_message_is_read_although_its_sender_is_gone_at_once(agents: list[UserAgent]) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    agent = UserAgent(UserAgentSettings(port=0), lambda invite: heard.put_nowait(invite.call_id))
    await agent.start()
    agents.append(agent)
    peer = await TCPPeer.connect(agent)
    peer.writer.write(request("INVITE", "brief", "TCP", ("Contact", "<sip:a@127.0.0.1>")))
    peer.close()
    assert await heard.get() == "brief"


async def test_few_sources_leave_connections_for_the_others(agents: list[UserAgent]) -> None:
    agent = await start(agents, max_connections=6)
    _, host, port = next(address for address in agent.addresses if address[0] == "tcp")

    async def serves(source: str, call_id: str) -> bool:
        reader, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
        peer = TCPPeer(reader, writer)
        held.append(peer)
        writer.write(request("OPTIONS", call_id))
        try:
            return (await peer.response()).status == 200
        except (AssertionError, ConnectionResetError):
            return False

    held: list[TCPPeer] = []
    greedy = [await serves("127.0.7.1", f"g{number}") for number in range(6)]
    assert greedy == [True] * 4 + [False] * 2
    assert await serves("127.0.7.2", "other")
    for peer in held:
        peer.close()


async def test_connections_of_one_source_are_bounded(agents: list[UserAgent]) -> None:
    agent = await start(agents, max_connections_per_source=2)
    peers = [await TCPPeer.connect(agent) for _ in range(2)]
    for number, peer in enumerate(peers):
        peer.writer.write(request("OPTIONS", f"c{number}"))
        assert (await peer.response()).status == 200
    extra = await TCPPeer.connect(agent)
    with suppress(ConnectionResetError):  # refused with a reset: as good
        assert await extra.closed()
    for peer in [*peers, extra]:
        peer.close()


async def test_peer_that_does_not_read_loses_its_connection(agents: list[UserAgent]) -> None:
    agent = await start(agents, max_transactions=1_000_000)
    _, host, port = next(address for address in agent.addresses if address[0] == "tcp")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, (host, port))

    async def send_without_reading() -> None:
        for number in range(100_000):
            await loop.sock_sendall(sock, request("OPTIONS", f"n{number}"))

    with pytest.raises(ConnectionError):
        await send_without_reading()
    sock.close()


async def test_phone_registers_with_its_password_and_is_found(agents: list[UserAgent]) -> None:
    async def password(username: str) -> str | None:
        return {"alice": "wonder"}.get(username)

    agent = await start(agents, credentials=password)
    transport, peer = await udp_peer(agent)
    contact = ("Contact", "<sip:alice@127.0.0.1:4444>")
    transport.sendto(request("REGISTER", "r1", "UDP", contact))
    challenge = await peer.response()
    assert challenge.status == 401
    answer = answer_challenges(
        challenge.headers.get_all("WWW-Authenticate"),
        username="alice",
        password="wonder",
        method="REGISTER",
        uri="sip:1000@127.0.0.1",
    )
    transport.sendto(request("REGISTER", "r2", "UDP", contact, ("Authorization", str(answer))))
    assert (await peer.response()).status == 200
    (binding,) = agent.registrar.bindings("sip:alice@127.0.0.1")
    assert str(binding.uri) == "sip:alice@127.0.0.1:4444"
    transport.close()


async def test_registration_is_forbidden_without_a_credential_store(agents: list[UserAgent]) -> None:
    transport, peer = await udp_peer(await start(agents))
    transport.sendto(request("REGISTER", "r1", "UDP"))
    assert (await peer.response()).status == 403
    transport.close()


async def test_credential_store_that_fails_is_answered_500(agents: list[UserAgent]) -> None:
    def broken(username: str) -> str | None:
        raise RuntimeError("the database is gone")

    agent = await start(agents, credentials=broken)
    transport, peer = await udp_peer(agent)
    authorization = 'Digest username="a", realm="townhall", nonce="n", uri="sip:x", response="r"'
    transport.sendto(request("REGISTER", "r1", "UDP", ("Authorization", authorization)))
    assert (await peer.response()).status == 500
    transport.close()
