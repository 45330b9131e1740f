"""`<Enqueue>`, its wait documents, `<Leave>` and `<Dial><Queue>`: what they ask for and what comes next."""

import pytest
from tests.harness.call_script import BASE, ScriptedControl, page, run_script
from tests.harness.virtual_time import run_virtual

from townhall.twiml import (
    CallEnded,
    CallRedirected,
    DialOutcome,
    DocumentRequest,
    EnqueueOutcome,
    EnqueuePlan,
    FetchFailed,
    InlineDocument,
    Notice,
    QueueTarget,
    QueueWait,
)

LEFT = "https://app.example/left"
WAIT = "https://app.example/wait"
NEXT = "https://app.example/next"


def asked(call: ScriptedControl, url: str = LEFT) -> dict[str, str]:
    """The parameters of the request for this URL."""
    return dict(next(request for request in call.requests if request.url == url).parameters)


# ---- <Enqueue> ----


def test_every_attribute_reaches_the_queue():
    call = run_script('<Enqueue waitUrl="/wait" waitUrlMethod="GET">\n  support   desk </Enqueue>')
    assert call.enqueued == [EnqueuePlan("support desk", WAIT, "GET")]
    assert call.heard[:3] == [f"POST {BASE}", "answer", "enqueue support desk"]


def test_plain_enqueue_has_music():
    assert run_script("<Enqueue>q</Enqueue>").enqueued == [EnqueuePlan("q")]


def test_empty_wait_url_stays_empty():
    assert run_script('<Enqueue waitUrl="">q</Enqueue>').enqueued == [EnqueuePlan("q", "")]


def test_without_action_the_next_verb_runs():
    assert "say on" in run_script("<Enqueue>q</Enqueue><Say>on</Say>").heard


def test_action_is_told_the_result_and_runs_instead_of_the_next_verb():
    call = run_script(
        '<Enqueue action="/left" method="GET">q</Enqueue><Say>never</Say>', pages={LEFT: "<Say>left</Say>"}
    )
    assert asked(call) == {"QueueResult": "bridged", "QueueSid": "QU1", "QueueTime": "7"}
    assert call.heard[-3:] == [f"GET {LEFT}", "say left", "hang up"]


def test_one_who_was_never_in_the_queue_has_no_sid_and_no_time():
    outcome = EnqueueOutcome("queue-full")
    call = run_script('<Enqueue action="/left">q</Enqueue>', queue_outcome=outcome, pages={LEFT: ""})
    assert asked(call) == {"QueueResult": "queue-full"}


@pytest.mark.parametrize(("name", "code"), [("", 14204), ("  ", 14204), ("x" * 65, 14205)])
def test_bad_name_is_an_error_and_nobody_is_queued(name, code):
    call = run_script(f'<Enqueue action="/left">{name}</Enqueue>', pages={LEFT: ""})
    assert (call.codes, call.enqueued) == ([code], [])
    assert asked(call) == {"QueueResult": "error"}


def test_name_of_64_characters_is_allowed():
    assert run_script(f"<Enqueue>{'x' * 64}</Enqueue>").enqueued == [EnqueuePlan("x" * 64)]


def test_hang_up_is_told_to_the_action_and_nothing_runs_any_more():
    outcome = EnqueueOutcome("hangup", "QU1", 3, interruption=CallEnded())
    call = run_script(
        '<Enqueue action="/left">q</Enqueue>', queue_outcome=outcome, pages={LEFT: "<Say>nobody hears</Say>"}
    )
    assert asked(call) == {"QueueResult": "hangup", "QueueSid": "QU1", "QueueTime": "3"}
    assert call.heard[-1] == f"POST {LEFT}"


def test_redirection_does_not_wait_for_the_action():
    redirected = CallRedirected(DocumentRequest(NEXT))
    outcome = EnqueueOutcome("redirected", "QU1", 3, interruption=redirected)
    call = run_script(
        '<Enqueue action="/left">q</Enqueue>', queue_outcome=outcome, pages={NEXT: "<Say>next</Say>"}
    )
    assert [dict(request.parameters)["QueueResult"] for request in call.told] == ["redirected"]
    assert LEFT not in [request.url for request in call.requests]
    assert "say next" in call.heard


def test_error_of_the_queue_is_reported():
    outcome = EnqueueOutcome("error", "QU1", 1, Notice(11217, "error", "waitUrl: status 500"))
    assert run_script("<Enqueue>q</Enqueue>", queue_outcome=outcome).codes == [11217]


def test_task_router_is_reported_and_ignored():
    call = run_script('<Enqueue workflowSid="WW0">q<Task>{}</Task></Enqueue>')
    assert call.codes == [14207, 12200]
    assert call.enqueued == [EnqueuePlan("q")]


def test_relative_wait_url_of_inline_twiml_is_left_out():
    call = run_script(InlineDocument('<Response><Enqueue waitUrl="/wait">q</Enqueue></Response>'))
    assert call.codes == [15004]
    assert call.enqueued == [EnqueuePlan("q")]


# ---- <Leave> ----


def test_leave_outside_a_queue_is_skipped_with_a_warning():
    call = run_script("<Leave/><Say>on</Say>")
    assert call.codes == [12200]
    assert "say on" in call.heard


# ---- the wait document ----


def wait(**script) -> tuple[ScriptedControl, list[str]]:
    """Let a caller hear `waitUrl` until `<Leave>` or an error; how it ended."""
    control = ScriptedControl(**script)
    positions = iter(range(9, 0, -1))

    async def run() -> list[str]:
        control.start()
        waiting = QueueWait(control, DocumentRequest(WAIT), lambda: [("QueuePosition", str(next(positions)))])
        try:
            await waiting.run()
        except FetchFailed as failure:
            return [str(failure.code), str(waiting.worked)]
        return ["left"]

    return control, run_virtual(run())


def test_wait_document_is_asked_for_again_with_the_standing_of_now():
    pages = {WAIT: ["<Say>1</Say>", "<Say>2</Say>", "<Leave/><Say>never</Say>"]}
    control, how = wait(pages=pages)
    assert how == ["left"]
    said = [what for what in control.heard if what.startswith("say")]
    assert said == ["say 1", "say 2"]
    assert [dict(request.parameters) for request in control.requests] == [
        {"QueuePosition": "9"}, {"QueuePosition": "8"}, {"QueuePosition": "7"}
    ]  # fmt: skip


def test_wait_documents_are_a_second_apart():
    control, _ = wait(pages={WAIT: ["", "", "<Leave/>"]})
    assert control.request_times == [0.0, 1.0, 2.0]


def test_redirect_in_a_wait_document_goes_elsewhere_and_then_back():
    pages = {
        WAIT: ["<Redirect>/other</Redirect>", "<Leave/>"],
        "https://app.example/other": "<Say>other</Say>",
    }
    control, how = wait(pages=pages)
    assert how == ["left"]
    assert [request.url for request in control.requests] == [WAIT, "https://app.example/other", WAIT]
    assert dict(control.requests[1].parameters) == {"QueuePosition": "8"}


def test_gather_in_a_wait_document_asks_its_action_with_the_standing():
    pages = {
        WAIT: '<Gather numDigits="1" action="/key"><Say>press</Say></Gather>',
        "https://app.example/key": "<Leave/>",
    }
    control, how = wait(pages=pages, keys={1.0: "5"})
    assert how == ["left"]
    asked = dict(control.requests[1].parameters)
    assert (asked["Digits"], asked["QueuePosition"]) == ("5", "8")


def test_audio_is_played_once_before_the_url_is_asked_for_again():
    sound = page(b"RIFF", WAIT, "audio/wav")
    control, how = wait(pages={WAIT: [sound, sound, "<Leave/>"]})
    assert how == ["left"]
    assert control.heard.count(f"play the answer of {WAIT}") == 2


def test_hang_up_in_a_wait_document_ends_the_call():
    control = ScriptedControl(pages={WAIT: "<Hangup/>"})
    with pytest.raises(CallEnded):
        run_virtual(QueueWait(control, DocumentRequest(WAIT), list).run())
    assert control.heard[-1] == "hang up"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("<Dial>1</Dial>", 14207),
        ("<Enqueue>q</Enqueue>", 14207),
        ("<Reject/>", 14207),
        (FetchFailed(11217, WAIT, "status 500"), 11217),
        (page("<Response><Say>", WAIT), 12100),
        (page("", WAIT), 11770),
        (page("x", WAIT, "image/png"), 12300),
    ],
)
def test_unusable_wait_document_is_an_error(answer, code):
    assert wait(pages={WAIT: answer})[1] == [str(code), "False"]
    assert wait(pages={WAIT: ["<Say>1</Say>", answer]})[1] == [str(code), "True"]


def test_wait_document_of_words_is_spoken():
    control, _ = wait(pages={WAIT: [page("You are next", WAIT, "text/plain"), "<Leave/>"]})
    assert "say You are next" in control.heard


# ---- <Dial><Queue> ----


def test_queue_is_dialled_with_what_the_document_says():
    call = run_script(
        '<Dial timeout="20" hangupOnStar="true" timeLimit="90"><Queue url="/whisper" method="GET">q</Queue>'
        "</Dial>"
    )
    target = QueueTarget("q", "https://app.example/whisper", "GET")
    assert call.taken == [(target, 20, True, 90)]
    assert call.heard[:3] == [f"POST {BASE}", "answer", "dial queue q"]


def test_plain_queue_has_no_document_and_dials_defaults():
    assert run_script("<Dial><Queue>q</Queue></Dial>").taken == [(QueueTarget("q"), 30, False, 14400)]


def test_action_after_a_talk_is_told_with_whom_and_how_long():
    call = run_script('<Dial action="/left"><Queue>q</Queue></Dial>', pages={LEFT: ""})
    assert asked(call) == {
        "DialCallStatus": "completed", "DialBridged": "true", "DialCallSid": "CA2", "DialCallDuration": "20"
    }  # fmt: skip


def test_nobody_came_is_told_without_a_sid():
    call = run_script(
        '<Dial action="/left"><Queue>q</Queue></Dial>',
        dial_outcome=DialOutcome("no-answer"),
        pages={LEFT: ""},
    )
    assert asked(call) == {"DialCallStatus": "no-answer", "DialBridged": "false"}


@pytest.mark.parametrize(("name", "code"), [("", 14212), ("x" * 65, 14213)])
def test_bad_name_fails_the_dial(name, code):
    call = run_script(f'<Dial action="/left"><Queue>{name}</Queue></Dial>', pages={LEFT: ""})
    assert (call.codes, call.taken) == ([code], [])
    assert asked(call)["DialCallStatus"] == "failed"


def test_hang_up_during_the_talk_is_told_to_the_action():
    outcome = DialOutcome("completed", "CA2", 5, True, interruption=CallEnded())
    call = run_script('<Dial action="/left"><Queue>q</Queue></Dial>', dial_outcome=outcome, pages={LEFT: ""})
    assert asked(call)["DialCallDuration"] == "5"
    assert call.heard[-1] == f"POST {LEFT}"


def test_redirection_is_not_told_to_the_action_of_a_dial():
    outcome = DialOutcome("completed", "CA2", 5, True, interruption=CallRedirected(DocumentRequest(NEXT)))
    call = run_script(
        '<Dial action="/left"><Queue>q</Queue></Dial>', dial_outcome=outcome, pages={NEXT: "<Say>next</Say>"}
    )
    assert [request.url for request in call.requests] == [BASE, NEXT]


@pytest.mark.parametrize("others", ["<Queue>r</Queue>", "<Number>+1555</Number>"])
def test_queue_stands_alone_in_a_dial(others):
    call = run_script(f"<Dial><Queue>q</Queue>{others}</Dial>")
    assert call.codes == [13215]
    assert [target.name for target, *_ in call.taken] == ["q"]


def test_conference_and_queue_do_not_mix():
    call = run_script("<Dial><Queue>q</Queue><Conference>room</Conference></Dial>")
    assert (call.codes, call.taken) == ([13000], [])
    assert [dial.name for dial in call.dials] == ["room"]
