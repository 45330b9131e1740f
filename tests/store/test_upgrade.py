"""A database of the first release keeps what it holds when it is brought up to date."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from townhall.store import Store, schema
from townhall.store.engines import connect

AT = "2026-01-02 03:04:05.678901"
ENDED = "2026-01-02 03:05:05.000000"
ROWS: dict[str, dict[str, Any]] = {
    "numbers": {
        "number": "1000",
        "sid": "PN1",
        "friendly_name": "desk",
        "voice_url": "http://a",
        "voice_method": "POST",
        "voice_fallback_method": "POST",
        "status_callback_method": "POST",
        "created_at": AT,
    },
    "calls": {
        "sid": "CA1",
        "account_sid": "AC1",
        "from_": "ann",
        "to": "1000",
        "direction": "inbound",
        "status": "completed",
        "started_at": AT,
        "sip_call_id": "id",
        "ended_at": ENDED,
    },
    "conferences": {"sid": "CF1", "friendly_name": "room", "created_at": AT, "status": "init"},
    "participants": {
        "conference_sid": "CF1",
        "call_sid": "CA1",
        "joined_at": AT,
        "muted": False,
        "start_conference_on_enter": True,
        "end_conference_on_exit": False,
        "coaching": False,
        "left_at": ENDED,
    },
    "notices": {
        "sid": "NO1",
        "resource_sid": "CA1",
        "code": 11200,
        "level": "error",
        "message": "m",
        "url": "u",
        "at": AT,
    },
}


async def test_database_of_the_first_release_is_upgraded_with_its_records(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(schema, "HEAD", "0001")
        transactions, reading = connect(url)
        await transactions.run(schema.bring_up_to_date)
        await transactions.close()
        await reading.close()
    with sqlite3.connect(tmp_path / "townhall.db") as old:
        for table, row in ROWS.items():
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
            old.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    old.close()

    store = await Store.open(url)
    number, call = await store.numbers.get("1000"), await store.calls.get("CA1")
    conference = await store.conferences.get("CF1")
    (participant,) = await store.conferences.participants("CF1")
    (notice,) = await store.notices.list()
    await store.close()
    assert number is not None
    assert call is not None
    assert conference is not None
    started, ended = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (AT, ENDED))
    assert (number.friendly_name, number.voice_application_sid, number.updated_at) == ("desk", None, started)
    assert (call.from_, call.queue_time_ms, call.updated_at) == ("ann", 0, ended)
    assert conference.updated_at == started
    assert participant.updated_at == ended
    assert (notice.message, notice.request_method) == ("m", None)


async def test_upgrade_keeps_the_indexes(url: str) -> None:
    store = await Store.open(url)
    await store.close()
    transactions, reading = connect(url)

    def indexes(connection: sa.Connection) -> set[str]:
        return {str(index["name"]) for index in sa.inspect(connection).get_indexes("calls")}

    assert await transactions.run(indexes) == {
        "ix_calls_started_at",
        "ix_calls_ended_at",
        "ix_calls_parent_call_sid",
    }
    await transactions.close()
    await reading.close()
