"""Every callback and every parameter that the code can send is in the reference."""

from pathlib import Path

import pytest

from townhall.calls import progress
from townhall.conference.callbacks import SUBSCRIPTION

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "callbacks.md").read_text("utf-8")
PARAMETERS = (
    *("CallDuration", "Duration", "SipResponseCode", "Timestamp", "CallbackSource", "SequenceNumber"),
    *("ConferenceSid", "FriendlyName", "StatusCallbackEvent", "CallSid", "Muted", "Hold", "Coaching"),
    *("EndConferenceOnExit", "StartConferenceOnEnter", "ParticipantLabel", "ParticipantCallStatus"),
    *("ReasonParticipantLeft", "ReasonConferenceEnded", "Reason", "CallSidEndingConference"),
    *("ParticipantLabelEndingConference", "AnnounceUrl", "ReasonAnnouncementFailed"),
)


@pytest.mark.parametrize(("event", "word"), SUBSCRIPTION.items())
def test_conference_event_is_documented_beside_its_word(event: str, word: str) -> None:
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{word}` |")]
    assert f"`{event}`" in row


@pytest.mark.parametrize("event", [*progress._EVENTS.values(), "completed"])
def test_call_event_is_documented(event: str) -> None:
    assert f"\n| `{event}` |" in PAGE


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_is_documented(name: str) -> None:
    assert f"`{name}`" in PAGE
