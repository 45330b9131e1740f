"""Opening and closing: files, rights, other processes, and URLs that cannot be used."""

import asyncio
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from townhall.store import CallRecord, Line, Number, Store, StoreError

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
CALL = CallRecord("CA1", "AC1", "sip:ann@example.com", "1000", "inbound", "ringing", NOW)


async def test_new_database_is_for_its_owner_only(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = await Store.open(f"sqlite:///{tmp_path}/new/townhall.db")
        await store.lines.ensure_default()
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()}
        await store.close()
    finally:
        os.umask(before)
    assert modes["townhall.db"] == 0o600
    assert set(modes.values()) == {0o600}


async def test_close_writes_what_is_queued(url: str) -> None:
    store = await Store.open(url)
    for number in range(200):
        store.calls.started(replace(CALL, sid=f"CA{number}"))
    await store.close()
    store = await Store.open(url)
    assert len(await store.calls.list(limit=1000)) == 200
    await store.close()


async def test_write_after_close_fails_and_says_so(url: str) -> None:
    store = await Store.open(url)
    await store.close()
    with pytest.raises(StoreError, match="call CA1 is not written: the store is closed"):
        await store.calls.started(CALL)


async def test_server_sees_what_the_command_line_changes_once_its_memory_has_faded(
    store: Store, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command_line = await Store.open(url)
    await command_line.numbers.add(Number("2000", "http://127.0.0.1/a"))
    await command_line.lines.add(Line("3000", "Other"))
    number, line = await store.numbers.get("2000"), await store.lines.get("3000")
    assert number is not None
    assert line is not None
    await command_line.numbers.change("2000", voice_url="http://127.0.0.1/b")
    assert await store.numbers.get("2000") == number  # for a second
    monkeypatch.setattr("townhall.store.remembered.LIFETIME_S", 0.0)
    changed = await store.numbers.get("2000")
    assert changed is not None
    assert changed.voice_url == "http://127.0.0.1/b"
    await command_line.close()


async def test_reads_go_on_while_another_process_writes(store: Store, url: str) -> None:
    await store.calls.started(CALL)
    other = await Store.open(url)
    inside, finish = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(_: object) -> None:
        loop.call_soon_threadsafe(inside.set)
        asyncio.run_coroutine_threadsafe(finish.wait(), loop).result(10)

    slow_write = other._writer.submit("a slow write", slow)
    await inside.wait()
    waiting = store.calls.answered("CA1", NOW)
    assert await store.calls.get("CA1") == CALL
    assert not waiting.done()
    finish.set()
    await asyncio.gather(slow_write, waiting)
    assert (await store.calls.list())[0].status == "in-progress"
    await other.close()


async def test_command_line_leaves_live_calls_alone(store: Store, url: str) -> None:
    await store.calls.started(CALL)
    await (await Store.open(url)).close()
    assert await store.calls.get("CA1") == CALL


async def test_cancelled_read_harms_no_other(store: Store) -> None:
    await store.calls.started(CALL)
    for _ in range(20):
        reading = asyncio.create_task(store.calls.get("CA1"))
        await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert await store.calls.get("CA1") == CALL


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rubbish", "no database URL"),
        ("sqlite://", "needs a SQLite file"),
        ("sqlite:///:memory:", "needs a SQLite file"),
        ("mysql://root@localhost/calls", "'mysql' is no database for the store"),
        ("sqlite:////dev/null/townhall.db", "cannot open the database /dev/null/townhall.db"),
        ("postgresql://ann:secret@127.0.0.1:1/calls", "cannot use the database postgresql://ann:\\*\\*\\*@"),
    ],
)
async def test_unusable_url_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        await Store.open(url)
    assert "secret" not in str(caught.value)


async def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Ann, " * 500)
    with pytest.raises(StoreError, match="file is not a database"):
        await Store.open(f"sqlite:///{file}")
    assert file.read_text() == "Dear Ann, " * 500
