"""`go_out` makes one call and tells of it; what it calls here is a user agent that answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from townhall.audio import sine, write_wav
from townhall.phone import Outing, PhoneError, PhoneSettings, go_out
from townhall.phone.hearing import RATE, Hearing
from townhall.phone.listening import is_tone
from townhall.phone.media import open_rtp
from townhall.phone.negotiation import PhoneAudio
from townhall.phone.outing import steps_of
from townhall.phone.payload import PayloadCoder
from townhall.signalling import IncomingInvite, Session, UserAgent, UserAgentSettings

HOST = "127.0.0.1"


class Callee:
    """Answers every call, or refuses it with `refuse`; keeps what it hears and says nothing."""

    def __init__(self) -> None:
        self.refuse: int | None = None
        self.session: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self.agent = UserAgent(UserAgentSettings(bind_hosts=[HOST], port=0), self._take)
        self.hearing = Hearing(asyncio.get_running_loop().time())
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def uri(self) -> str:
        return f"sip:1000@{HOST}:{self.agent.addresses[0][2]}"

    async def start(self) -> None:
        clock = asyncio.get_running_loop().time
        self._socket, self._port = await open_rtp(HOST, self.hearing, PayloadCoder().decode, clock)
        await self.agent.start()

    async def stop(self) -> None:
        await self.agent.stop()
        self._socket.close()

    def _take(self, invite: IncomingInvite) -> None:
        if self.refuse is not None:
            return invite.reject(self.refuse)
        task = asyncio.create_task(self._answer(invite))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, invite: IncomingInvite) -> None:
        assert invite.offer is not None
        await invite.answer(PhoneAudio(PhoneSettings(host=HOST), self._port).answer(invite.offer))
        self.session.set_result(invite.session)


@pytest.fixture
async def callee() -> AsyncIterator[Callee]:
    callee = Callee()
    await callee.start()
    yield callee
    await callee.stop()


async def test_call_that_is_refused_is_told_and_has_status_1(callee: Callee) -> None:
    callee.refuse = 404
    told: list[str] = []
    assert await go_out(Outing(callee.uri), told.append) == 1
    assert told == [f"calling {callee.uri} over UDP", "not answered: 404 Not Found"]


async def test_call_says_its_file_and_tells_how_it_went(callee: Callee, tmp_path: Path) -> None:
    speech, heard = tmp_path / "speech.wav", tmp_path / "heard.wav"
    speech.write_bytes(write_wav(sine(900.0, 0.5), RATE))
    told: list[str] = []
    outing = Outing(callee.uri, play=speech, record=heard)
    async with asyncio.TaskGroup() as group:
        going = group.create_task(go_out(outing, told.append))
        session = await callee.session
        async with asyncio.timeout(30):
            while f"played {speech}" not in told:  # noqa: ASYNC110  (a list tells nobody)
                await asyncio.sleep(0.02)
        await session.hang_up()
    assert going.result() == 0
    said = callee.hearing.samples
    assert any(is_tone(said[at : at + 1600], 900.0) for at in range(0, len(said) - 1600, 400))
    assert told[1].startswith("answered after ")
    assert told[1].endswith("PCMU, 20 ms packets, keys as RFC 4733")
    assert told[2:5] == [f"playing {speech}", f"played {speech}", "the other side hung up"]
    assert told[5].startswith("sent ")
    assert told[6].endswith(f" to {heard}")
    assert heard.stat().st_size >= 44


async def test_reason_of_the_other_side_is_told(callee: Callee) -> None:
    told: list[str] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(go_out(Outing(callee.uri), told.append))
        await (await callee.session).hang_up('SIP;cause=503;text="Media lost"')
    assert "the other side hung up: 503 Media lost" in told


async def test_time_over_hangs_up(callee: Callee) -> None:
    told: list[str] = []
    assert await go_out(Outing(callee.uri, seconds=0.1), told.append) == 0
    assert "hanging up after 0.1 s" in told
    assert (await (await callee.session).wait_ended()).cause == "bye"


async def test_cancelling_hangs_up(callee: Callee) -> None:
    told: list[str] = []
    going = asyncio.create_task(go_out(Outing(callee.uri), told.append))
    session = await callee.session
    async with asyncio.timeout(30):
        while not any(line.startswith("answered") for line in told):  # noqa: ASYNC110  (a list tells nobody)
            await asyncio.sleep(0.01)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert (await session.wait_ended()).cause == "bye"
    assert "hanging up" in told


async def test_file_that_cannot_be_played_is_refused_before_the_call(callee: Callee, tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(PhoneError, match=r"missing\.wav cannot be played"):
        await go_out(Outing(callee.uri, play=tmp_path / "missing.wav"), told.append)
    assert told == []


@pytest.mark.parametrize(
    ("sequence", "steps"),
    [
        ("", []),
        ("3", ["3"]),
        ("1w2", ["1", "w", "2"]),
        ("@2.5 12-34#", ["@2.5", *"1234#"]),
        ("A,W*", list("AW*")),
    ],
)
def test_press_sequence_is_taken_apart(sequence: str, steps: list[str]) -> None:
    assert steps_of(sequence) == steps


@pytest.mark.parametrize("sequence", ["x", "1 2 three", "@", "1;2"])
def test_press_sequence_that_makes_no_sense_is_refused(sequence: str) -> None:
    with pytest.raises(PhoneError, match="expected keys"):
        Outing("sip:1000@127.0.0.1", press=sequence)
