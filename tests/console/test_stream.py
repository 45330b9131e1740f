"""The live stream: a snapshot, then what happens; resumed after a drop, bounded, only what one may see."""

import asyncio
from pathlib import Path

from tests.harness.console_house import BOARD, TOWN, ConsoleHouse

from townhall.console.door import TOKEN_HEADER
from townhall.console.facts import Flags, Joined, Noted
from townhall.console.feed import MOST_BYTES, MOST_FRAMES, Feed
from townhall.console.sessions import LASTS_MS
from townhall.console.stream import MOST_OF_SESSION


async def test_snapshot_first_then_who_comes_and_goes(house: ConsoleHouse) -> None:
    await house.join(TOWN, "moderator", "+15550001")
    browser = await house.moderator()
    async with house.watch(browser) as stream:
        first = await stream.next()
        assert first.name == "snapshot"
        [conference] = first.data["conferences"]
        assert (conference["name"], conference["state"], conference["waiting_for"]) == (
            "Town Hall", "waiting", "others",
        )  # fmt: skip
        assert [one["number"] for one in conference["participants"]] == ["+15550001"]
        speaker = await house.join(TOWN, "speaker", "+15550002")
        rows = (await stream.next("participants")).data["participants"]
        assert speaker.sid in {row["call_sid"] for row in rows}
        await house.house.end(speaker)
        await house.deliver()
        assert (await stream.next("left")).data["call_sids"] == [speaker.sid]


async def test_every_event_has_its_place_in_the_contract(house: ConsoleHouse) -> None:
    """One conference from first to last, and no event but those that are written down."""
    browser = await house.moderator()
    async with house.watch(browser) as stream:
        host = await house.join(TOWN, "moderator", "+15550001")
        await house.join(TOWN, "speaker", "+15550002")
        assert (await stream.next("snapshot")).id
        sid = house.sid(TOWN)
        while sid not in house.house.media.watched:  # noqa: ASYNC110
            await asyncio.sleep(0)
        house.house.is_loud("Town Hall", **{host.sid: 31})
        levels = await stream.next("levels")
        assert (levels.data["conference_sid"], levels.data["levels"], levels.id) == (
            sid,
            {host.sid: -31.0},
            "",
        )
        await browser.act(sid, "record")
        recording = (await stream.next("recording")).data["recording"]
        assert (recording["status"], recording["duration_ms"]) == ("in-progress", None)
        await browser.act(sid, "end")
        while True:
            told = (await stream.next("conference")).data["conference"]
            if told["state"] == "ended":
                break
        assert told["ended_by"] == "conference-ended-via-api"


async def test_actions_reach_every_moderator_with_who_did_it(house: ConsoleHouse) -> None:
    await house.join(TOWN, "moderator", "+15550001")
    speaker = await house.join(TOWN, "speaker", "+15550002")
    mia, olga = await house.moderator(), await house.operator()
    async with house.watch(mia) as first, house.watch(olga) as second:
        await first.next("snapshot")
        await second.next("snapshot")
        await olga.act(house.sid(TOWN), "mute", call_sids=[speaker.sid])
        for stream in (first, second):
            entry = (await stream.next("entries")).data["entries"][-1]
            assert (entry["kind"], entry["action"], entry["by"]) == ("action", "mute", "Olga")
            assert entry["text"] == "Olga muted +15550002"


async def test_moderator_is_sent_nothing_of_another_line(house: ConsoleHouse) -> None:
    await house.join(BOARD, "moderator", "+15550007")
    bob = await house.moderator(BOARD, "Bob")
    async with house.watch(bob) as stream:
        assert [one["name"] for one in (await stream.next("snapshot")).data["conferences"]] == ["Board"]
        await house.join(TOWN, "moderator", "+15550001")
        await house.join(TOWN, "speaker", "+15550002")
        house.house.is_loud("Town Hall", **{})
        await house.join(BOARD, "speaker", "+15550008")
        board = house.sid(BOARD)
        while True:
            event = await stream.next()
            about = event.data.get("conference", {}).get("sid") or event.data.get("conference_sid")
            assert about in (board, None)
            if event.name == "participants" and "+15550008" in str(event.data):
                break


async def test_dropped_stream_goes_on_where_it_was(house: ConsoleHouse) -> None:
    await house.join(TOWN, "moderator", "+15550001")
    browser = await house.moderator()
    async with house.watch(browser) as stream:
        seen = (await stream.next("snapshot")).id
    await house.join(TOWN, "speaker", "+15550002")
    house.console.desk.flush()
    async with house.watch(browser, seen) as stream:
        event = await stream.next()
        assert event.name == "conference"
        assert event.data["conference"]["state"] == "live"


async def test_stream_that_was_away_too_long_gets_a_snapshot(house: ConsoleHouse) -> None:
    call = await house.join(TOWN, "moderator", "+15550001")
    browser, desk = await house.moderator(), house.console.desk
    async with house.watch(browser) as stream:
        seen = (await stream.next("snapshot")).id
    for turn in range(MOST_FRAMES + 1):
        desk.learn(house.sid(TOWN), Noted(turn, "fault", "again"))
        desk.flush_into_feed()
    for last in (seen, "other-1", "x", "1-1-1", "９-９", f"{desk.feed.epoch}-99999999"):
        async with house.watch(browser, last) as stream:
            event = await stream.next()
            assert (event.name, len(event.data["conferences"][0]["entries"])) == ("snapshot", 200)
    assert call.sid in str(event.data)


async def test_slow_browser_gets_a_snapshot_and_costs_no_memory(house: ConsoleHouse) -> None:
    await house.join(TOWN, "moderator", "+15550001")
    browser, desk = await house.moderator(), house.console.desk
    async with house.watch(browser) as stream:
        await stream.next("snapshot")
        stream.room_for.clear()
        desk.learn(house.sid(TOWN), Noted(1, "fault", "the one it is stuck with"))
        desk.flush()
        await asyncio.sleep(0)
        for turn in range(MOST_FRAMES + 10):
            desk.learn(house.sid(TOWN), Noted(turn, "fault", "again"))
            desk.flush()
        stream.room_for.set()
        while True:
            event = await stream.next()
            if event.name == "snapshot":
                break
        assert event.id == desk.feed.id_of(desk.feed.newest)


async def test_sign_out_and_expiry_end_the_stream(house: ConsoleHouse) -> None:
    browser = await house.operator()
    async with house.watch(browser) as stream:
        await stream.next("snapshot")
        headers = {**browser.headers, TOKEN_HEADER: browser.token}
        await browser.client.post("/console/sign-out", headers=headers)
        assert [(event.name, event.data["reason"]) for event in await stream.rest()] == [
            ("signed-out", "signed-out")
        ]
    other = await house.operator()
    async with house.watch(other) as stream:
        await stream.next("snapshot")
        house.clock.now += LASTS_MS / 1000
        house.console.desk.wake()
        assert (await stream.rest())[-1].data["reason"] == "expired"


async def test_new_pin_ends_the_stream_of_the_old_one(house: ConsoleHouse) -> None:
    browser = await house.moderator()
    async with house.watch(browser) as stream:
        await stream.next("snapshot")
        del house.book.lines["2000"]
        house.clock.now += 5
        house.console.desk.wake()
        assert (await stream.rest())[-1].data["reason"] == "changed"


async def test_session_holds_few_streams_and_the_oldest_gives_way(house: ConsoleHouse) -> None:
    browser = await house.operator()
    async with house.watch(browser) as oldest:
        await oldest.next("snapshot")
        streams = [house.watch(browser) for _ in range(MOST_OF_SESSION)]
        for stream in streams:
            await stream.__aenter__()
            await stream.next("snapshot")
        assert await oldest.rest() == []
        for stream in streams:
            await stream.__aexit__()
    assert house.console.desk.watched == 0


async def test_flood_of_streams_and_questions_is_cut_off(house: ConsoleHouse) -> None:
    browser = await house.operator()
    assert (
        (await browser.client.head("/console/events")).headers["content-type"].startswith("text/event-stream")
    )
    for _ in range(30):
        async with house.watch(browser) as stream:
            assert stream.status == 200
    async with house.watch(browser) as stream:
        assert stream.status == 429
    house.clock.now += 1
    async with house.watch(browser) as stream:
        assert stream.status == 200
    answers = [(await browser.client.get("/console/conferences")).status_code for _ in range(202)]
    assert answers == [200] * 200 + [429] * 2
    assert (await (await house.operator()).get("/console/conferences")).status_code == 200


async def test_stream_needs_a_session(house: ConsoleHouse) -> None:
    async with house.watch(house.browser()) as stream:
        assert stream.status == 401


async def test_heartbeat_says_that_the_stream_lives(house: ConsoleHouse) -> None:
    house.console.set_heartbeat(0.01)
    async with house.watch(await house.operator()) as stream:
        assert (await stream.next("heartbeat")).data.keys() == {"now_ms"}


async def test_two_thousand_who_join_at_once_are_few_events(house: ConsoleHouse) -> None:
    await house.join(TOWN, "moderator", "+15550001")
    browser, desk, sid = await house.moderator(), house.console.desk, house.sid(TOWN)
    async with house.watch(browser) as stream:
        await stream.next("snapshot")
        before = desk.feed.newest
        for number in range(2_000):
            desk.learn(sid, Joined(desk.now_ms(), f"CA{number:032x}", Flags(muted=True)))
        event = await stream.next("participants")
        assert len(event.data["participants"]) == 2_000
        assert desk.feed.newest - before <= 3


def test_feed_is_bounded_in_bytes() -> None:
    feed = Feed("e")
    for _ in range(20):
        feed.tell("entries", {"text": "x" * (MOST_BYTES // 8)}, ("1000",))
    kept = feed.since(feed.newest - 7)
    assert kept is not None
    assert sum(len(frame.text) for frame in kept) <= MOST_BYTES
    assert feed.since(feed.newest - 8) is None


async def test_shutdown_ends_all_streams(tmp_path: Path) -> None:
    from tests.harness.console_house import open_console_house

    async with open_console_house(tmp_path) as house:
        browser = await house.operator()
        stream = house.watch(browser)
        await stream.__aenter__()
        await stream.next("snapshot")
    assert await stream.rest() == []
    await stream.__aexit__()
