"""Conferences and who was in them from when to when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from townhall.store import ConferenceRecord, ParticipantRecord, Store

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ROOM = ConferenceRecord("CF1", "Town Hall", NOW)
ANN = ParticipantRecord("CF1", "CA1", NOW, label="Ann", muted=True, start_conference_on_enter=False)


def after(seconds: int) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def test_conference_from_its_making_to_its_end(store: Store) -> None:
    await store.conferences.created(ROOM)
    assert await store.conferences.get("CF1") == ROOM
    await store.conferences.started("CF1", after(1))
    await store.conferences.completed("CF1", after(2), reason="last-participant-left", call_sid_ending="CA1")
    assert await store.conferences.get("CF1") == replace(
        ROOM,
        status="completed",
        started_at=after(1),
        ended_at=after(2),
        reason_ended="last-participant-left",
        call_sid_ending="CA1",
        updated_at=after(2),
    )


async def test_every_stay_is_kept_with_its_own_end(store: Store) -> None:
    store.conferences.participant_joined(ANN)
    store.conferences.participant_left("CF1", "CA1", after(1), "participant_updated_via_api")
    back = replace(ANN, joined_at=after(2), muted=False, coaching=True, end_conference_on_exit=True)
    store.conferences.participant_joined(back)
    store.conferences.participant_joined(replace(ANN, conference_sid="CF2"))
    await store.conferences.participant_left("CF1", "CA1", after(3), "participant_hung_up")
    stays = [
        replace(ANN, left_at=after(1), updated_at=after(1), reason_left="participant_updated_via_api"),
        replace(back, left_at=after(3), updated_at=after(3), reason_left="participant_hung_up"),
    ]
    assert await store.conferences.participants("CF1") == stays
    assert await store.conferences.participants("CF9") == []
    of_call = await store.conferences.participants(call_sid="CA1")
    assert of_call == [*stays, replace(ANN, conference_sid="CF2")]


async def test_conferences_are_listed_newest_first_by_name_and_life(store: Store) -> None:
    for number, name in enumerate(("a", "b", "a")):
        await store.conferences.created(ConferenceRecord(f"CF{number}", name, after(number)))
    await store.conferences.completed("CF2", after(9), reason="last-participant-left")
    assert [c.sid for c in await store.conferences.list()] == ["CF2", "CF1", "CF0"]
    assert [c.sid for c in await store.conferences.list(name="a")] == ["CF2", "CF0"]
    assert [c.sid for c in await store.conferences.list(live=True)] == ["CF1", "CF0"]
    assert [c.sid for c in await store.conferences.list(live=False)] == ["CF2"]
    assert [c.sid for c in await store.conferences.list(1)] == ["CF2"]


async def test_unknown_conference_is_none(store: Store) -> None:
    assert await store.conferences.get("CF1") is None
