"""Lists as the API gives them: filtered, in pages, right while records come and go."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from townhall.store import (
    CallFilter,
    CallRecord,
    ConferenceFilter,
    ConferenceRecord,
    NoticeFilter,
    Number,
    PageTokenError,
    ParticipantRecord,
    Store,
    UnknownRecordError,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
HOUR = timedelta(hours=1)


def call(number: int, **changes: object) -> CallRecord:
    sid = f"CA{number:032x}"
    made = CallRecord(sid, "AC1", "+15550001", "+15550002", "inbound", "ringing", NOW + number * HOUR)
    return replace(made, **changes)  # type: ignore[arg-type]


async def numbers_of(store: Store, wanted: CallFilter) -> list[int]:
    return [int(record.sid[2:], 16) for record in (await store.calls.page(wanted)).records]


async def test_page_token_works_after_its_record_was_deleted(store: Store) -> None:
    for number in range(5):
        store.calls.started(call(number))
        await store.calls.ended(call(number).sid, NOW, status="completed")
    page = await store.calls.page(limit=2)
    for record in page.records:
        await store.calls.remove(record.sid)
    page = await store.calls.page(limit=2, token=page.next_token)
    assert [record.sid for record in page.records] == [call(2).sid, call(1).sid]


async def test_record_that_came_meanwhile_shifts_no_page(store: Store) -> None:
    for number in range(4):
        await store.calls.started(call(number))
    first = await store.calls.page(limit=2)
    assert first.previous_token is None
    await store.calls.started(call(9))
    second = await store.calls.page(limit=2, token=first.next_token)
    assert [record.sid for record in second.records] == [call(1).sid, call(0).sid]
    assert second.next_token is None
    back = await store.calls.page(limit=2, token=second.previous_token)
    assert [record.sid for record in back.records] == [call(3).sid, call(2).sid]
    newest = await store.calls.page(limit=2, token=back.previous_token)
    assert [record.sid for record in newest.records] == [call(9).sid]
    assert newest.previous_token is None


async def test_calls_are_filtered_by_all_that_the_api_knows(store: Store) -> None:
    for record in (
        call(0),
        call(1, from_="client:ann"),
        call(2, to="sip:bob@example.com", parent_call_sid="CAp"),
        call(3, status="queued"),
    ):
        await store.calls.started(record)
    await store.calls.ended(call(0).sid, NOW + 2 * HOUR, status="busy")
    assert await numbers_of(store, CallFilter()) == [3, 2, 1, 0]
    assert await numbers_of(store, CallFilter(from_="client:ann")) == [1]
    assert await numbers_of(store, CallFilter(to="sip:bob@example.com")) == [2]
    assert await numbers_of(store, CallFilter(parent_call_sid="CAp")) == [2]
    assert await numbers_of(store, CallFilter(status="busy")) == [0]
    assert await numbers_of(store, CallFilter(status="ringing")) == [2, 1]
    assert await numbers_of(store, CallFilter(status="queued")) == [3]
    since = CallFilter(started_since=NOW + HOUR, started_before=NOW + 3 * HOUR)
    assert await numbers_of(store, since) == [2, 1]
    assert await numbers_of(store, CallFilter(ended_since=NOW + 2 * HOUR)) == [0]
    assert await numbers_of(store, CallFilter(ended_before=NOW + 2 * HOUR)) == []
    assert await numbers_of(store, CallFilter(status="busy", from_="client:ann")) == []


async def test_outbound_call_progresses_to_its_sip_status(store: Store) -> None:
    await store.calls.started(call(0, status="queued", queue_time_ms=1200))
    await store.calls.progressed(call(0).sid, "ringing", NOW + HOUR)
    await store.calls.ended(call(0).sid, NOW + 2 * HOUR, status="busy", sip_response_code=486)
    record = await store.calls.get(call(0).sid)
    assert record is not None
    assert (record.status, record.sip_response_code, record.queue_time_ms) == ("busy", 486, 1200)
    assert record.updated_at == NOW + 2 * HOUR


async def test_only_a_call_that_is_over_can_be_removed(store: Store) -> None:
    await store.calls.started(call(0))
    with pytest.raises(UnknownRecordError):
        await store.calls.remove(call(0).sid)
    await store.calls.ended(call(0).sid, NOW, status="completed")
    await store.calls.remove(call(0).sid)
    assert await store.calls.get(call(0).sid) is None


async def test_conferences_are_filtered_by_all_that_the_api_knows(store: Store) -> None:
    for number, name in enumerate(("a", "b", "a")):
        made = NOW + number * HOUR
        await store.conferences.created(ConferenceRecord(f"CF{number:032x}", name, made, updated_at=made))
    await store.conferences.started(f"CF{1:032x}", NOW + 5 * HOUR)
    await store.conferences.completed(f"CF{0:032x}", NOW + 9 * HOUR, reason="last-participant-left")

    async def found(wanted: ConferenceFilter) -> list[int]:
        return [int(record.sid[2:], 16) for record in (await store.conferences.page(wanted)).records]

    assert await found(ConferenceFilter()) == [2, 1, 0]
    assert await found(ConferenceFilter(friendly_name="a")) == [2, 0]
    assert await found(ConferenceFilter(status="init")) == [2]
    assert await found(ConferenceFilter(status="in-progress")) == [1]
    assert await found(ConferenceFilter(status="completed")) == [0]
    assert await found(ConferenceFilter(created_since=NOW + HOUR, created_before=NOW + 2 * HOUR)) == [1]
    assert await found(ConferenceFilter(updated_since=NOW + 5 * HOUR)) == [1, 0]
    assert await found(ConferenceFilter(updated_before=NOW + 5 * HOUR)) == [2]


async def test_participants_are_counted_by_call(store: Store) -> None:
    for sid in ("CA1", "CA2", "CA1"):
        store.conferences.participant_joined(ParticipantRecord("CF1", sid, NOW))
        await store.conferences.participant_left("CF1", sid, NOW, "participant_hung_up")
    await store.conferences.participant_joined(ParticipantRecord("CF1", "CA2", NOW))
    assert await store.conferences.participant_count("CF1") == 2
    assert await store.conferences.participant_count("CF1", present=True) == 1
    assert await store.conferences.participant_count("CF2") == 0


async def test_numbers_are_found_by_a_part_with_wildcards(store: Store) -> None:
    for number in ("+15551234", "+15559994", "100_0", "100a0"):
        await store.numbers.add(Number(number, "http://a", friendly_name=f"n{number}"))

    async def found(number: str | None = None, name: str | None = None) -> set[str]:
        page = await store.numbers.page(number=number, friendly_name=name)
        return {record.number for record in page.records}

    assert await found("555****4") == set()
    assert await found("555***4") == {"+15551234", "+15559994"}
    assert await found("1234") == {"+15551234"}
    assert await found("0_0") == {"100_0"}
    assert await found("%") == set()
    assert await found(name="n100a0") == {"100a0"}
    number = await store.numbers.get("100_0")
    assert number is not None
    assert await store.numbers.by_sid(number.sid) == number
    assert await store.numbers.by_sid("PN0") is None


async def test_notices_are_filtered_and_carry_what_was_requested(store: Store) -> None:
    before = datetime.now(UTC)
    error = await store.notices.add(
        resource_sid="CA1",
        code=12100,
        level="error",
        message="not XML",
        url="http://a",
        request_method="POST",
        request_variables="From=ann",
        response_headers="Content-Type=text%2Fhtml",
        response_body="x" * 100_000,
    )
    warning = await store.notices.add(resource_sid="CF1", code=16011, level="warning", message="m")
    assert await store.notices.get(error.sid) == error
    assert await store.notices.get("NO0") is None
    assert error.response_body == "x" * 16_384
    assert (await store.notices.page()).records == [warning, error]
    assert (await store.notices.page(NoticeFilter(resource_sid="CA1"))).records == [error]
    assert (await store.notices.page(NoticeFilter(level="warning"))).records == [warning]
    assert (await store.notices.page(NoticeFilter(since=before))).records == [warning, error]
    assert (await store.notices.page(NoticeFilter(before=before))).records == []


@pytest.mark.parametrize(
    "token",
    ["nonsense", "PA", "PACA" + "0" * 32, "PC" + "CA" + "0" * 32 + "-1", "PACA" + "0" * 32 + "-" + "f" * 16],
)
async def test_page_token_that_nobody_gave_out_is_refused(store: Store, token: str) -> None:
    with pytest.raises(PageTokenError):
        await store.calls.page(token=token)
