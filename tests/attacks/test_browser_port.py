"""Strangers at the browsers' port: checks, handshakes, sound and rubbish that nobody asked for."""

import asyncio
import contextlib
import os
import random
import socket

from tests.harness.attacker import mutated
from tests.harness.secure_rig import BROWSER_CONTEXT, SERVER
from tests.harness.story import Story
from tests.harness.unnoticed import marks, nobody_noticed, two_who_talk

from townhall.ice import Check, new_credentials
from townhall.media.secure.dtls import Association

PORT = 20128
"""The one after the RTP ports of the tests' servers."""


async def test_flood_at_the_browsers_port_is_not_noticed_in_a_conference(story: Story) -> None:
    await two_who_talk(story)
    before, log = marks(story), len(story.server.log)
    chance = random.Random(3)
    check = Check(new_credentials(), new_credentials(), os.urandom(12), 1, nominate=True).request()
    hello = Association(BROWSER_CONTEXT, "client", SERVER.fingerprint).start()[0]
    sound = b"\x80\x6f" + os.urandom(80)
    kinds = (check, hello, sound, b"\x80\xc8" + os.urandom(60), os.urandom(1400))
    with contextlib.ExitStack() as sockets:
        strangers = [sockets.enter_context(_stranger(f"127.0.42.{number + 1}")) for number in range(20)]
        answered = 0
        for number in range(20_000):
            datagram = kinds[number % len(kinds)]
            if number % 3 == 0:
                datagram = mutated(datagram, chance)[:1400]
            strangers[number % 20].sendto(datagram or b"\0", (story.server.address, PORT))
            if number % 50 == 0:
                await asyncio.sleep(0.002)  # the phones live in this loop, too
                answered += sum(_answers(stranger) for stranger in strangers)
        await nobody_noticed(story, before)
        answered += sum(_answers(stranger) for stranger in strangers)
    assert answered > 0, "the flood has not reached the port"
    assert "Traceback" not in story.server.log[log:]


def _stranger(address: str) -> socket.socket:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind((address, 0))
    stranger.setblocking(False)
    return stranger


def _answers(stranger: socket.socket) -> int:
    """How many datagrams have come back: refusals of checks, and nothing else."""
    count = 0
    while True:
        try:
            answer = stranger.recv(2048)
        except BlockingIOError:
            return count
        assert answer[:2] == b"\x01\x11", f"{answer[:20].hex()} for a stranger"
        assert len(answer) < 80
        count += 1
