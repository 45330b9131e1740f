"""`<Dial>` of phones: whom it asks to be rung, and what its `action` is told."""

import pytest
from tests.harness.call_script import run_script

from townhall.twiml import CallCallbacks, CallEnded, DialOutcome, DocumentRequest, InlineDocument, Notice
from townhall.twiml.dial_plan import CallTarget, DialPlan

LEFT = "https://app.example/left"


def rung(inner, dial="", **script):
    return run_script(f"<Dial {dial}>{inner}</Dial>", **script)


@pytest.mark.parametrize(("inner", "target"), [
    ("+1 (555) 123-4567", CallTarget("number", "+15551234567")),
    ("<Number>+15551234567</Number>", CallTarget("number", "+15551234567")),
    ("<Number>1001</Number>", CallTarget("number", "1001")),
    ("<Client>alice</Client>", CallTarget("client", "client:alice")),
    ("<Client><Identity>al</Identity><Parameter name='a' value='b'/></Client>",
     CallTarget("client", "client:al", parameters=(("a", "b"),))),
    ("<Sip>sip:bob@example.com?x-a=b</Sip>", CallTarget("sip", "sip:bob@example.com?x-a=b")),
    ("<Sip username='u' password='p'>sip:bob@example.com</Sip>",
     CallTarget("sip", "sip:bob@example.com", auth=("u", "p"))),
    ("<Number url='/ask' method='GET' sendDigits='ww1'>+15551234567</Number>",
     CallTarget("number", "+15551234567", DocumentRequest("https://app.example/ask", "GET"),
                send_digits="ww1")),
    ("<Client statusCallback='/s' statusCallbackEvent='ringing answered'>a</Client>",
     CallTarget("client", "client:a", status_callback=CallCallbacks(
         "https://app.example/s", "POST", frozenset({"ringing", "answered"})))),
])  # fmt: skip
def test_target_is_read_with_all_that_belongs_to_it(inner, target):
    call = rung(inner)
    assert (call.rung, call.codes) == ([DialPlan((target,))], [])


def test_attributes_of_dial_reach_the_plan():
    call = rung(
        "<Client>a</Client>",
        'timeout="5" callerId="+15550001111" answerOnBridge="true" ringTone="uk" hangupOnStar="true" '
        'timeLimit="60" sequential="true"',
    )
    assert call.rung == [
        DialPlan((CallTarget("client", "client:a"),), 5, "+15550001111", True, "uk", True, 60, True)
    ]
    assert call.heard[1:3] == ["ring", "dial client:a"]


def test_several_nouns_are_rung_together_and_only_the_first_ten():
    call = rung("".join(f"<Number>+155512345{n:02}</Number>" for n in range(12)))
    assert len(call.rung[0].targets) == 10
    assert call.codes == [13215]


@pytest.mark.parametrize(("inner", "code"), [
    ("<Number>hello</Number>", 13223), ("<Number/>", 13223), ("call me", 13223), ("<Client/>", 13299),
    ("<Sip>bob</Sip>", 13241), ("<Sip>sips:b@x.example</Sip>", 13241),
    ("<Sip>sip:b@x.example;transport=tls</Sip>", 13241), (f"<Sip>sip:b@{'x' * 260}</Sip>", 13241),
])  # fmt: skip
def test_bad_target_fails_the_dial(inner, code):
    call = run_script(f'<Dial action="/left">{inner}</Dial>', pages={LEFT: "<Hangup/>"})
    assert (call.rung, call.codes) == ([], [code])
    assert dict(call.requests[1].parameters) == {"DialCallStatus": "failed", "DialBridged": "false"}


def test_screening_that_can_not_be_asked_for_keeps_the_callee_unrung():
    inline = '<Response><Dial><Number url="/ask">+15551234567</Number><Client>a</Client></Dial></Response>'
    call = run_script(InlineDocument(inline))
    assert call.codes == [15004]
    assert [target.to for target in call.rung[0].targets] == ["client:a"]


def test_action_is_told_of_the_call_and_what_belongs_to_it():
    outcome = DialOutcome("completed", "CA2", 20, True, parameters=(("DialSipResponseCode", "200"),))
    call = run_script(
        '<Dial action="/left"><Client>a</Client></Dial>', pages={LEFT: "<Hangup/>"}, dial_outcome=outcome
    )
    assert call.requests[1].parameters == (
        ("DialCallStatus", "completed"),
        ("DialBridged", "true"),
        ("DialCallSid", "CA2"),
        ("DialCallDuration", "20"),
        ("DialSipResponseCode", "200"),
    )


def test_action_is_told_even_when_the_caller_has_hung_up():
    outcome = DialOutcome("canceled", "CA2", 0, interruption=CallEnded())
    call = run_script(
        '<Dial action="/left"><Client>a</Client></Dial><Say>Never</Say>',
        pages={LEFT: "<Say>Nobody hears this</Say>"},
        dial_outcome=outcome,
    )
    assert dict(call.requests[1].parameters)["DialCallStatus"] == "canceled"
    assert not [what for what in call.heard if what.startswith("say")]


def test_failed_dial_reports_why_and_the_next_verb_runs():
    outcome = DialOutcome("failed", error=Notice(13214, "error", "not your number"))
    call = run_script("<Dial><Client>a</Client></Dial><Say>After</Say>", dial_outcome=outcome)
    assert call.notices == [outcome.error]
    assert "say After" in call.heard
