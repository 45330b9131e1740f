"""A call's documents: order of verbs, content types, fallback, apology, redirects, answering."""

import pytest
from tests.harness.call_script import BASE, page, run_script

from townhall.twiml import CallRedirected, DocumentRequest, FetchFailed, InlineDocument, Notice
from townhall.twiml.interpreter import APOLOGY
from townhall.twiml.limits import DOCUMENTS_PER_CALL

FALLBACK = DocumentRequest("https://app.example/fallback")
DOWN = FetchFailed(11205, BASE, "connection failed")


def test_verbs_run_in_order_and_the_call_is_hung_up_at_the_end():
    call = run_script('<Say>A</Say><Pause length="2"/><Play loop="2">b.mp3</Play>')
    assert call.log == [
        (0.0, f"POST {BASE}"),
        (0.0, "answer"),
        (0.0, "say A"),
        (3.0, "pause 2"),
        (5.0, "play https://app.example/voice/b.mp3 x2"),
        (8.0, "hang up"),
    ]


@pytest.mark.parametrize(("first", "expected"), [
    ("<Say>A</Say>", ["answer", "say A", "hang up"]),
    ("<Play>https://x.example/a</Play>", ["answer", "play https://x.example/a", "hang up"]),
    ('<Play digits="1w2"/>', ["answer", "digits 1w2", "hang up"]),
    ('<Gather timeout="1"/>', ["answer", "hang up"]),
    ("<Dial><Conference>Room</Conference></Dial>", ["answer", "join Room", "hang up"]),
    ('<Dial answerOnBridge="true"><Conference>Room</Conference></Dial>', ["ring", "answer", "join Room",
     "hang up"]),
    ('<Dial answerOnBridge="true">+15551234567</Dial><Reject/>', ["ring", "dial +15551234567",
     "reject rejected"]),
    ('<Pause length="3"/><Reject reason="busy"/>', ["ring", "pause 3", "reject busy"]),
    ("<Pause/>", ["ring", "pause 1", "answer", "hang up"]),
    ("<Reject/>", ["reject rejected"]),
    ('<Reject reason="busy"/>', ["reject busy"]),
    ("<Say>A</Say><Reject/><Say>B</Say>", ["answer", "say A", "hang up"]),
    ("<Hangup/><Say>B</Say>", ["answer", "hang up"]),
    ("", ["answer", "hang up"]),
])  # fmt: skip
def test_first_verb_decides_when_the_call_is_answered(first, expected):
    assert run_script(first).heard[1:] == expected


def test_redirect_first_keeps_the_call_ringing():
    call = run_script(
        '<Redirect method="GET">/next?x=1</Redirect>', pages={"https://app.example/next?x=1": "<Reject/>"}
    )
    assert call.heard == [f"POST {BASE}", "ring", "GET https://app.example/next?x=1", "reject rejected"]


def test_empty_redirect_asks_for_the_current_document():
    call = run_script(DocumentRequest(BASE + "?a=1"), pages={BASE + "?a=1": ["<Redirect/>", "<Hangup/>"]})
    assert [request.url for request in call.requests] == [BASE + "?a=1"] * 2


def test_relative_urls_resolve_against_the_final_url():
    moved = page("<Response><Play>../b.wav</Play></Response>", "https://cdn.example/x/y/voice?z=1")
    assert "play https://cdn.example/x/b.wav" in run_script(pages={BASE: moved}).heard


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml; charset=utf-8", "TEXT/HTML"])
def test_xml_types_are_twiml(content_type):
    call = run_script(pages={BASE: page("<Response><Say>A</Say></Response>", content_type=content_type)})
    assert "say A" in call.heard


@pytest.mark.parametrize("content_type", [
    "audio/mpeg", "audio/wav", "audio/wave", "audio/x-wav", "audio/aiff", "audio/x-aifc", "audio/x-aiff",
    "audio/x-gsm", "audio/gsm", "audio/ulaw", "audio/ogg", "audio/flac",
])  # fmt: skip
def test_audio_answer_is_played_once_and_the_call_hung_up(content_type):
    call = run_script(pages={BASE: page(b"\x00", content_type=content_type)})
    assert call.heard[1:] == ["answer", f"play the answer of {BASE}", "hang up"]


def test_plain_text_is_spoken_and_plain_twiml_is_run():
    spoken = run_script(
        pages={BASE: page("Hello\n there & good bye", content_type="text/plain; charset=utf-8")}
    )
    assert spoken.heard[1:] == ["answer", "say Hello there & good bye", "hang up"]
    run = run_script(pages={BASE: page("<Response><Say>A</Say></Response>", content_type="text/plain")})
    assert run.heard[1:] == ["answer", "say A", "hang up"]


@pytest.mark.parametrize(("answer", "code"), [
    (DOWN, 11205),
    (page("{}", content_type="application/json"), 12300),
    (page("<Response/>", content_type=""), 12300),
    (page(""), 11770),
    (page("", content_type="text/plain"), 11770),
    (page("not xml"), 12100),
    (page("<Twiml/>"), 12102),
    (page("x" * 70000), 11750),
    (page("<Response><Redirect>ftp://x/</Redirect></Response>"), 11100),
    (page('<Response><Gather numDigits="1" action="http://"/></Response>'), 11100),
])  # fmt: skip
def test_fatal_error_asks_the_fallback_with_code_and_url(answer, code):
    call = run_script(
        pages={BASE: answer, FALLBACK.url: "<Say>Fallback</Say>"}, fallback=FALLBACK, keys={1.0: "1"}
    )
    assert call.requests[1].url == FALLBACK.url
    parameters = dict(call.requests[1].parameters)
    assert parameters["ErrorCode"] == str(code)
    assert parameters["ErrorUrl"]
    assert [(notice.code, notice.level) for notice in call.notices] == [(code, "error")]
    assert call.heard[-2:] == ["say Fallback", "hang up"]


def test_without_a_fallback_the_caller_hears_an_apology():
    call = run_script(pages={BASE: DOWN})
    assert call.heard[1:] == ["answer", f"say {APOLOGY.text}", "hang up"]


def test_fallback_that_fails_too_ends_in_the_apology():
    call = run_script(
        pages={BASE: DOWN, FALLBACK.url: FetchFailed(11217, FALLBACK.url, "500")}, fallback=FALLBACK
    )
    assert call.codes == [11205, 11217]
    assert call.heard[2:] == ["answer", f"say {APOLOGY.text}", "hang up"]


def test_call_without_a_voice_goes_on_and_ends_in_silence():
    call = run_script("<Say>A</Say><Play>/b</Play>", mute=True)
    assert call.codes == [13520]
    assert "play https://app.example/b" in call.heard
    call = run_script(pages={BASE: DOWN}, mute=True)
    assert call.codes == [11205, 13520]
    assert call.heard[-2:] == ["answer", "hang up"]


def test_fallback_is_asked_once_per_call():
    call = run_script(
        pages={BASE: DOWN, FALLBACK.url: "<Redirect>/broken</Redirect>", "https://app.example/broken": DOWN},
        fallback=FALLBACK,
    )
    assert [request.url for request in call.requests].count(FALLBACK.url) == 1
    assert f"say {APOLOGY.text}" in call.heard


def test_fatal_error_in_a_later_document_asks_the_fallback():
    call = run_script("<Redirect>/b</Redirect>", pages={FALLBACK.url: "<Hangup/>"}, fallback=FALLBACK)
    assert dict(call.requests[-1].parameters)["ErrorUrl"] == "https://app.example/b"


def test_warnings_are_reported_and_the_document_runs():
    call = run_script('<Say loop="x" colour="y">A</Say><Foo/>')
    assert call.codes == [12200, 13510, 12200]
    assert all(notice.level == "warning" and notice.url == BASE for notice in call.notices)
    assert "say A" in call.heard


def test_missing_audio_file_is_a_warning_and_the_next_verb_runs():
    call = run_script('<Play loop="0">/missing.wav</Play><Say>B</Say>')
    assert call.notices == [Notice(11217, "warning", "status 404", "https://app.example/missing.wav")]
    assert "say B" in call.heard


@pytest.mark.parametrize(("loop", "times"), [("0", 1000), ("3", 3), ("1000", 1000), ("5000", 1000)])
def test_loops_are_bounded(loop, times):
    assert run_script(f'<Say loop="{loop}">A</Say>').heard.count("say A") == times
    suffix = f" x{times}"
    assert run_script(f'<Play loop="{loop}">/a</Play>').heard[2] == "play https://app.example/a" + suffix
    assert run_script(f'<Play loop="{loop}" digits="1"/>').heard.count("digits 1") == times


def test_hang_up_ends_the_run_wherever_it_is():
    call = run_script("<Say>A</Say><Say>B</Say>", hangs_up_at=2.0)
    assert call.heard[1:] == ["answer", "say A"]


def test_redirect_loop_is_slowed_down_and_ends():
    call = run_script("<Redirect/>", fallback=FALLBACK, pages={FALLBACK.url: "<Redirect/>"})
    assert len(call.requests) == DOCUMENTS_PER_CALL
    assert call.codes == [12400]
    assert call.request_times[19] == 0.0
    gaps = [
        late - early for early, late in zip(call.request_times[20:-1], call.request_times[21:], strict=True)
    ]
    assert min(gaps) == pytest.approx(0.25)


def test_rest_update_replaces_the_document_at_once():
    update = CallRedirected(DocumentRequest("https://app.example/new", "GET"))
    call = run_script(
        "<Say>A</Say><Say>B</Say>",
        redirected_at=(1.0, update),
        pages={"https://app.example/new": "<Say>New</Say>"},
    )
    assert call.log[2:] == [
        (0.0, "say A"),
        (1.0, "GET https://app.example/new"),
        (1.0, "say New"),
        (4.0, "hang up"),
    ]


def test_rest_update_with_inline_twiml_runs_it():
    update = CallRedirected(inline="<Response><Say>Inline</Say></Response>")
    call = run_script("<Pause length='60'/>", redirected_at=(2.0, update))
    assert call.heard[-3:] == ["answer", "say Inline", "hang up"]


@pytest.mark.parametrize("inner", ["<Redirect>next</Redirect>", "<Redirect/>", '<Gather numDigits="1"/>'])
def test_relative_url_in_inline_twiml_is_15004(inner):
    call = run_script(InlineDocument(f"<Response>{inner}</Response>"), keys={1.0: "1"})
    assert call.codes == [15004]


def test_inline_twiml_with_absolute_urls_runs():
    call = run_script(
        InlineDocument("<Response><Redirect>https://app.example/b</Redirect></Response>"),
        pages={"https://app.example/b": "<Hangup/>"},
    )
    assert call.codes == []
    assert call.heard[-1] == "hang up"


def test_relative_audio_in_inline_twiml_is_a_warning():
    call = run_script(InlineDocument("<Response><Play>a.wav</Play><Say>B</Say></Response>"))
    assert [(notice.code, notice.level) for notice in call.notices] == [(15004, "warning")]
    assert "say B" in call.heard


def test_rest_update_during_the_apology_is_obeyed():
    update = CallRedirected(inline="<Response><Say>Saved</Say></Response>")
    call = run_script(pages={BASE: DOWN}, redirected_at=(1.0, update))
    assert call.heard[-2:] == ["say Saved", "hang up"]
