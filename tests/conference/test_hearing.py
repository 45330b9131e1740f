"""Who hears whom, flag by flag, as the matrix that the places amount to."""

import pytest

from townhall.conference.hearing import OUTSIDE, Place, hearing, music_of, pairs
from townhall.conference.participant import Participant


def people(*participants: Participant) -> dict[str, Participant]:
    return {participant.call_sid: participant for participant in participants}


ANN, BOB = Participant("ann", 0.0), Participant("bob", 0.0)


@pytest.mark.parametrize(
    ("participant", "place"),
    [
        (Participant("x", 0.0), Place(hears=True, heard=True)),
        (Participant("x", 0.0, muted=True), Place(hears=True, heard=False)),
        (Participant("x", 0.0, hold=True), OUTSIDE),
        (Participant("x", 0.0, hold=True, muted=True), OUTSIDE),
        (Participant("x", 0.0, coaching=True, coach="ann"), Place(hears=True, whisper_to="ann")),
        (Participant("x", 0.0, coaching=True, coach="ann", muted=True), Place(hears=True)),
        (Participant("x", 0.0, coaching=True, coach="ann", hold=True), OUTSIDE),
        (Participant("x", 0.0, coaching=True, coach="gone"), Place(hears=True)),
        (Participant("x", 0.0, coaching=True, coach="x"), Place(hears=True)),
        (Participant("x", 0.0, coaching=True), Place(hears=True)),
    ],
)
def test_place_after_the_start_follows_the_flags(participant: Participant, place: Place) -> None:
    assert hearing(people(ANN, participant), started=True)["x"] == place
    assert hearing(people(ANN, participant), started=False)["x"] == OUTSIDE


def test_everybody_hears_everybody_but_himself() -> None:
    assert pairs(hearing(people(ANN, BOB), started=True)) == {("ann", "bob"), ("bob", "ann")}
    assert pairs(hearing(people(ANN, BOB), started=False)) == set()


def test_coach_hears_all_and_is_heard_by_one() -> None:
    coach = Participant("cat", 0.0, coaching=True, coach="ann")
    matrix = pairs(hearing(people(ANN, BOB, coach), started=True))
    assert matrix == {("ann", "bob"), ("bob", "ann"), ("cat", "ann"), ("cat", "bob"), ("ann", "cat")}


def test_coach_of_one_on_hold_is_heard_by_nobody() -> None:
    held = Participant("ann", 0.0, hold=True)
    coach = Participant("cat", 0.0, coaching=True, coach="ann")
    assert hearing(people(held, coach), started=True)["cat"] == Place(hears=True)


@pytest.mark.parametrize(
    ("hold", "started", "music"),
    [(False, False, "wait"), (True, False, "hold"), (True, True, "hold"), (False, True, None)],
)
def test_music(hold: bool, started: bool, music: str | None) -> None:
    assert music_of(Participant("x", 0.0, hold=hold), started) == music
