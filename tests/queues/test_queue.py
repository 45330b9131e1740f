"""Who is next, who takes whom, and who goes back to his place."""

import pytest

from townhall.queues import (
    CallerJoined,
    CallerLeft,
    CallerPrepared,
    Connect,
    LocalProtocolError,
    Prepare,
    Queue,
    Resume,
    TakerJoined,
    TakerLeft,
)


def queue_of(*callers: str, max_size: int = 1000) -> Queue:
    """A queue whose callers came at seconds 0, 1, 2, …"""
    queue = Queue("QU1", "support", max_size)
    for second, caller in enumerate(callers):
        assert queue.handle(CallerJoined(caller), second) == []
    return queue


def waiting(queue: Queue) -> list[str]:
    return [caller.call_sid for caller in queue.callers]


def test_callers_stand_in_the_order_in_which_they_came():
    queue = queue_of("a", "b", "c")
    assert [queue.position(caller) for caller in "abc"] == [1, 2, 3]
    assert (queue.size, queue.position("z")) == (3, 0)


def test_taker_gets_the_head_and_the_next_moves_up():
    queue = queue_of("a", "b")
    assert queue.handle(TakerJoined("t"), 10.0) == [Connect("a", "t", 10.0)]
    assert (waiting(queue), queue.position("b"), queue.takers) == (["b"], 1, ())


def test_taker_of_an_empty_queue_waits_for_the_next_caller():
    queue = queue_of()
    assert queue.handle(TakerJoined("t"), 0.0) == []
    assert queue.handle(TakerJoined("u"), 1.0) == []
    assert queue.handle(CallerJoined("a"), 2.0) == [Connect("a", "t", 0.0)]
    assert queue.takers == ("u",)


def test_caller_keeps_his_place_while_he_is_prepared():
    queue = queue_of("a", "b")
    assert queue.handle(TakerJoined("t", prepares=True), 5.0) == [Prepare("a", "t")]
    assert waiting(queue) == ["a", "b"]
    assert queue.handle(CallerPrepared("a"), 8.0) == [Connect("a", "t", 8.0)]
    assert (waiting(queue), queue.takers) == (["b"], ())


def test_taker_who_goes_gives_the_caller_back_to_the_head():
    queue = queue_of("a", "b")
    queue.handle(TakerJoined("t", prepares=True), 5.0)
    assert queue.handle(TakerLeft("t"), 6.0) == [Resume("a")]
    assert queue.position("a") == 1
    assert queue.handle(CallerPrepared("a"), 7.0) == []
    assert queue.handle(TakerJoined("u"), 9.0) == [Connect("a", "u", 9.0)]


def test_taker_who_goes_leaves_his_caller_to_the_next_taker():
    queue = queue_of("a")
    queue.handle(TakerJoined("t", prepares=True), 5.0)
    queue.handle(TakerJoined("u", prepares=True), 6.0)
    assert queue.handle(TakerLeft("t"), 7.0) == [Resume("a"), Prepare("a", "u")]


def test_caller_who_goes_while_prepared_leaves_the_taker_to_the_next():
    queue = queue_of("a", "b")
    queue.handle(TakerJoined("t", prepares=True), 5.0)
    assert queue.handle(CallerLeft("a"), 6.0) == [Prepare("b", "t")]


def test_two_takers_prepare_two_callers_who_may_be_ready_in_any_order():
    queue = queue_of("a", "b")
    assert queue.handle(TakerJoined("t", prepares=True), 5.0) == [Prepare("a", "t")]
    assert queue.handle(TakerJoined("u", prepares=True), 5.0) == [Prepare("b", "u")]
    assert queue.handle(CallerPrepared("b"), 6.0) == [Connect("b", "u", 5.0)]
    assert queue.handle(CallerPrepared("a"), 7.0) == [Connect("a", "t", 7.0)]


def test_caller_who_leaves_lets_the_others_move_up():
    queue = queue_of("a", "b", "c")
    assert queue.handle(CallerLeft("b"), 5.0) == []
    assert [queue.position(caller) for caller in "abc"] == [1, 0, 2]


def test_events_about_strangers_change_nothing():
    queue = queue_of("a")
    for event in (CallerLeft("z"), TakerLeft("z"), CallerPrepared("z"), CallerPrepared("a"), TakerLeft("a")):
        assert queue.handle(event, 1.0) == []
    assert waiting(queue) == ["a"]


def test_average_wait_is_that_of_those_who_wait_now():
    queue = queue_of("a", "b", "c")
    assert queue.average_wait_s(10.0) == 9.0
    queue.handle(CallerLeft("a"), 10.0)
    assert queue.average_wait_s(10.0) == 8.5
    assert queue_of().average_wait_s(10.0) == 0.0


def test_full_queue_takes_nobody():
    queue = queue_of("a", "b", max_size=2)
    assert queue.full
    with pytest.raises(LocalProtocolError):
        queue.handle(CallerJoined("c"), 5.0)
    queue.handle(CallerLeft("a"), 6.0)
    assert not queue.full


def test_smaller_maximum_turns_nobody_out():
    queue = queue_of("a", "b")
    queue.max_size = 1
    assert queue.full
    assert waiting(queue) == ["a", "b"]


@pytest.mark.parametrize("event", [CallerJoined("a"), TakerJoined("a")])
def test_nobody_is_in_the_queue_twice(event):
    with pytest.raises(LocalProtocolError):
        queue_of("a").handle(event, 1.0)
