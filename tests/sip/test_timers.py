"""The queue of timers."""

from townhall.sip.transaction import TimerQueue


def test_timers_fire_in_the_order_of_their_times_then_of_their_start() -> None:
    queue, fired = TimerQueue(), list[str]()
    queue.start(2.0, lambda now: fired.append("c"))
    queue.start(1.0, lambda now: fired.append("a"))
    queue.start(1.0, lambda now: fired.append("b"))
    queue.run(1.5)
    assert (fired, queue.next_timer()) == (["a", "b"], 2.0)


def test_cancelled_timer_does_not_fire_and_cancelling_twice_is_harmless() -> None:
    queue, fired = TimerQueue(), list[float]()
    timer = queue.start(1.0, fired.append)
    timer.cancel()
    timer.cancel()
    assert queue.next_timer() is None
    queue.run(2.0)
    assert fired == []
    assert len(queue) == 0


def test_timer_cancelled_after_it_fired_is_not_counted_twice() -> None:
    queue = TimerQueue()
    timer = queue.start(1.0, lambda now: None)
    queue.run(1.0)
    timer.cancel()
    queue.start(2.0, lambda now: None)
    assert len(queue) == 1


def test_many_cancelled_timers_do_not_stay_in_memory() -> None:
    queue = TimerQueue()
    keep = queue.start(1e9, lambda now: None)
    for number in range(100_000):
        queue.start(float(number), lambda now: None).cancel()
    assert len(queue._heap) < 300
    assert (len(queue), queue.next_timer()) == (1, keep.at)
