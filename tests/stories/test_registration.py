"""Phones that register: a real one (baresip), and both algorithms of digest by hand."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import Iterator

import pytest
from baresip import Account, RegistrationError, Runtime, UserAgent
from baresip import Config as BaresipConfig
from tests.harness.server import TownhallServer

ADDRESS = "127.0.0.1"
"""baresip speaks only from an address that an interface has."""
PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory = tmp_path_factory.mktemp("townhall")
    with TownhallServer(directory, sip_users=f"anna={PASSWORD}", sip_domain="townhall.test") as server:
        yield server


async def register(server: TownhallServer, password: str) -> None:
    """Register baresip as anna and take her out again; raises `RegistrationError`."""
    runtime = Runtime()
    await runtime.start(BaresipConfig(net_interface=ADDRESS, extra_config_text=f"sip_listen {ADDRESS}:0\n"))
    try:
        domain = f"{server.address}:{server.sip_port}"
        account = Account(user="anna", domain=domain, password=password, reg_interval=60)
        phone = await UserAgent.create(runtime, account)
        await phone.register()
        await phone.unregister()
    finally:
        await runtime.close()


async def test_baresip_registers_with_its_password(server: TownhallServer) -> None:
    await register(server, PASSWORD)


async def test_baresip_with_a_wrong_password_is_refused(server: TownhallServer) -> None:
    with pytest.raises(RegistrationError) as refused:
        await register(server, "wrong")
    assert refused.value.status == 401


class Wire(asyncio.DatagramProtocol):
    """A UDP socket that sends one message and waits for its answer."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[str] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.answers.put_nowait(data.decode())


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
async def test_register_with_digest_is_accepted_once_per_nonce_count(
    server: TownhallServer, algorithm: str
) -> None:
    """RFC 7616 section 3.4.1, RFC 8760: worked out here from the hashes alone."""
    loop = asyncio.get_running_loop()
    transport, wire = await loop.create_datagram_endpoint(
        Wire, (ADDRESS, 0), (server.address, server.sip_port)
    )
    try:
        port = transport.get_extra_info("sockname")[1]

        async def ask(cseq: int, extra: str = "") -> str:
            transport.sendto(message(server, port, algorithm, cseq, extra).encode())
            return await asyncio.wait_for(wire.answers.get(), 30)

        challenge = await ask(1)
        assert challenge.startswith("SIP/2.0 401 ")
        offered = re.findall(r"^WWW-Authenticate: Digest (.*)$", challenge, re.MULTILINE | re.IGNORECASE)
        line = next(line for line in offered if f"algorithm={algorithm}," in f"{line.strip()},")
        credentials = answer(line, algorithm, server, "00000001")
        accepted = await ask(2, credentials)
        assert accepted.startswith("SIP/2.0 200 "), accepted
        assert re.search(rf"^Contact: .*anna@{ADDRESS}:{port}.*expires=", accepted, re.MULTILINE)
        replayed = await ask(3, credentials)
        assert replayed.startswith("SIP/2.0 401 "), "the same answer again is a replay"
    finally:
        transport.close()


def message(server: TownhallServer, port: int, algorithm: str, cseq: int, extra: str) -> str:
    domain = f"{server.address}:{server.sip_port}"
    return (
        f"REGISTER sip:{domain} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {ADDRESS}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
        f"From: <sip:anna@{domain}>;tag={algorithm}\r\nTo: <sip:anna@{domain}>\r\n"
        f"Call-ID: {algorithm}-{port}@test\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:anna@{ADDRESS}:{port}>\r\nExpires: 60\r\n{extra}Content-Length: 0\r\n\r\n"
    )


def answer(challenge: str, algorithm: str, server: TownhallServer, nc: str) -> str:
    """An Authorization header."""
    hashed = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}[algorithm]

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
    assert fields["realm"] == "townhall.test"
    uri, cnonce = f"sip:{server.address}:{server.sip_port}", secrets.token_hex(8)
    secret, request = h(f"anna:{fields['realm']}:{PASSWORD}"), h(f"REGISTER:{uri}")
    response = h(f"{secret}:{fields['nonce']}:{nc}:{cnonce}:auth:{request}")
    opaque = f', opaque="{fields["opaque"]}"' if "opaque" in fields else ""
    return (
        f'Authorization: Digest username="anna", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
        f'uri="{uri}", response="{response}", algorithm={algorithm}, qop=auth, nc={nc}, '
        f'cnonce="{cnonce}"{opaque}\r\n'
    )
