"""The watch on levels: begun by a question, kept on by more, and ended ten seconds after the last."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from tests.harness.virtual_time import run_virtual

from townhall.calls.levels import LevelBoard
from townhall.conference import Conference, EndRequested, ParticipantJoined
from townhall.media.protocol import Levels


class Rig:
    """A hall whose participants have legs numbered from 1, and a media process that listens."""

    def __init__(self) -> None:
        self.orders: list[tuple[str, bool]] = []
        self.searched = 0
        self.hall = SimpleNamespace(on_close=lambda conference: None, attendance=self._attendance)
        self.media = SimpleNamespace(watch_levels=lambda *order: self.orders.append(order), on_levels=None)
        clock = asyncio.get_running_loop().time
        self.board = LevelBoard(cast(Any, self.hall), cast(Any, self.media), clock)

    def _attendance(self, call_sid: str) -> Any:
        self.searched += 1
        number = int(call_sid.removeprefix("call"))
        return SimpleNamespace(control=SimpleNamespace(leg=SimpleNamespace(number=number)))

    def tell(self, sid: str, *legs: int) -> None:
        self.media.on_levels(Levels(sid, list(legs), [20 + leg for leg in legs]))


def conference(sid: str, people: int = 2) -> Conference:
    made = Conference(sid, sid)
    for number in range(1, people + 1):
        made.handle(ParticipantJoined(f"call{number}"), 0.0)
    return made


def on_a_rig(test: Callable[[Rig], Awaitable[None]]) -> None:
    async def run() -> None:
        await test(Rig())

    run_virtual(run())


def test_watch_lasts_while_somebody_asks_and_ten_seconds_longer() -> None:
    async def story(rig: Rig) -> None:
        room = conference("CF1")
        for _ in range(300):
            rig.board.read(room)
            rig.tell("CF1", 1)
            await asyncio.sleep(0.1)
        assert rig.orders == [("CF1", True)]
        await asyncio.sleep(9.8)
        assert rig.orders == [("CF1", True)]
        await asyncio.sleep(0.2)
        assert rig.orders == [("CF1", True), ("CF1", False)]
        assert rig.board.watched == frozenset()

    on_a_rig(story)


def test_one_conference_s_watch_ends_while_another_goes_on() -> None:
    async def story(rig: Rig) -> None:
        first, second = conference("CF1"), conference("CF2")
        rig.board.read(first)
        await asyncio.sleep(7.0)
        rig.board.read(second)
        await asyncio.sleep(3.5)
        assert rig.board.watched == {"CF2"}
        await asyncio.sleep(7.0)
        assert rig.board.watched == frozenset()
        rig.board.read(first)
        assert rig.orders[-1] == ("CF1", True)
        await asyncio.sleep(11.0)
        assert rig.orders[-1] == ("CF1", False)

    on_a_rig(story)


def test_media_process_that_tells_nothing_is_asked_again_once_a_second() -> None:
    async def story(rig: Rig) -> None:
        room = conference("CF1")
        for _ in range(30):
            rig.board.read(room)
            await asyncio.sleep(0.1)
        assert rig.orders == [("CF1", True)] * 3

    on_a_rig(story)


def test_old_levels_are_not_told() -> None:
    async def story(rig: Rig) -> None:
        room = conference("CF1")
        rig.board.read(room)
        rig.tell("CF1", 1, 2)
        assert [(level.call_sid, level.dbov) for level in rig.board.read(room)] == [
            ("call1", 21),
            ("call2", 22),
        ]
        await asyncio.sleep(1.5)
        assert rig.board.read(room) == []

    on_a_rig(story)


def test_talker_is_looked_for_once_among_many() -> None:
    async def story(rig: Rig) -> None:
        room = conference("CF1", people=500)
        rig.board.read(room)
        rig.tell("CF1", 400)
        rig.board.read(room)
        searched = rig.searched
        for _ in range(100):
            assert len(rig.board.read(room)) == 1
        assert rig.searched == searched

    on_a_rig(story)


def test_levels_of_a_bus_nobody_asked_about_are_kept_nowhere() -> None:
    async def story(rig: Rig) -> None:
        rig.tell("CF9", 1)
        assert rig.board.watched == frozenset()
        assert rig.orders == []

    on_a_rig(story)


def test_conference_that_ends_is_watched_no_more() -> None:
    async def story(rig: Rig) -> None:
        room = conference("CF1")
        rig.board.read(room)
        room.handle(EndRequested(), 1.0)
        rig.hall.on_close(room)
        assert rig.orders == [("CF1", True), ("CF1", False)]
        assert rig.board.read(room) == []
        assert rig.orders == [("CF1", True), ("CF1", False)]

    on_a_rig(story)
