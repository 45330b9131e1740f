"""`<Dial>`: the conference it asks for, and what the caller's TwiML does afterwards."""

import pytest
from tests.harness.call_script import run_script

from townhall.twiml import (
    CallRedirected,
    ConferenceCallbacks,
    ConferenceDial,
    ConferenceOutcome,
    DocumentRequest,
    FetchFailed,
    InlineDocument,
    Notice,
)  # fmt: skip

LEFT = "https://app.example/left"
ROOM = "<Conference>Room</Conference>"
FULL = ConferenceOutcome("failed", Notice(16020, "error", "the conference is full"))


def dialled(attributes="", inner="Room", dial="", **script):
    call = run_script(f"<Dial {dial}><Conference {attributes}>{inner}</Conference></Dial>", **script)
    return call.dials[0]


def test_plain_conference_has_twilios_defaults():
    assert dialled() == ConferenceDial(name="Room")


def test_every_attribute_reaches_the_conference():
    dial = dialled(
        'muted="true" beep="onEnter" startConferenceOnEnter="false" endConferenceOnExit="true" '
        'participantLabel="alice" jitterBufferSize="small" waitUrl="/wait" waitMethod="GET" '
        'coach="CA00000000000000000000000000000001" '
        'maxParticipants="10" record="record-from-start" trim="do-not-trim" region="us1" '
        'statusCallback="events?x=1" statusCallbackMethod="GET" statusCallbackEvent="start end" '
        'recordingStatusCallback="/rec" '
        'recordingStatusCallbackMethod="GET" recordingStatusCallbackEvent="absent"',
        "\n   Room 1234 \n",
        'hangupOnStar="true" timeLimit="7200"',
    )
    assert dial == ConferenceDial(
        name="Room 1234",
        muted=True,
        beep_on_enter=True,
        beep_on_exit=False,
        start_conference_on_enter=False,
        end_conference_on_exit=True,
        participant_label="alice",
        jitter_buffer_size="small",
        wait_url="https://app.example/wait",
        wait_method="GET",
        coach="CA00000000000000000000000000000001",
        max_participants=10,
        record=True,
        trim_silence=False,
        status_callback=ConferenceCallbacks(
            "https://app.example/voice/events?x=1", "GET", frozenset({"start", "end"})
        ),
        recording_callback=ConferenceCallbacks("https://app.example/rec", "GET", frozenset({"absent"})),
        hangup_on_star=True,
        time_limit_s=7200,
    )


@pytest.mark.parametrize(("beep", "enter", "leave"), [
    ("true", True, True), ("false", False, False), ("onEnter", True, False), ("onExit", False, True),
])  # fmt: skip
def test_beep_is_split_into_enter_and_exit(beep, enter, leave):
    dial = dialled(f'beep="{beep}"')
    assert (dial.beep_on_enter, dial.beep_on_exit) == (enter, leave)


@pytest.mark.parametrize(("attribute", "expected"), [
    ("", None), ('waitUrl=""', ""), ('waitUrl="https://x.example/w"', "https://x.example/w"),
     ('waitUrl="ftp://x"', None),
])  # fmt: skip
def test_wait_url_absent_is_default_music_and_empty_is_silence(attribute, expected):
    assert dialled(attribute).wait_url == expected


def test_callbacks_without_events_ask_for_none():
    assert dialled('statusCallback="/e"').status_callback.events == frozenset()


def test_relative_urls_in_inline_twiml_are_reported_and_left_out():
    inline = (
        '<Response><Dial><Conference waitUrl="/w" statusCallback="/s">Room</Conference></Dial></Response>'
    )
    call = run_script(InlineDocument(inline))
    assert call.codes == [15004, 15004]
    assert (call.dials[0].wait_url, call.dials[0].status_callback) == (None, None)


def test_action_gets_the_status_but_no_child_call():
    call = run_script(f'<Dial action="/left">{ROOM}</Dial><Say>Never</Say>', pages={LEFT: "<Hangup/>"})
    assert call.requests[1] == DocumentRequest(
        LEFT, "POST", (("DialCallStatus", "answered"), ("DialBridged", "true"))
    )
    assert "say Never" not in call.heard


def test_action_method_is_obeyed():
    call = run_script(f'<Dial action="/left" method="GET">{ROOM}</Dial>', pages={LEFT: "<Hangup/>"})
    assert call.requests[1].method == "GET"


def test_without_action_the_next_verb_runs():
    call = run_script(f"<Dial>{ROOM}</Dial><Say>After</Say>")
    assert call.log[2:] == [(0.0, "join Room"), (60.0, "say After"), (63.0, "hang up")]


def test_caller_who_was_not_admitted_goes_on_with_failed():
    call = run_script(f'<Dial action="/left">{ROOM}</Dial>', pages={LEFT: "<Hangup/>"}, outcome=FULL)
    assert dict(call.requests[1].parameters) == {"DialCallStatus": "failed", "DialBridged": "false"}
    assert call.notices == [FULL.error]
    assert "say Full" in run_script(f"<Dial>{ROOM}</Dial><Say>Full</Say>", outcome=FULL).heard


def test_action_is_requested_when_the_caller_hung_up_and_its_answer_ignored():
    call = run_script(
        f'<Dial action="/left">{ROOM}</Dial>', hangs_up_at=5.0, pages={LEFT: "<Say>Nobody hears</Say>"}
    )
    assert call.log[-1] == (5.0, f"POST {LEFT}")
    assert dict(call.requests[1].parameters)["DialCallStatus"] == "answered"


@pytest.mark.parametrize("answer", [FetchFailed(11217, LEFT, "status 500"), None])
def test_action_that_fails_after_the_hang_up_is_a_warning_and_no_fallback(answer):
    pages = {} if answer is None else {LEFT: answer}
    call = run_script(
        f'<Dial action="/left">{ROOM}</Dial>',
        hangs_up_at=5.0,
        pages=pages,
        fallback=DocumentRequest("https://app.example/f"),
    )
    assert [request.url for request in call.requests][1:] == [LEFT]
    assert [(notice.code, notice.level) for notice in call.notices] == [(11217, "warning")]


def test_bad_action_after_the_hang_up_is_a_warning():
    call = run_script(f'<Dial action="http://">{ROOM}</Dial>', hangs_up_at=5.0)
    assert call.codes == [11100]


def test_action_is_not_requested_after_a_rest_update():
    update = CallRedirected(DocumentRequest("https://app.example/new"))
    call = run_script(
        f'<Dial action="/left">{ROOM}</Dial>',
        redirected_at=(5.0, update),
        pages={LEFT: "<Hangup/>", "https://app.example/new": "<Hangup/>"},
    )
    assert [request.url for request in call.requests][1:] == ["https://app.example/new"]


@pytest.mark.parametrize("inner", ["", "<Sim>DE1</Sim>"])
def test_nobody_to_dial_fails_the_dial(inner):
    call = run_script(f'<Dial action="/left">{inner}</Dial>', pages={LEFT: "<Hangup/>"})
    assert dict(call.requests[1].parameters)["DialCallStatus"] == "failed"
    assert call.codes == [13299]
    assert call.dials == []


@pytest.mark.parametrize("inner", [
    "<Conference>A</Conference><Conference>B</Conference>",
    "<Conference>A</Conference><Number>1</Number>",
    "<Client>a</Client><Conference>A</Conference>",
])  # fmt: skip
def test_conference_twice_or_mixed_is_13000_and_the_first_is_dialled(inner):
    call = run_script(f"<Dial>{inner}</Dial>")
    assert call.codes == [13000]
    assert [dial.name for dial in call.dials] == ["A"]


def test_unknown_noun_is_13215_and_skipped():
    call = run_script(f"<Dial><Say>x</Say>{ROOM}</Dial>")
    assert call.codes == [13215]
    assert len(call.dials) == 1


@pytest.mark.parametrize(("name", "code"), [("", 13237), ("  \n ", 13237), ("x" * 129, 13237)])
def test_bad_name_is_13237_and_nobody_joins(name, code):
    call = run_script(f"<Dial><Conference>{name}</Conference></Dial><Say>After</Say>")
    assert (call.codes, call.dials) == ([code], [])
    assert "say After" in call.heard


def test_name_of_128_characters_is_taken():
    assert dialled(inner="x" * 128).name == "x" * 128


def test_bad_coach_is_not_let_in_as_an_ordinary_participant():
    call = run_script(
        '<Dial action="/left"><Conference coach="bob">Room</Conference></Dial>', pages={LEFT: "<Hangup/>"}
    )
    assert call.dials == []
    assert set(call.codes) == {13240}
    assert dict(call.requests[1].parameters)["DialCallStatus"] == "failed"
