"""A server killed without warning: no call that it answered is lost, and what it left open is closed."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime

from townhall.store import CallRecord, ConferenceRecord, ParticipantRecord, Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SERVER = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from townhall.store import CallRecord, ConferenceRecord, ParticipantRecord, Store

NOW = datetime(2026, 1, 2, tzinfo=UTC)
CALL = CallRecord("", "AC1", "ann", "1000", "inbound", "ringing", NOW)

async def call(store, number):
    sid = f"CA{number}"
    store.calls.started(replace(CALL, sid=sid))
    await store.calls.answered(sid, NOW)
    print(sid, flush=True)
    store.conferences.participant_joined(ParticipantRecord("CF1", sid, NOW))

async def main():
    store = await Store.open(sys.argv[1], takes_calls=True)
    await store.conferences.created(ConferenceRecord("CF1", "room", NOW))
    for number in range(0, 1_000_000, 5):
        await asyncio.gather(*(call(store, number + n) for n in range(5)))

asyncio.run(main())
"""


async def test_killed_server_loses_no_call_that_it_answered(url: str) -> None:
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVER, url, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    answered = [(await server.stdout.readline()).decode().strip() for _ in range(100)]
    server.kill()
    answered += (await server.stdout.read()).decode().rpartition("\n")[0].split()
    assert await server.wait() == -9

    store = await Store.open(url, takes_calls=True)
    calls = {call.sid: call for call in await store.calls.list(limit=1_000_000)}
    assert set(answered) <= set(calls)
    assert {(call.status, call.cause, call.duration_s) for call in calls.values()} == {
        ("failed", "server stopped", None)
    }
    assert all(call.ended_at is not None and call.ended_at > NOW for call in calls.values())
    assert all(calls[sid].answered_at == NOW for sid in answered)
    conference = await store.conferences.get("CF1")
    assert conference is not None
    assert (conference.status, conference.reason_ended) == ("completed", "server stopped")
    participants = await store.conferences.participants("CF1")
    assert len(participants) >= 90
    assert {participant.reason_left for participant in participants} == {"server stopped"}
    await store.close()


async def test_what_ended_in_order_is_left_as_it_is(url: str) -> None:
    store = await Store.open(url, takes_calls=True)
    call = CallRecord("CA1", "AC1", "ann", "1000", "inbound", "ringing", NOW)
    store.calls.started(call)
    store.calls.ended("CA1", NOW, status="completed", duration_s=5, cause="hung up")
    store.conferences.created(ConferenceRecord("CF1", "room", NOW))
    store.conferences.completed("CF1", NOW, reason="last-participant-left")
    store.conferences.participant_joined(ParticipantRecord("CF1", "CA1", NOW))
    store.conferences.participant_left("CF1", "CA1", NOW, "participant_hung_up")
    await store.close()
    store = await Store.open(url, takes_calls=True)
    ended = replace(call, status="completed", ended_at=NOW, duration_s=5, cause="hung up", updated_at=NOW)
    assert await store.calls.get("CA1") == ended
    conference = await store.conferences.get("CF1")
    assert conference is not None
    assert conference.reason_ended == "last-participant-left"
    (participant,) = await store.conferences.participants("CF1")
    assert participant.reason_left == "participant_hung_up"
    await store.close()
