"""Strangers against a real server, and what those who are in a call notice of it: nothing."""

import asyncio
import random
import re
import socket
from pathlib import Path

import pytest
from tests.harness.attacker import Attacker, description, mutated
from tests.harness.documents import role
from tests.harness.server import AUTH_TOKEN
from tests.harness.story import Story
from tests.harness.unnoticed import marks, nobody_noticed, two_who_talk

METHODS = ("INVITE", "REGISTER", "OPTIONS", "BYE", "CANCEL", "ACK", "UPDATE", "PRACK", "INFO")


async def test_nonsense_over_udp_tcp_and_rtp_is_not_noticed_in_a_conference(story: Story) -> None:
    await two_who_talk(story)
    before, log = marks(story), len(story.server.log)
    chance = random.Random(7)
    with Attacker(story.server, "127.0.41.1") as stranger:
        for number in range(1500):
            body = description("127.0.41.1", 4000) if number % 3 == 0 else b""
            request = stranger.request(chance.choice(METHODS), call_id=f"n{number}", user="nobody", body=body)
            stranger.send(mutated(request, chance)[:60_000])
            port = 20000 + chance.randrange(128)
            stranger.rtp.sendto(chance.randbytes(chance.randrange(600)), (story.server.address, port))
            if number % 10 == 0:
                await _over_tcp(story, mutated(request * 5, chance))
        stranger.send(stranger.request("OPTIONS", call_id="still-there"))
        assert (await stranger.response(200)).status == 200
    await nobody_noticed(story, before)
    written = story.server.log[log:]
    assert "Traceback" not in written
    assert AUTH_TOKEN not in story.server.log
    assert len(re.findall("not SIP from", written)) < 40


async def _over_tcp(story: Story, data: bytes) -> None:
    _, writer = await asyncio.open_connection(story.server.address, story.server.sip_port)
    writer.write(data)
    writer.close()


async def test_flood_of_calls_to_nobody_leaves_room_for_others(story: Story) -> None:
    await two_who_talk(story)
    before = marks(story)
    with Attacker(story.server, "127.0.41.2") as flood:
        body = description("127.0.41.2", 4000, "a=x:" + "y" * 30_000)
        for number in range(3000):
            flood.send(flood.request("INVITE", "nobody", call_id=f"flood{number}", body=body))
            if number % 20 == 0:
                await asyncio.sleep(0)  # the phones live in this loop, too
        flood.send(flood.request("OPTIONS", call_id="last"))
        await story.call("late", role("listener", story.room))
    await story.callers["late"].hang_up()
    await nobody_noticed(story, before)


async def test_answer_is_no_reason_to_send_audio_before_its_ack(story: Story) -> None:
    story.answer_anybody(role("listener", story.room))
    with Attacker(story.server, "127.0.41.3") as stranger:
        offer = description(stranger.host, stranger.rtp_port)
        stranger.send(stranger.request("INVITE", story.number, body=offer))
        first, again = await stranger.response(200), await stranger.response(200)
        assert (first.to.tag, stranger.heard()) == (again.to.tag, 0)
        tag = first.to.tag or ""
        stranger.send(stranger.request("ACK", story.number, to_tag=tag))
        async with asyncio.timeout(30):
            await asyncio.get_running_loop().sock_recv(stranger.rtp, 2048)
        stranger.send(stranger.request("BYE", story.number, to_tag=tag, cseq=2))
        assert (await stranger.response(200)).cseq.method == "BYE"


@pytest.mark.parametrize("method", ["BYE", "INVITE", "UPDATE", "INFO", "CANCEL"])
async def test_who_knows_the_call_id_but_not_the_tags_gets_481(story: Story, method: str) -> None:
    await story.call("moderator", role("moderator", story.room))
    call_id = story.callers["moderator"].call.session.call_id
    with Attacker(story.server, "127.0.41.4") as stranger:
        body = description(stranger.host, 4000) if method in ("INVITE", "UPDATE") else b""
        to_tag = "" if method == "CANCEL" else "guess"
        stranger.send(
            stranger.request(method, story.number, call_id=call_id, to_tag=to_tag, cseq=9, body=body)
        )
        assert (await stranger.response(481)).status == 481
    assert not story.callers["moderator"].call.is_over


async def test_half_messages_on_many_connections_keep_nobody_out(story: Story) -> None:
    held = []
    for number in range(150):
        sock = socket.socket()
        sock.bind((f"127.0.42.{number % 3 + 1}", 0))
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (story.server.address, story.server.sip_port))
        await asyncio.get_running_loop().sock_sendall(sock, b"INVITE sip:1000@x SIP/2.0\r\nVia: ")
        held.append(sock)
    await two_who_talk(story)
    for sock in held:
        sock.close()


def test_data_directory_is_for_the_servers_user_alone(story: Story) -> None:
    directory: Path = story.server.data_dir
    for name in ("townhall.db", "pin-guesses.json", "credentials.toml"):
        path = directory / name
        assert not path.exists() or path.stat().st_mode & 0o077 == 0, name
