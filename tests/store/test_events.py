"""A call's webhook requests: kept in order, cut, and never more than a bounded number."""

from datetime import UTC, datetime, timedelta

from townhall.store import CallRecord, EventRecord, Store
from townhall.store.events import KEPT, MOST_CHARACTERS, MOST_PER_CALL


async def test_events_are_kept_by_call_in_order(store: Store) -> None:
    first = EventRecord("CA1", "POST", "http://a", (("CallSid", "CA1"), ("a", "ä")), 200, "text/xml", "<R/>")
    other = EventRecord("CA2", "GET", "http://b", error="11203: no answer", duration_ms=15000)
    last = EventRecord("CA1", "POST", "http://c", status=500)
    for event in (first, other, last):
        store.events.add(event)
    await store.settled()
    assert await store.events.list("CA1") == [first, last]
    assert await store.events.list("CA2") == [other]
    assert await store.events.list("CA3") == []


async def test_latest_events_are_kept_and_cut(store: Store) -> None:
    for number in range(MOST_PER_CALL + 5):
        store.events.add(EventRecord("CA1", "POST", str(number), (("a", "x" * 9999),), body="y" * 9999))
    await store.settled()
    events = await store.events.list("CA1")
    assert [int(event.url) for event in events] == list(range(5, MOST_PER_CALL + 5))
    assert events[0].parameters == (("a", "x" * MOST_CHARACTERS),)
    assert events[0].body == "y" * MOST_CHARACTERS


async def test_events_of_last_month_are_thrown_away(url: str, store: Store) -> None:
    now = datetime.now(UTC)
    old = EventRecord("CA1", "POST", "http://a", at=now - KEPT - timedelta(seconds=1))
    young = EventRecord("CA1", "POST", "http://b", at=now - KEPT + timedelta(minutes=1))
    for event in (old, young):
        await store.events.add(event)
    restarted = await Store.open(url)
    await restarted.events.add(EventRecord("CA2", "POST", "http://c"))
    await restarted.close()
    assert await store.events.list("CA1") == [young]


async def test_events_go_with_their_call(store: Store) -> None:
    event = EventRecord("CA1", "POST", "http://a")
    call = CallRecord("CA1", "AC1", "a", "b", "inbound", "ringing", event.at)
    store.calls.started(call)
    store.calls.ended("CA1", event.at, status="completed")
    await store.events.add(event)
    await store.calls.remove("CA1")
    assert await store.events.list("CA1") == []
