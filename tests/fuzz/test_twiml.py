"""Any bytes into the TwiML parser give a document or its one error; any document runs to an end."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.call_script import BASE, page, run_script

from townhall.twiml import DocumentError, FetchFailed, parse_document
from townhall.twiml.addresses import absolute_url
from townhall.twiml.limits import DOCUMENT_BURST, DOCUMENT_SPACING_S

VERBS = [
    "Say",
    "Play",
    "Pause",
    "Gather",
    "Redirect",
    "Hangup",
    "Reject",
    "Dial",
    "Conference",
    "Record",
    "Number",
    "break",
    "Foo",
]
ATTRIBUTES = [
    "loop", "voice", "language", "length", "timeout", "numDigits", "finishOnKey", "action", "method",
    "digits", "reason", "input", "beep", "muted", "waitUrl", "coach", "maxParticipants", "timeLimit",
    "statusCallbackEvent", "hints", "x",
]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
VALUES = st.one_of(
    TEXT, st.sampled_from(["true", "false", "1", "0", "GET", "POST", "/a", "", "https://x.example/", "#"])
)


def _escaped(text: str) -> str:
    for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(letter, entity)
    return "".join(one for one in text if one not in "\ufffe\uffff")


def _element(name, attributes, inner):
    written = "".join(f' {key}="{_escaped(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{inner}</{name}>"


ELEMENTS = st.recursive(
    TEXT.map(_escaped),
    lambda inner: st.builds(
        _element,
        st.sampled_from(VERBS),
        st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=4),
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.binary(max_size=200), st.text(max_size=30))
def test_any_bytes_give_a_document_or_its_error(body, content_type):
    for raw in (body, b"<Response>" + body + b"</Response>"):
        with suppress(DocumentError):
            parse_document(raw, "http://x.example/", content_type)


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_a_document_or_its_error(body):
    with suppress(DocumentError):
        parse_document(body)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([None, "https://app.example/voice?x=1", "http://[::1]:8080/a/"]))
def test_any_reference_gives_an_http_url_or_its_error(reference, base):
    try:
        found = absolute_url(reference, base)
    except FetchFailed as failure:
        found = f"error {failure.code}"
    assert found.startswith(("http://", "https://")) or found in ("error 11100", "error 15004")


@settings(deadline=None, max_examples=150)
@given(st.lists(ELEMENTS, max_size=4).map("".join), st.booleans())
def test_any_document_runs_to_an_end(inner, wrapped):
    body = f"<Response>{inner}</Response>" if wrapped else inner
    call = run_script(pages={BASE: page(body)}, keys={0.5: "1", 1.0: "#"}, hangs_up_at=30.0)
    assert len(call.requests) <= DOCUMENT_BURST + 30 / DOCUMENT_SPACING_S
