"""`<Record>` and `<Dial record>`: what they ask of the call, and what follows."""

import pytest
from tests.harness.call_script import BASE, run_script

from townhall.twiml import RecordOutcome
from townhall.twiml.control import ConferenceCallbacks, RecordingPlan, RecordPlan

ACTION = "https://app.example/taken"
NEXT = {ACTION: "<Hangup/>"}


def test_defaults_are_twilios():
    call = run_script('<Record action="/taken"/>', pages=NEXT)
    recording = RecordingPlan(source="RecordVerb", track="inbound", trim_silence=True)
    assert call.records == [RecordPlan(recording, 5, "1234567890*#", 3600, True)]
    assert call.notices == []


def test_attributes_reach_the_recording_with_absolute_urls():
    call = run_script(
        '<Record action="/taken" timeout="0" finishOnKey="*" maxLength="30" playBeep="false" '
        'trim="do-not-trim" recordingStatusCallback="told" recordingStatusCallbackMethod="GET" '
        'recordingStatusCallbackEvent="in-progress absent"/>',
        pages=NEXT,
    )
    callback = ConferenceCallbacks(
        "https://app.example/voice/told", "GET", frozenset({"in-progress", "absent"})
    )
    recording = RecordingPlan(source="RecordVerb", track="inbound", callback=callback)
    assert call.records == [RecordPlan(recording, 0, "*", 30, False)]


def test_action_is_told_of_the_recording_and_verbs_after_it_never_run():
    call = run_script('<Record action="/taken" method="GET"/><Say>Never</Say>', pages=NEXT)
    assert call.heard[1:] == ["answer", "record", f"GET {ACTION}", "hang up"]
    assert call.requests[1].parameters == (
        ("RecordingUrl", "https://x.example/RE1"),
        ("RecordingSid", "RE1"),
        ("RecordingDuration", "7"),
        ("Digits", "#"),
    )


def test_without_action_the_current_document_is_asked_again():
    call = run_script(pages={BASE: ['<Record maxLength="5"/>', "<Hangup/>"]})
    assert [request.url for request in call.requests] == [BASE, BASE]


def test_who_says_nothing_goes_on_with_the_next_verb():
    call = run_script('<Record action="/taken"/><Say>Nothing</Say>', record_outcome=None)
    assert call.heard[1:] == ["answer", "record", "say Nothing", "hang up"]


def test_hang_up_is_told_to_the_action_and_its_answer_is_not_run():
    outcome = RecordOutcome("RE1", "https://x.example/RE1", 3, "hangup")
    call = run_script(
        '<Record action="/taken"/>', pages={ACTION: "<Say>Nobody hears</Say>"}, record_outcome=outcome
    )
    assert call.heard[1:] == ["answer", "record", f"POST {ACTION}"]
    assert ("Digits", "hangup") in call.requests[1].parameters


def test_action_that_can_not_be_reached_after_a_hang_up_is_a_warning():
    outcome = RecordOutcome("RE1", "https://x.example/RE1", 3, "hangup")
    call = run_script('<Record action="/missing"/>', record_outcome=outcome)
    assert call.codes == [11217]


@pytest.mark.parametrize(
    ("attribute", "longest"),
    [
        ('transcribe="true"', 120),
        ('transcribeCallback="/words"', 120),
        ('transcribe="true" maxLength="300"', 300),
    ],
)
def test_transcription_is_reported_and_the_sound_recorded(attribute, longest):
    call = run_script(f'<Record action="/taken" {attribute}/>', pages=NEXT)
    assert call.codes == [13614]
    assert call.records[0].max_length_s == longest


def test_child_element_is_reported_and_skipped():
    assert run_script('<Record action="/taken"><Say>Hi</Say></Record>', pages=NEXT).codes == [12200]


@pytest.mark.parametrize("value", ["do-not-record", "false"])
def test_dial_that_records_nothing_starts_nothing(value):
    call = run_script(f'<Dial record="{value}"><Conference>Room</Conference></Dial>')
    assert call.recordings == []


@pytest.mark.parametrize(
    ("value", "channels"),
    [
        ("true", "mono"),
        ("record-from-answer", "mono"),
        ("record-from-ringing", "mono"),
        ("record-from-answer-dual", "dual"),
        ("record-from-ringing-dual", "dual"),
    ],
)
def test_dial_into_a_conference_records_the_leg_as_long_as_it_lasts(value, channels):
    call = run_script(
        f'<Dial record="{value}" recordingTrack="inbound" trim="trim-silence" action="/taken">'
        "<Conference>Room</Conference></Dial>",
        pages=NEXT,
    )
    plan = RecordingPlan("DialVerb", channels, "inbound", True)
    assert call.recordings == [plan, "https://x.example/RE2"]
    assert ("RecordingUrl", "https://x.example/RE2") in call.requests[1].parameters


def test_dial_of_who_hangs_up_stops_its_recording_and_tells_the_action():
    call = run_script(
        '<Dial record="true" action="/taken"><Conference>Room</Conference></Dial>',
        pages=NEXT,
        hangs_up_at=5.0,
    )
    assert call.recordings[1:] == ["https://x.example/RE2"]
    assert ("RecordingUrl", "https://x.example/RE2") in call.requests[1].parameters
