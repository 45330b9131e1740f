"""The real process over loopback, through control's client."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness.media_phone import PATIENCE_S, Phone
from tests.harness.media_rig import heard_in, write_clip
from tests.harness.server import own_address

from townhall.media import (
    LegRefusedError,
    MediaError,
    MediaProcess,
    MediaSettings,
    StartRecorder,
    Stats,
    client,
)
from townhall.media.framing import FramingError, encode, event_reader
from townhall.media.protocol import DigitPressed, Ready
from townhall.rtp import TelephoneEvent, build_event


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    process = MediaProcess(MediaSettings(bind_hosts=(own_address(),), rtp_ports=(0, 0), busy_share=10.0))
    await process.start()
    yield process
    await process.stop()


async def test_two_phones_talk_and_hear_each_other(media: MediaProcess) -> None:
    (a, leg_a), (b, leg_b) = await Phone.open(media), await Phone.open(media)
    for leg in (leg_a, leg_b):
        leg.set_mix("bus", hears=True, heard=True)
    talks = [asyncio.create_task(a.talk(1000)), asyncio.create_task(b.talk(2000))]
    await a.hear(heard_in("PCMU", 2000))
    await b.hear(heard_in("PCMU", 1000))
    for talk in talks:
        talk.cancel()
    for phone in (a, b):
        phone.transport.close()


async def test_play_ends_finished_stopped_or_failed(media: MediaProcess, tmp_path: Path) -> None:
    phone, leg = await Phone.open(media)
    clip = write_clip(tmp_path / "a.wav", [1000] * 800)
    async with asyncio.timeout(PATIENCE_S):
        assert await leg.play([clip]).finished() == "finished"
        await phone.hear(heard_in("PCMU", 1000))
        endless = leg.play([clip], loops=0)
        endless.stop()
        assert await endless.finished() == "stopped"
        failed = leg.play([str(tmp_path / "none.wav")])
        assert await failed.finished() == "failed"
        assert "none.wav" in failed.detail
        assert await media.play_to_bus("nobody", [clip]).finished() == "stopped"
        assert await leg.send_digits("x").finished() == "failed"
    phone.transport.close()


async def test_press_is_told_once(media: MediaProcess) -> None:
    phone, leg = await Phone.open(media)
    digits: asyncio.Queue[str] = asyncio.Queue()
    leg.on_digit = digits.put_nowait
    for key in (5, 11):
        for end in (False, False, True, True, True):
            phone.send(build_event(TelephoneEvent(key, end, 320)), 101, timestamp=8000 * key)
    async with asyncio.timeout(PATIENCE_S):
        assert [await digits.get(), await digits.get()] == ["5", "#"]
    assert digits.empty()
    phone.transport.close()


async def test_close_tells_the_legs_figures(media: MediaProcess) -> None:
    phone, leg = await Phone.open(media)
    phone.send(bytes(160))
    figures_came = asyncio.Event()
    media.on_stats = lambda stats: figures_came.set()
    await phone.wait_packet()
    async with asyncio.timeout(PATIENCE_S):
        await figures_came.wait()
    assert media.stats is not None
    assert media.stats.legs == 1
    leg.close()
    leg.close()
    figures = await leg.wait_closed(PATIENCE_S)
    assert figures is not None
    assert figures.packets_received == 1
    assert figures.packets_sent >= 1
    late = leg.play(["x.wav"])
    assert await late.finished() == "stopped"
    phone.transport.close()


async def test_phone_that_says_nothing_is_told_silent(media: MediaProcess) -> None:
    phone, leg = await Phone.open(media)
    silent = asyncio.Event()
    leg.on_silent = silent.set
    leg.set_silence_limit(0.1)
    async with asyncio.timeout(PATIENCE_S):
        await silent.wait()
    phone.transport.close()


async def test_process_that_dies_loses_its_legs_and_a_new_one_has_the_same_ports(
    media: MediaProcess, tmp_path: Path
) -> None:
    phone, leg = await Phone.open(media)
    lost: asyncio.Queue[str] = asyncio.Queue()
    leg.on_lost = lost.put_nowait
    play = leg.play([write_clip(tmp_path / "a.wav", [1000] * 8000)], loops=0)
    await phone.hear(heard_in("PCMU", 1000))
    ports, dead = media.ports, media.pid
    assert dead is not None
    os.kill(dead, signal.SIGKILL)
    async with asyncio.timeout(PATIENCE_S):
        assert "died" in await lost.get()
        assert await play.finished() == "failed"
        assert "died" in play.detail
        again, new_leg = await Phone.open(media)
        assert await new_leg.play([str(tmp_path / "a.wav")]).finished() == "finished"
    assert media.ports == ports
    assert new_leg.rtp_port in ports
    assert media.pid != dead
    assert leg.closed
    for each in (phone, again):
        each.transport.close()


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are looked at often."""
    monkeypatch.setattr(client, "LOOK_EVERY_S", 0.05)


@pytest.mark.usefixtures("impatience")
async def test_process_that_hangs_is_killed_and_loses_its_legs_and_another_starts() -> None:
    media = MediaProcess(MediaSettings(bind_hosts=(own_address(),), rtp_ports=(0, 0), busy_share=10.0))
    await media.start()
    try:
        leg, ports, hung = await media.open_leg(), media.ports, media.pid
        recorder = media.start_recorder(StartRecorder(0, "/dev/null", "leg", leg=leg.number))
        lost: asyncio.Queue[str] = asyncio.Queue()
        leg.on_lost = lost.put_nowait
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        media.hung_after_s = 0.1
        async with asyncio.timeout(PATIENCE_S):
            assert "said nothing for 0.1 s" in await lost.get()
            media.hung_after_s = client.HUNG_AFTER_S
            assert leg.closed
            assert await recorder.ended() is None
            assert "said nothing" in recorder.lost
            again = await media.open_leg()
        assert again.rtp_port in ports
        assert media.pid != hung
        with pytest.raises(ProcessLookupError):
            os.kill(hung, 0)
    finally:
        await media.stop()


@pytest.mark.usefixtures("impatience")
async def test_process_that_says_something_is_not_quiet_any_more() -> None:
    media = MediaProcess(MediaSettings(bind_hosts=(own_address(),), rtp_ports=(0, 0), busy_share=10.0))
    await media.start()
    try:
        told: asyncio.Queue[float] = asyncio.Queue()
        media.on_stats = lambda _: told.put_nowait(media.quiet_s)
        async with asyncio.timeout(PATIENCE_S):
            assert [await told.get() for _ in range(3)] == [0.0] * 3, "twenty looks are between them"
    finally:
        await media.stop()


async def test_process_stopped_for_a_while_skips_the_missed_ticks_and_counts_them(
    media: MediaProcess,
) -> None:
    phone, _ = await Phone.open(media)
    figures: asyncio.Queue[Stats] = asyncio.Queue()
    await phone.wait_packet()
    async with asyncio.timeout(PATIENCE_S):
        assert media.pid is not None
        os.kill(media.pid, signal.SIGSTOP)
        await asyncio.sleep(0.5)
        before = len(phone.packets)
        media.on_stats = figures.put_nowait
        os.kill(media.pid, signal.SIGCONT)
        while (await figures.get()).ticks_late < 20:
            pass
    numbers = [packet.sequence_number for packet in phone.packets]
    assert (numbers[-1] - numbers[0]) % 2**16 == len(numbers) - 1
    stamps = [packet.timestamp for packet in phone.packets[before - 1 : before + 1]]
    assert (stamps[1] - stamps[0]) % 2**32 >= 20 * 160, "the stream's clock went on"
    phone.transport.close()


async def test_stop_loses_open_legs_and_refuses_new_ones(media: MediaProcess) -> None:
    phone, leg = await Phone.open(media)
    lost: list[str] = []
    leg.on_lost = lost.append
    pid = media.pid
    await media.stop()
    assert lost == ["the media process was stopped"]
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(LegRefusedError):
        await media.open_leg()
    assert await media.play_to_bus("bus", []).finished() == "failed"
    phone.transport.close()


async def test_refused_leg_says_why(media: MediaProcess) -> None:
    with pytest.raises(LegRefusedError, match="IPv6"):
        await media.open_leg(ip_version=6)


async def test_process_that_cannot_bind_is_an_error() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] & ~1
        media = MediaProcess(MediaSettings(ports=(port,)))
        with pytest.raises(MediaError, match="did not start"):
            await media.start()
        await media.stop()


async def test_callback_that_fails_is_its_own_problem(
    media: MediaProcess, caplog: pytest.LogCaptureFixture
) -> None:
    phone, leg = await Phone.open(media)
    told = asyncio.Event()

    def fail(digit: str) -> None:
        told.set()
        raise ValueError(digit)

    leg.on_digit = fail
    phone.send(build_event(TelephoneEvent(1, False, 160)), 101)
    async with asyncio.timeout(PATIENCE_S):
        await told.wait()
        assert await leg.send_digits("").finished() == "finished"
    assert "callback failed" in caplog.text
    phone.transport.close()


def test_frames_are_cut_from_any_pieces() -> None:
    events = [Ready([1, 2]), DigitPressed(5, "#", "inband")]
    reader = event_reader()
    found = []
    for byte in b"".join(map(encode, events)):
        reader.feed(bytes([byte]))
        found += reader.take(10)
    assert found == events


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", b"\x00\x00\x00\x02\x81\xa0"])
def test_frame_that_is_no_message_is_an_error(data: bytes) -> None:
    reader = event_reader()
    reader.feed(data)
    with pytest.raises(FramingError):
        reader.take(1)


@pytest.mark.parametrize("there", [True, False])
async def test_process_says_whether_there_is_a_libopus_and_takes_legs_anyhow(
    tmp_path: Path, there: bool
) -> None:
    library = "" if there else str(tmp_path / "none.so")
    process = MediaProcess(MediaSettings(rtp_ports=(0, 0), busy_share=10.0, opus_library=library))
    await process.start()
    try:
        assert process.opus == there
        assert (await process.open_leg()).rtp_port
    finally:
        await process.stop()
