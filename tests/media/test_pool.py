"""Two real media processes behind one face: calls of one conference in both of them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest
import soundfile
from tests.harness.media_phone import PATIENCE_S, Phone
from tests.harness.media_rig import heard_in, write_clip
from tests.harness.server import own_address
from tests.harness.web_phone import WebPhone, hears

from townhall.media import (
    Leg,
    LegRefusedError,
    MediaError,
    MediaPool,
    MediaSettings,
    StartRecorder,
    Stats,
    TalkerRecorded,
    client,
)
from townhall.media.division import divided, summed
from townhall.media.protocol import Levels
from townhall.recordings import RecordingFileError, RecordingFiles, WaveFile, finish


@pytest.fixture
async def pool() -> AsyncIterator[MediaPool]:
    pool = MediaPool(MediaSettings(bind_hosts=(own_address(),), rtp_ports=(0, 0), busy_share=10.0), 2)
    await pool.start()
    yield pool
    await pool.stop()


@contextlib.asynccontextmanager
async def talking(pool: MediaPool, *levels: int) -> AsyncIterator[list[tuple[Phone, Leg]]]:
    """Phones that say a level each, one after the other in another process, all of them in one bus."""
    opened = [await Phone.open(pool) for _ in levels]
    talks = [asyncio.create_task(phone.talk(level)) for (phone, _), level in zip(opened, levels, strict=True)]
    for _, leg in opened:
        leg.set_mix("bus", hears=True, heard=True)
    try:
        yield opened
    finally:
        for talk in talks:
            talk.cancel()
        for phone, _ in opened:
            phone.transport.close()


async def hang_up(pool: MediaPool, index: int, *phones: Phone) -> None:
    """These say nothing any more to the ports of theirs, which others get once the process `index` is there
    again and has read what came last: for who gets the port would take it for his phone's.
    """
    for phone in phones:
        phone.target = phone.address
    told: asyncio.Queue[Stats] = asyncio.Queue()
    pool.on_stats = told.put_nowait
    for _ in range(2):
        before = pool.workers[index].stats
        while pool.workers[index].stats is before:
            await told.get()
    pool.on_stats = None


def mix_of(*levels: int) -> int:
    """What a phone hears of those who say these levels."""
    return heard_in("PCMU", sum(heard_in("PCMU", level) for level in levels))


async def test_four_phones_in_two_processes_hear_each_other_and_not_themselves(pool: MediaPool) -> None:
    async with talking(pool, 1000, 2000, 4000, 8000) as phones, asyncio.timeout(PATIENCE_S):
        (a, leg_a), (b, leg_b), (c, _), (d, _) = phones
        assert [process.legs for process in pool.workers] == [2, 2]
        await a.hear(mix_of(2000, 4000, 8000))
        await b.hear(mix_of(1000, 4000, 8000))
        await c.hear(mix_of(1000, 2000, 8000))
        await d.hear(mix_of(1000, 2000, 4000))
        leg_b.set_mix("bus", hears=True)  # muted
        await a.hear_now(mix_of(4000, 8000))
        await d.hear_now(mix_of(1000, 4000))
        leg_a.close()
        await b.hear_now(mix_of(4000, 8000))
        await c.hear_now(mix_of(8000))


async def test_beep_ends_once_and_its_owner_does_not_hear_it(pool: MediaPool, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "beep.wav", [4000] * 8000)
    async with talking(pool, 1000, 2000) as phones, asyncio.timeout(PATIENCE_S):
        (a, _), (b, leg_b) = phones
        await a.hear(mix_of(2000))
        await b.hear(mix_of(1000))
        play = pool.play_to_bus("bus", [clip], owner=leg_b)
        await a.hear(mix_of(2000, 4000))
        assert await play.finished() == "finished"
        assert not b.has_heard(mix_of(1000, 4000))
        assert not a.has_heard(mix_of(2000, 4000, 4000))
        endless = pool.play_to_bus("bus", [clip] * 100)
        await b.hear(mix_of(1000, 4000))
        endless.stop()
        assert await endless.finished() == "stopped"
        assert await pool.play_to_bus("bus", ["none.wav"]).finished() == "failed"
        assert await pool.play_to_bus("nobody", [clip]).finished() == "stopped"


async def test_announcement_that_has_begun_is_heard_by_the_first_who_comes_into_another_process(
    pool: MediaPool, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "long.wav", [4000] * 8000)
    async with talking(pool, 1000) as [(a, _)], asyncio.timeout(PATIENCE_S):
        play = pool.play_to_bus("bus", [clip] * 100)
        await a.hear(mix_of(4000))
        async with talking(pool, 2000) as [(b, _)]:
            assert [process.legs for process in pool.workers] == [1, 1]
            await b.hear(mix_of(1000, 4000))
            await a.hear_now(mix_of(2000, 4000))
            play.stop()
            assert await play.finished() == "stopped"
            await b.hear_now(mix_of(1000))


async def test_whisper_from_one_process_to_the_other(pool: MediaPool) -> None:
    async with talking(pool, 1000, 2000, 4000) as phones, asyncio.timeout(PATIENCE_S):
        (a, _), (b, leg_b), (c, leg_c) = phones
        leg_c.set_mix("bus", hears=True, whisper_to=leg_b)
        await a.hear_now(mix_of(2000))
        await b.hear_now(mix_of(1000, 4000))
        await c.hear_now(mix_of(1000, 2000))


async def test_levels_of_all_talkers_are_told_together(pool: MediaPool) -> None:
    told: asyncio.Queue[Levels] = asyncio.Queue()
    pool.on_levels = told.put_nowait
    async with talking(pool, 1000, 8000) as phones, asyncio.timeout(PATIENCE_S):
        pool.watch_levels("bus", True)
        quiet, loud = (leg.number for _, leg in phones)
        found: dict[int, int] = {}
        while not (set(found) == {quiet, loud} and found[loud] < found[quiet] < 127):
            levels = await told.get()
            found = dict(zip(levels.legs, levels.dbov, strict=True))
        pool.watch_levels("bus", False)
        phones[0][1].close()
        await phones[0][1].wait_closed(PATIENCE_S)  # what was on its way has come
        while not told.empty():
            told.get_nowait()
        phones[1][1].close()
        await phones[1][1].wait_closed(PATIENCE_S)
        assert told.empty()


def recorder_of(path: Path, kind: Literal["bus", "talkers", "leg"], **fields: Any) -> StartRecorder:
    return StartRecorder(0, str(path), kind, bus="bus", **fields)


def samples_of(path: Path | str) -> np.ndarray:
    """int16 `(samples, channels)`."""
    return soundfile.read(path, dtype="int16", always_2d=True)[0]


def has_written(path: Path, level: int) -> bool:
    """Whether a recorder's file has this level in it by now."""
    try:
        wave = WaveFile(path)
    except RecordingFileError:
        return False
    return bool((wave.read(0, wave.samples) == level).any())


async def test_recorders_of_a_bus_and_of_a_leg_have_the_whole(pool: MediaPool, tmp_path: Path) -> None:
    voices = [heard_in("PCMU", level) for level in (1000, 2000)]
    files = [tmp_path / name for name in ("bus.wav", "dual.wav", "leg.wav")]
    async with talking(pool, 1000, 2000, 0, 0) as phones, asyncio.timeout(PATIENCE_S):
        (_, leg_a), (_, leg_b), (c, _), (d, _) = phones
        leg = leg_b.number
        recorders = [
            pool.start_recorder(recorder_of(files[0], "bus", leg=leg_a.number)),
            pool.start_recorder(recorder_of(files[1], "bus", leg=leg, channels=2)),
            pool.start_recorder(recorder_of(files[2], "leg", leg=leg, track="inbound")),
        ]
        await c.hear_now(mix_of(1000, 2000))
        await d.hear_now(mix_of(1000, 2000))
        for recorder in recorders:
            recorder.stop()
            assert await recorder.ended() is not None
    assert (samples_of(files[0]) == sum(voices)).any()
    assert (samples_of(files[1]) == voices[::-1]).all(axis=1).any()
    assert (samples_of(files[2]) == voices[1]).any()


async def test_recorder_of_talkers_has_a_file_for_each_wherever_he_is(
    pool: MediaPool, tmp_path: Path
) -> None:
    told: list[TalkerRecorded] = []
    async with talking(pool, 1000, 2000) as phones, asyncio.timeout(PATIENCE_S):
        recorder = pool.start_recorder(recorder_of(tmp_path, "talkers"))
        recorder.on_talker = told.append
        await phones[0][0].hear_now(mix_of(2000))
        await phones[1][0].hear_now(mix_of(1000))
        recorder.stop()
        ended = await recorder.ended()
        assert ended is not None
        assert ended.outcome == "finished"
        for (_, leg), level in zip(phones, (1000, 2000), strict=True):
            [path] = [talker.path for talker in ended.talkers if talker.leg == leg.number]
            assert (samples_of(path) == heard_in("PCMU", level)).any()
    assert {event.path for event in told} == {talker.path for talker in ended.talkers}
    assert len(ended.talkers) == 2


async def test_death_of_one_process_loses_its_legs_alone_and_the_conference_goes_on(
    pool: MediaPool, tmp_path: Path
) -> None:
    lost: list[Leg] = []
    gone = asyncio.Event()

    def lose(leg: Leg) -> None:
        lost.append(leg)
        gone.set()

    async with talking(pool, 1000, 2000, 4000, 8000) as phones, asyncio.timeout(PATIENCE_S):
        (a, leg_a), (b, leg_b), (c, leg_c), (d, leg_d) = phones
        for _, leg in phones:
            leg.on_lost = lambda why, leg=leg: lose(leg)
        recorder = pool.start_recorder(recorder_of(tmp_path, "talkers"))
        await a.hear(mix_of(2000, 4000, 8000))
        os.kill(pool.pids[1], signal.SIGKILL)
        await gone.wait()
        assert lost == [leg_b, leg_d]
        await a.hear_now(mix_of(4000))
        await c.hear_now(mix_of(1000))
        await hang_up(pool, 1, b, d)
        async with talking(pool, 500) as newcomers:
            [(e, leg_e)] = newcomers
            assert leg_e.rtp_port in pool.workers[1].ports
            await e.hear(mix_of(1000, 4000))
            await a.hear_now(mix_of(4000, 500))
        recorder.stop()
        ended = await recorder.ended()
        assert ended is not None
        assert (ended.outcome, "died" in ended.detail) == ("finished", True)
        assert {talker.leg for talker in ended.talkers} == {leg.number for leg in (leg_a, leg_c, leg_e)}


async def test_recorder_of_a_bus_goes_on_in_another_process_when_its_own_dies(
    pool: MediaPool, tmp_path: Path
) -> None:
    files = RecordingFiles(tmp_path, "RE1")
    before = sum(heard_in("PCMU", level) for level in (1000, 2000, 4000))
    after = sum(heard_in("PCMU", level) for level in (2000, 8000))
    lost: asyncio.Queue[str] = asyncio.Queue()
    async with talking(pool, 1000, 2000, 4000) as phones, asyncio.timeout(PATIENCE_S):
        (a, leg_a), (b, _), (c, _) = phones
        leg_a.on_lost = lost.put_nowait
        recorder = pool.start_recorder(recorder_of(files.part, "bus"))
        assert pool.workers[0].legs == 2, "the recorder is where most legs are"
        await b.hear_now(mix_of(1000, 4000))
        while not has_written(files.part, before):
            await b.wait_packet()
        os.kill(pool.pids[0], signal.SIGKILL)
        await lost.get()
        assert not recorder.over
        await hang_up(pool, 0, a, c)
        async with talking(pool, 8000) as newcomers:
            await newcomers[0][0].hear(mix_of(2000))
            await b.hear_now(mix_of(8000))
        recorder.stop()
        ended = await recorder.ended()
        assert ended is not None
        assert (ended.outcome, "died" in ended.detail) == ("finished", True)
    [(first, _)] = files.further
    assert finish(files, trim=False).samples == ended.samples
    whole = samples_of(files.wav)
    assert (whole[:first] == before).any()
    assert (whole[first:] == after).any()


async def test_recorder_of_a_bus_ends_with_its_process_when_nobody_else_is_in_it(
    pool: MediaPool, tmp_path: Path
) -> None:
    async with talking(pool, 1000), asyncio.timeout(PATIENCE_S):
        recorder = pool.start_recorder(recorder_of(tmp_path / "bus.wav", "bus"))
        os.kill(pool.pids[0], signal.SIGKILL)
        assert await recorder.ended() is None
        assert "died" in recorder.lost


async def test_process_that_hangs_is_killed_and_its_legs_alone_are_lost(
    pool: MediaPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "LOOK_EVERY_S", 0.05)
    hanging = pool.workers[1]
    lost: asyncio.Queue[str] = asyncio.Queue()
    async with talking(pool, 1000, 2000, 4000) as phones, asyncio.timeout(PATIENCE_S):
        (a, leg_a), (_, leg_b), (c, leg_c) = phones
        leg_b.on_lost = lost.put_nowait
        await a.hear(mix_of(2000, 4000))
        hung = hanging.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        hanging.hung_after_s = 0.3
        assert "said nothing" in await lost.get()
        hanging.hung_after_s = client.HUNG_AFTER_S
        assert not leg_a.closed
        assert not leg_c.closed
        await a.hear_now(mix_of(4000))
        await c.hear_now(mix_of(1000))
        figures: asyncio.Queue[Stats] = asyncio.Queue()
        pool.on_stats = figures.put_nowait
        while not hanging.ready:
            await figures.get()
        assert hanging.pid != hung


async def test_leg_that_one_process_refuses_goes_to_the_other_and_is_refused_only_by_all() -> None:
    pool = MediaPool(MediaSettings(rtp_ports=(0, 0), busy_share=10.0, max_legs=2), 2)
    await pool.start()
    try:
        legs = [await pool.open_leg() for _ in range(4)]
        assert [process.legs for process in pool.workers] == [2, 2]
        with pytest.raises(LegRefusedError):
            await pool.open_leg()
        legs[0].close()
        legs[2].close()
        await legs[2].wait_closed(PATIENCE_S)
        assert (await pool.open_leg()).rtp_port
    finally:
        await pool.stop()
    with pytest.raises(LegRefusedError, match="not running"):
        await pool.open_leg()


async def test_browsers_in_two_processes_have_a_port_each_and_hear_each_other(pool: MediaPool) -> None:
    web = [await WebPhone.call(pool, hz) for hz in (440, 1000)]
    assert len({phone.leg.rtp_port for phone in web}) == 2
    assert [phone.leg.fingerprint for phone in web] == [each.fingerprint for each in pool.workers]
    for phone in web:
        await phone.wait_secured()
        phone.leg.set_mix("bus", hears=True, heard=True)
    await hears(web[0], 1000)
    await hears(web[1], 440)
    for phone in web:
        await phone.close()


async def test_figures_of_all_processes_are_told_together(pool: MediaPool) -> None:
    figures: asyncio.Queue[Stats] = asyncio.Queue()
    legs = [await pool.open_leg() for _ in range(3)]
    pool.on_stats = figures.put_nowait
    async with asyncio.timeout(PATIENCE_S):
        while (await figures.get()).legs != len(legs):
            pass
    assert pool.stats is not None
    assert pool.stats.legs == 3
    assert len(set(pool.pids)) == 2
    assert len(set(pool.ports)) == sum(len(process.ports) for process in pool.workers)


def figures_of(**fields: Any) -> Stats:
    return Stats(1, 50, 1.0, 2.0, 3.0, 4, 5, 6, 7, 8, 9.0, **fields)


def test_figures_are_sums_times_those_of_the_slowest() -> None:
    slow = msgspec.structs.replace(figures_of(tick_counts=[1, 2]), tick_p99_ms=15.0)
    together = summed([figures_of(refusal="full", tick_counts=[10, 20]), slow])
    assert together == Stats(
        2, 100, 1.0, 15.0, 3.0, 8, 10, 12, 14, 16, 18.0, tick_counts=[11, 22], processes=2
    )
    none_takes_any = summed([figures_of(refusal="full"), figures_of(refusal="busy")])
    assert none_takes_any is not None
    assert none_takes_any.refusal == "full"
    assert summed([]) is None


def test_ports_are_divided_among_the_processes() -> None:
    shares = divided(MediaSettings(rtp_ports=(20000, 20063), ice_port=20064), 3)
    assert [share.rtp_ports for share in shares] == [(20000, 20019), (20020, 20041), (20042, 20063)]
    assert [share.ice_port for share in shares] == [20064, 20065, 20066]
    assert [(share.worker, share.workers) for share in shares] == [(0, 3), (1, 3), (2, 3)]
    free = divided(MediaSettings(rtp_ports=(0, 0), ice_port=None), 2)
    assert {(share.rtp_ports, share.ice_port) for share in free} == {((0, 0), None)}
    with pytest.raises(MediaError, match="TOWNHALL_RTP_PORTS"):
        divided(MediaSettings(rtp_ports=(20000, 20003)), 3)


async def test_pool_of_which_one_process_cannot_start_leaves_none_behind(tmp_path: Path) -> None:
    pool = MediaPool(MediaSettings(rtp_ports=(0, 0), certificate=str(tmp_path / "none" / "a.pem")), 2)
    with pytest.raises(MediaError, match="did not start"):
        await pool.start()
    assert pool.pids == []
    await pool.stop()
