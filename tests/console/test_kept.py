"""What stays: attendance, lanes and log during and after a conference, and after a restart."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from tests.harness.console_house import (
    BOARD,
    CALLS,
    SID,
    TOWN,
    Book,
    Clock,
    ConsoleHouse,
    open_console_house,
)

from townhall.console.archive import MOST_FACTS, MOST_KEPT, Archive
from townhall.console.attendance import COLUMNS, cell
from townhall.console.facts import Ended, Flags, Joined, Left, Named, Opened, Spoke, Started, TookRole
from townhall.console.hall import MOST_ENDED
from townhall.console.room import Room

ANN, BEN = CALLS[:2]


def lived(house: ConsoleHouse, sid: str = SID, name: str = "Town Hall", *, ended: bool = True) -> Room:
    """A conference of a minute: Ann moderates and talks, Ben listens and goes early."""
    desk = house.console.desk
    desk.open(sid, name, 1_000)
    for fact in (
        Named(1_000, ANN, "=cmd|'/c calc'!A0", "+15550001"),
        TookRole(1_000, ANN, "moderator"),
        Joined(2_000, ANN, Flags(muted=False, starts=True, ends=True), 1),
        Joined(3_000, BEN, Flags(muted=True), 2),
        Started(3_000),
        Spoke(4_000, ANN, True),
        Spoke(9_000, ANN, False),
        Left(20_000, BEN, "participant_hung_up", 8),
        *([Ended(61_000, "participant-with-end-conference-on-exit-left", ANN)] if ended else []),
    ):
        desk.learn(sid, fact)
    return desk.hall.rooms[sid]


async def shown(house: ConsoleHouse, path: str, sid: str = SID) -> Any:
    return await (await house.operator()).read(f"/console/conferences/{sid}{path}")


async def test_timeline_has_a_lane_for_each_who_talked(house: ConsoleHouse) -> None:
    lived(house)
    told = await shown(house, "/timeline")
    assert (told["from_ms"], told["to_ms"]) == (1_000, 61_000)
    [lane] = told["lanes"]
    assert (lane["call_sid"], lane["spans"], lane["present"]) == (ANN, [[4_000, 9_000]], [[2_000, 61_000]])
    assert lane["talk_ms"] == 5_000


async def test_attendance_counts_stays_and_talk(house: ConsoleHouse) -> None:
    lived(house)
    rows = (await shown(house, "/attendance"))["rows"]
    assert [(row["call_sid"], row["stay_ms"], row["talk_ms"], row["role"]) for row in rows] == [
        (ANN, 59_000, 5_000, "moderator"),
        (BEN, 17_000, 0, "listener"),
    ]


async def test_attendance_table_runs_no_formula(house: ConsoleHouse) -> None:
    lived(house)
    browser = await house.operator()
    answer = await browser.get(f"/console/conferences/{SID}/attendance.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="attendance-1970-01-01-')
    header, first, second = csv.reader(io.StringIO(answer.text))
    assert tuple(header) == COLUMNS
    assert first[:6] == [
        "'=cmd|'/c calc'!A0", "'+15550001", "moderator", "1970-01-01T00:00:02Z", "1970-01-01T00:01:01Z", "59",
    ]  # fmt: skip
    assert second[0] == ""


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_cell_that_begins_a_formula_is_made_text(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell("Ann = 1") == "Ann = 1"


async def test_ended_conference_leaves_memory_but_stays_readable(house: ConsoleHouse) -> None:
    browser = await house.operator()
    async with house.watch(browser) as stream:
        await stream.next("snapshot")
        for number in range(MOST_ENDED + 1):
            lived(house, f"CF{number:032x}")
        assert (await stream.next("removed")).data["conference_sids"] == [f"CF{0:032x}"]
    assert f"CF{0:032x}" not in house.console.desk.hall.rooms
    await house.console.desk.archive.write()
    assert (await shown(house, "/attendance", f"CF{0:032x}"))["rows"][0]["call_sid"] == ANN
    listed = (await browser.read("/console/conferences"))["conferences"]
    assert [one["sid"] for one in listed] == [f"CF{number:032x}" for number in range(MOST_ENDED, -1, -1)]
    assert (await (await house.moderator(BOARD)).read("/console/conferences"))["conferences"] == []


PATHS = ("", f"/{SID}", f"/{SID}/timeline", f"/{SID}/attendance", f"/{SID}/log")


async def told_of(house: ConsoleHouse, path: str) -> Any:
    return await (await house.operator()).read(f"/console/conferences{path}")


async def test_restart_loses_nothing(tmp_path: Path) -> None:
    book, clock = Book(TOWN), Clock()
    async with open_console_house(tmp_path, book=book, clock=clock) as house:
        lived(house)
        before = [await told_of(house, path) for path in PATHS]
    (tmp_path / "townhall.db").unlink()
    async with open_console_house(tmp_path, book=book, clock=clock) as house:
        assert [await told_of(house, path) for path in PATHS] == before
        async with house.watch(await house.operator()) as stream:
            assert (await stream.next("snapshot")).data["ended"] == before[0]["conferences"]


async def test_journal_is_for_the_servers_user_alone(tmp_path: Path) -> None:
    archive = Archive(tmp_path / "console")
    await archive.prepare()
    archive.keep(SID, Opened(1_000, SID, "Town Hall"))
    await archive.write()
    assert modes(tmp_path) == {"console": 0o700, f"{SID}.jsonl": 0o600}


def add(file: Path, cut_short: bytes) -> None:
    file.write_bytes(file.read_bytes() + cut_short)


def modes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in directory.rglob("*")}


async def test_conference_that_the_engine_lost_meanwhile_is_ended(tmp_path: Path) -> None:
    book, clock = Book(TOWN), Clock()
    async with open_console_house(tmp_path, book=book, clock=clock) as house:
        lived(house, ended=False)
    async with open_console_house(tmp_path, book=book, clock=clock) as house:
        await house.console.look()
        told = (await shown(house, ""))["conference"]
        assert (told["state"], told["ended_by"]) == ("ended", "lost")


async def test_journal_cut_short_by_a_crash_is_read_to_there(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.keep(SID, Opened(1_000, SID, "Town Hall", ("2000",)))
    archive.keep(SID, Joined(2_000, ANN, Flags()))
    await archive.write()
    add(tmp_path / f"{SID}.jsonl", b'{"fact":"Joined","at_ms":3000,"call_s')
    [room] = await Archive(tmp_path).unfinished()
    assert [person.call_sid for person in room.roster()] == [ANN]


async def test_archive_is_bounded(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    for number in range(MOST_KEPT + 3):
        archive.keep(f"CF{number:032x}", Opened(1, f"CF{number:032x}", "x"))
    await archive.write()
    await archive.forget_old()
    assert len(modes(tmp_path)) == MOST_KEPT
    archive = Archive(tmp_path)
    for turn in range(MOST_FACTS + 5):
        archive.keep(SID, Spoke(turn, ANN, True))
    archive.keep(SID, Ended(1, "x"))
    await archive.write()
    assert len((tmp_path / f"{SID}.jsonl").read_bytes().splitlines()) == MOST_FACTS + 1


@pytest.mark.parametrize("sid", ["../../../etc/passwd", "CF1", "CF" + "g" * 32, "%2e%2e"])
async def test_name_of_no_conference_reads_no_file(house: ConsoleHouse, sid: str) -> None:
    browser = await house.operator()
    assert (await browser.client.get(f"/console/conferences/{sid}/log")).status_code == 404


async def test_recording_is_passed_on_in_ranges(house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx2

    from townhall.console import sound
    from townhall.console.facts import Recorded
    from townhall.console.remote import Remote

    content, asked = bytes(range(256)) * 10, []

    async def fake(self: Remote, sid: str, suffix: str, range_: str | None) -> httpx2.Response:
        asked.append((sid, suffix, range_))
        first, last = (int(n) for n in (range_ or "").removeprefix("bytes=").split("-"))
        if first >= len(content):
            return httpx2.Response(416, headers={"content-range": f"bytes */{len(content)}"})
        last = min(last, len(content) - 1)
        headers = {"content-range": f"bytes {first}-{last}/{len(content)}"}
        return httpx2.Response(206, headers=headers, content=content[first : last + 1])

    monkeypatch.setattr(Remote, "sound", fake)
    monkeypatch.setattr(sound, "PIECE_BYTES", 1_000)
    recording = "RE" + "1" * 32
    lived(house)
    house.console.desk.learn(SID, Recorded(5, recording, "completed", 5))
    browser = await house.operator()
    path = f"/console/conferences/{SID}/recordings/{recording}.mp3"
    whole = await browser.get(path)
    assert (whole.content, whole.headers["content-type"]) == (content, "audio/mpeg")
    assert len(asked) == 3
    part = await browser.get(path, 206, range="bytes=2000-2099")
    assert part.content == content[2000:2100]
    assert part.headers["content-range"] == "bytes 2000-2099/2560"
    await browser.get(path, 416, range="bytes=9999-")
    saved = await browser.get(f"{path}?download=1")
    assert saved.headers["content-disposition"] == f'attachment; filename="{recording}.mp3"'
    await browser.get(f"/console/conferences/{SID}/recordings/RE{'2' * 32}.mp3", 404)
