"""Which callback is next: order, patience and fairness, on a clock of the test's own."""

from datetime import UTC, datetime, timedelta

from townhall.webhooks.lanes import Lane, Lanes, Pauses
from townhall.webhooks.outbox import Callback, encode

A, B = "http://a.example/status", "http://b.example/status"
THEN = datetime(2026, 1, 2, tzinfo=UTC)


def lanes_of(*callbacks: tuple[int, str, str], most_per_receiver: int = 2) -> Lanes:
    lanes = Lanes(Pauses(1.0, 300.0), most_per_receiver)
    for number, sid, url in callbacks:
        lanes.add(Callback(number, sid, url, "POST", encode(()), THEN + timedelta(seconds=number)))
    return lanes


def take(lanes: Lanes, now: float = 0.0) -> Lane:
    lane = lanes.take(now)
    assert lane is not None
    return lane


def test_resource_has_one_callback_under_way_and_keeps_its_order() -> None:
    lanes = lanes_of((1, "CA1", A), (2, "CA1", A), (3, "CA2", A))
    first, other = take(lanes), take(lanes)
    assert (first.head.number, other.head.number) == (1, 3)
    assert lanes.take(0) is None
    lanes.delivered(first)
    assert take(lanes).head.number == 2
    assert len(lanes) == 2


def test_receivers_take_turns_and_one_gets_no_more_than_its_share() -> None:
    lanes = lanes_of(*((n, f"CA{n}", A) for n in range(4)), (9, "CA9", B))
    assert [take(lanes).head.number for _ in range(3)] == [0, 9, 1]
    assert lanes.take(0) is None


def test_refused_callback_pauses_its_lane_alone_twice_as_long_each_time() -> None:
    lanes = lanes_of((1, "CA1", A), (2, "CA2", A))
    now = 0.0
    for pause in (1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300):
        lane = take(lanes, now)
        assert lane.head.number == 1
        lanes.put_off(lane, now)
        if now == 0:
            lanes.delivered(take(lanes, now))
        assert lanes.wake_at() == now + pause
        assert lanes.take(now + pause - 0.01) is None
        now += pause


def test_unreachable_receiver_pauses_whole_and_one_lane_tries_it() -> None:
    lanes = lanes_of(*((n, f"CA{n}", A) for n in range(4)), (9, "CA9", B))
    first, other, second = take(lanes), take(lanes), take(lanes)
    lanes.unreachable(first, 0)
    lanes.unreachable(second, 0)  # was under way at the same time: counts once
    lanes.delivered(other)
    assert (lanes.take(0.9), lanes.wake_at()) == (None, 1.0)
    probe = take(lanes, 1.0)
    assert lanes.take(1.0) is None
    lanes.unreachable(probe, 1.0)
    assert lanes.wake_at() == 3.0
    probe = take(lanes, 3.0)
    lanes.delivered(probe)
    assert {take(lanes, 3.0).head.number, take(lanes, 3.0).head.number} < {0, 1, 2, 3}


def test_receiver_that_comes_back_gets_what_it_missed_in_order() -> None:
    lanes = lanes_of(*((n, "CA1", A) for n in range(3)))
    lanes.unreachable(take(lanes), 0)
    for number in (3, 4):
        lanes.add(Callback(number, "CA1", A, "POST", encode(()), THEN))
    came = []
    while len(lanes):
        lane = take(lanes, 1.0)
        came.append(lane.head.number)
        lanes.delivered(lane)
    assert came == [0, 1, 2, 3, 4]
    assert lanes.wake_at() is None


def test_silent_receiver_gets_one_request_at_a_time_until_it_answers() -> None:
    lanes = lanes_of(*((n, f"CA{n}", A) for n in range(5)))
    first, second = take(lanes), take(lanes)
    lanes.unanswered(first, 0)
    assert lanes.take(0) is None
    lanes.unanswered(second, 0)
    alone = take(lanes)
    assert lanes.take(0) is None
    lanes.delivered(alone)
    assert {take(lanes).head.number, take(lanes).head.number} == {3, 4}


def test_lane_that_breaks_connections_does_not_stop_the_others() -> None:
    lanes = lanes_of((1, "CA1", A), *((n, "CA2", A) for n in range(2, 9)), most_per_receiver=1)
    lanes.unreachable(take(lanes), 0)
    lanes.delivered(take(lanes, 1.0))
    bad = take(lanes, 1.0)
    assert bad.head.number == 1
    lanes.unreachable(bad, 1.0)
    for number in range(3, 9):
        lane = take(lanes, 1.0)
        assert lane.head.number == number
        lanes.delivered(lane)


def test_resource_with_two_receivers_waits_for_neither() -> None:
    lanes = lanes_of((1, "CA1", A), (2, "CA1", B))
    lanes.unreachable(take(lanes), 0)
    assert take(lanes).head.number == 2


def test_oldest_is_dropped_but_not_while_it_is_sent() -> None:
    lanes = lanes_of((1, "CA1", A), (2, "CA1", A), (3, "CA2", A))
    sending = take(lanes)
    oldest = lanes.oldest()
    assert oldest is not None
    assert oldest.number == 2
    assert [c.number for c in (lanes.oldest(), lanes.oldest()) if c] == [3]
    lanes.interrupted(sending)
    assert [c.number for c in (lanes.oldest(), lanes.oldest()) if c] == [1]
    assert lanes.take(0) is None
    assert len(lanes) == 0
    lanes.add(Callback(4, "CA2", A, "POST", encode(()), THEN))
    assert take(lanes).head.number == 4


def test_what_waited_too_long_for_a_receiver_is_taken_out() -> None:
    lanes = lanes_of((1, "CA1", A), (2, "CA1", A), (3, "CA2", A), (5, "CA2", A), (4, "CA3", B))
    probe = take(lanes)
    lanes.unreachable(probe, 0)
    gone = lanes.expired(probe.receiver, THEN + timedelta(seconds=4))
    assert [callback.number for callback in gone] == [1, 2, 3]
    assert {callback.number for callback in lanes} == {4, 5}


def test_odd_url_is_a_receiver_of_its_own() -> None:
    lanes = lanes_of((1, "CA1", "http://[bad"), (2, "CA2", ""), (3, "CA3", "http://h:99999/"))
    assert len({take(lanes).receiver.origin for _ in range(3)}) == 3
