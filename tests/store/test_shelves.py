"""What is set up by the API: added, found, changed, listed in pages, removed; duplicates and bad values."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from townhall.store import (
    APIKey,
    Application,
    DuplicateError,
    PrefixRule,
    QueueRecord,
    RecordingRecord,
    Store,
    StoreError,
    Trunk,
    UnknownRecordError,
)

TRUNK = Trunk(
    "carrier",
    "sip.example.net",
    transport="tcp",
    username="u",
    password="secret",
    rules=(PrefixRule("00", 2, "+"), PrefixRule("+43")),
    countries=("+43", "+49"),
    calls_a_minute=30,
)
EXAMPLES = {
    "recordings": (RecordingRecord("AC1", "Conference", conference_sid="CF1"), {"duration_s": 7}),
    "queues": (QueueRecord("support"), {"max_size": 5}),
    "applications": (Application("menu", "https://a.example/voice"), {"voice_url": ""}),
    "api_keys": (APIKey("laptop", secret="00"), {"friendly_name": "phone"}),
    "trunks": (TRUNK, {"rules": (), "priority": 1, "password": None}),
}


@pytest.mark.parametrize("shelf", EXAMPLES)
async def test_record_is_added_found_changed_and_removed(store: Store, shelf: str) -> None:
    records, (record, changes) = getattr(store, shelf), EXAMPLES[shelf]
    assert await records.add(record) == record
    assert await records.get(record.sid) == record
    changed = await records.change(record.sid, **changes)
    assert changed == replace(record, **changes, updated_at=changed.updated_at)
    assert changed.updated_at > record.updated_at
    assert await records.get(record.sid) == changed
    assert await records.list() == [changed]
    await records.remove(record.sid)
    assert await records.get(record.sid) is None
    for refused in (records.remove(record.sid), records.change(record.sid, **changes)):
        with pytest.raises(UnknownRecordError, match=record.sid):
            await refused


@pytest.mark.parametrize("shelf", EXAMPLES)
async def test_pages_hold_every_record_once_newest_first(store: Store, shelf: str) -> None:
    records, (record, _) = getattr(store, shelf), EXAMPLES[shelf]
    name = {"trunks": "name", "recordings": "path"}.get(shelf, "friendly_name")
    prefix, now = record.sid[:2], datetime.now(UTC)
    for number in range(5):
        # Two of one time each: the SID decides.
        made = now + timedelta(seconds=number // 2)
        await records.add(
            replace(record, sid=f"{prefix}{number:032x}", created_at=made, **{name: f"n{number}"})
        )
    found: list[Any] = []
    token: str | None = None
    while True:
        page = await records.page(limit=2, token=token)
        found.append([int(r.sid[2:], 16) for r in page.records])
        if page.next_token is None:
            break
        token = page.next_token
    assert found == [[4, 3], [2, 1], [0]]
    back = await records.page(limit=2, token=page.previous_token)
    assert [int(r.sid[2:], 16) for r in back.records] == [2, 1]
    assert back.next_token is not None


@pytest.mark.parametrize(("shelf", "name"), [("queues", "friendly_name"), ("trunks", "name")])
async def test_name_that_is_taken_is_refused(store: Store, shelf: str, name: str) -> None:
    records, (record, _) = getattr(store, shelf), EXAMPLES[shelf]
    await records.add(record)
    other = replace(record, sid=record.sid[:2] + "0" * 32)
    with pytest.raises(DuplicateError, match=getattr(record, name)):
        await records.add(other)
    other = await records.add(replace(other, **{name: "other"}))
    with pytest.raises(DuplicateError):
        await records.change(other.sid, **{name: getattr(record, name)})
    assert await records.by_name("other") == other


async def test_queue_that_two_callers_need_is_made_once(store: Store) -> None:
    first, second = await asyncio.gather(store.queues.ensure("help"), store.queues.ensure("help"))
    assert first == second
    assert await store.queues.list() == [first]


@pytest.mark.parametrize(
    "bad",
    [
        QueueRecord(""),
        QueueRecord("q" * 65),
        QueueRecord("q", max_size=0),
        QueueRecord("q", max_size=5001),
        Application(voice_url="ftp://a"),
        Application(status_callback_method="PUT"),
        APIKey(kind="super"),
        RecordingRecord("AC1", "DialVerb", status="ready"),
        replace(TRUNK, host="a b"),
        replace(TRUNK, name="two words"),
        replace(TRUNK, port=0),
        replace(TRUNK, transport="tls"),
        replace(TRUNK, countries=("43",)),
        replace(TRUNK, calls_a_minute=0),
        replace(TRUNK, rules=(PrefixRule("0", -1),)),
    ],
)
async def test_bad_value_is_refused_with_what_is_allowed(store: Store, bad: Any) -> None:
    shelf = {"QU": "queues", "AP": "applications", "SK": "api_keys", "RE": "recordings", "TK": "trunks"}
    records = getattr(store, shelf[bad.sid[:2]])
    with pytest.raises(StoreError, match="allowed: "):
        await records.add(bad)
    assert await records.list() == []


async def test_secret_of_a_key_opens_with_nothing_but_itself(store: Store) -> None:
    key, secret = await store.api_keys.create("laptop", "main")
    assert await store.api_keys.verify(key.sid, secret) == key
    assert await store.api_keys.verify(key.sid, secret.upper()) is None
    assert await store.api_keys.verify(key.sid, "") is None
    assert await store.api_keys.verify("SK" + "0" * 32, secret) is None
    assert await store.api_keys.verify(key.sid, "\ud800") is None
    assert secret not in repr(key)
    assert await store.api_keys.secret_of(key.sid) == secret
    assert await store.api_keys.secret_of("SK" + "0" * 32) is None
    assert secret not in repr(key)


async def test_own_key_is_made_once(store: Store) -> None:
    first = await store.api_keys.ensure("pages")
    assert await store.api_keys.ensure("pages") == first
    await store.api_keys.remove(first.sid)
    assert (await store.api_keys.ensure("pages")).sid != first.sid


async def test_trunk_does_not_show_its_password() -> None:
    assert "secret" not in repr(TRUNK)


async def test_recordings_are_found_by_what_they_are_of(store: Store) -> None:
    now = datetime.now(UTC)
    call = RecordingRecord("AC1", "RecordVerb", call_sid="CA1", created_at=now)
    room = replace(call, sid="RE" + "1" * 32, call_sid=None, conference_sid="CF1", status="completed")
    gone = replace(room, sid="RE" + "2" * 32, status="deleted", created_at=now + timedelta(days=1))
    for recording in (call, room, gone):
        await store.recordings.add(recording)
    assert await store.recordings.list(call_sid="CA1") == [call]
    assert await store.recordings.list(conference_sid="CF1") == [room]
    assert await store.recordings.unfinished() == [call]
    page = await store.recordings.page(conference_sid="CF1", include_deleted=True)
    assert page.records == [gone, room]
    assert (page.next_token, page.previous_token) == (None, None)
    page = await store.recordings.page(created_since=now + timedelta(hours=1), include_deleted=True)
    assert page.records == [gone]
    assert (await store.recordings.page(created_before=now)).records == []
