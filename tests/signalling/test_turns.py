"""Works that take turns at the loop."""

import asyncio

from townhall.signalling.complaints import INTERVAL_S, MOST_AN_INTERVAL, Complaints
from townhall.signalling.turns import Turns


async def test_works_take_turns_until_each_has_no_more_to_do() -> None:
    turns, done = Turns(), asyncio.Event()
    log: list[str] = []

    def work(name: str, times: int) -> None:
        left = [times]

        def once() -> bool:
            log.append(name)
            left[0] -= 1
            if not left[0] and name == "long":
                done.set()
            return left[0] > 0

        turns.ask(once)

    work("long", 4)
    work("short", 2)
    await done.wait()
    assert log == ["long", "short", "long", "short", "long", "long"]


async def test_work_that_never_ends_does_not_hold_up_the_loop() -> None:
    turns = Turns()
    turns.ask(lambda: True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)  # would never come back


async def test_dropped_work_is_not_done() -> None:
    turns, log, done = Turns(), [], asyncio.Event()

    def dropped() -> bool:
        log.append("dropped")
        return False

    def kept() -> bool:
        log.append("kept")
        done.set()
        return False

    turns.ask(dropped)
    turns.ask(kept)
    turns.drop(dropped)
    await done.wait()
    assert log == ["kept"]


def test_one_source_is_complained_about_once_an_interval() -> None:
    complaints = Complaints()
    assert complaints.unsaid_before("192.0.2.1", 0.0) == 0
    assert [complaints.unsaid_before("192.0.2.1", now) for now in (1.0, 59.0)] == [None, None]
    assert complaints.unsaid_before("192.0.2.1", INTERVAL_S) == 2


def test_many_sources_are_complained_about_a_few_times_an_interval() -> None:
    complaints = Complaints()
    said = [complaints.unsaid_before(f"192.0.2.{host}", 0.0) for host in range(200)]
    assert len([unsaid for unsaid in said if unsaid is not None]) == MOST_AN_INTERVAL
    assert complaints.unsaid_before("192.0.2.250", INTERVAL_S) == 200 - MOST_AN_INTERVAL
