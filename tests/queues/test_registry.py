"""Queues by name and SID."""

import itertools

import pytest

from townhall.queues import MAX_SIZE, CallerJoined, LocalProtocolError, Queues, TakerJoined, TooManyQueues
from townhall.queues import registry as module


@pytest.fixture
def queues() -> Queues:
    numbers = itertools.count(1)
    return Queues(lambda: f"QU{next(numbers)}")


def test_queue_is_found_by_its_name_and_sid(queues):
    queue = queues.create(" support ")
    assert (queue.name, queue.max_size) == ("support", MAX_SIZE)
    assert queues.find("support ") is queue is queues.get("QU1")
    assert queues.find("Support") is None


def test_kept_queue_comes_back_with_its_sid(queues):
    assert queues.create("sales", 5, "QU77").sid == "QU77"
    assert queues.get("QU77").max_size == 5


def test_newest_queue_is_listed_first(queues):
    for name in "abc":
        queues.create(name)
    assert [queue.name for queue in queues] == ["c", "b", "a"]


def test_name_is_unique(queues):
    queues.create("a")
    other = queues.create("b")
    with pytest.raises(LocalProtocolError):
        queues.create("a ")
    with pytest.raises(LocalProtocolError):
        queues.rename(other, "a")
    assert queues.find("b") is other


def test_renamed_queue_is_found_by_the_new_name_only(queues):
    queue = queues.create("a")
    queues.rename(queue, "b")
    queues.rename(queue, "b")
    assert (queues.find("a"), queues.find("b")) == (None, queue)


@pytest.mark.parametrize("event", [CallerJoined("CA1"), TakerJoined("CA1")])
def test_only_an_empty_queue_can_be_removed(queues, event):
    busy, empty = queues.create("busy"), queues.create("empty")
    busy.handle(event, 0.0)
    with pytest.raises(LocalProtocolError):
        queues.remove(busy)
    queues.remove(empty)
    assert list(queues) == [busy]
    assert queues.find("empty") is None


def test_number_of_queues_is_bounded(queues, monkeypatch):
    monkeypatch.setattr(module, "MOST_QUEUES", 2)
    queues.create("a")
    queues.create("b")
    with pytest.raises(TooManyQueues):
        queues.create("c")
    assert len(queues) == 2
