"""A call's record from ringing to its outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from townhall.store import CallRecord, Store, StoreError

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
LATER = NOW + timedelta(seconds=61)
CALL = CallRecord("CA1", "AC1", "sip:ann@example.com", "1000", "inbound", "ringing", NOW, "id@host")


async def test_call_from_ringing_to_its_end(store: Store) -> None:
    await store.calls.started(CALL)
    assert await store.calls.get("CA1") == CALL
    await store.calls.answered("CA1", NOW + timedelta(seconds=1))
    then = NOW + timedelta(seconds=1)
    answered = replace(CALL, status="in-progress", answered_at=then, updated_at=then)
    assert await store.calls.get("CA1") == answered
    media = {"codec": "PCMU", "packets_lost": 3, "jitter_ms": 1.5}
    await store.calls.ended("CA1", LATER, status="completed", duration_s=60, cause="hung up", media=media)
    assert await store.calls.get("CA1") == replace(
        answered,
        status="completed",
        ended_at=LATER,
        duration_s=60,
        cause="hung up",
        media=media,
        updated_at=LATER,
    )


async def test_writes_that_nobody_awaits_keep_their_order(store: Store) -> None:
    store.calls.started(CALL)
    store.calls.answered("CA1", NOW)
    await store.calls.ended("CA1", LATER, status="completed")
    call = await store.calls.get("CA1")
    assert call is not None
    assert (call.status, call.answered_at, call.ended_at) == ("completed", NOW, LATER)


async def test_unknown_call_is_none(store: Store) -> None:
    assert await store.calls.get("CA1") is None


async def test_calls_are_listed_newest_first_and_by_life(store: Store) -> None:
    for number in range(4):
        await store.calls.started(
            replace(CALL, sid=f"CA{number}", started_at=NOW + timedelta(seconds=number))
        )
    await store.calls.ended("CA2", LATER, status="no-answer")
    assert [call.sid for call in await store.calls.list()] == ["CA3", "CA2", "CA1", "CA0"]
    assert [call.sid for call in await store.calls.list(limit=2)] == ["CA3", "CA2"]
    assert [call.sid for call in await store.calls.list(live=True)] == ["CA3", "CA1", "CA0"]
    assert [call.sid for call in await store.calls.list(live=False)] == ["CA2"]


async def test_times_come_back_in_utc(store: Store) -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    await store.calls.started(replace(CALL, started_at=NOW.astimezone(there)))
    call = await store.calls.get("CA1")
    assert call is not None
    assert call.started_at == NOW
    assert call.started_at.tzinfo is UTC


async def test_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="has no time zone"):
        await store.calls.started(replace(CALL, started_at=NOW.replace(tzinfo=None)))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Ärger 📞 'quoted\"; DROP TABLE calls", None),
        ("a" * 70_000, None),
        ("nul\0inside", "nul\ufffdinside"),
        ("lone \udcff surrogate", "lone \ufffd surrogate"),
        ("two\r\nlines", None),
    ],
)
async def test_from_header_of_any_kind_is_kept(store: Store, sent: str, kept: str | None) -> None:
    await store.calls.started(replace(CALL, from_=sent))
    call = await store.calls.get("CA1")
    assert call is not None
    assert call.from_ == (kept or sent)


async def test_same_sid_twice_keeps_the_first(store: Store) -> None:
    await store.calls.started(CALL)
    with pytest.raises(StoreError, match="cannot write call CA1"):
        await store.calls.started(replace(CALL, to="2000"))
    assert await store.calls.get("CA1") == CALL
