"""From bytes to verbs: what is refused with which number, what is only a warning."""

import pytest

from townhall.twiml import DocumentError, parse_document
from townhall.twiml.limits import NOTICES_PER_DOCUMENT


def codes(body):
    return [notice.code for notice in parse_document(body).notices]


@pytest.mark.parametrize(("body", "code"), [
    (b"", 11770),
    (b" \r\n\t", 11770),
    (b"<Response>" + b" " * 65536 + b"</Response>", 11750),
    (b"Hello", 12100),
    (b"<Response>", 12100),
    (b"<Response></response>", 12100),
    (b"<Response><Say>Tom & Jerry</Say></Response>", 12100),
    (b"<Response/><Response/>", 12100),
    (b"\xff\xfe\x00", 12100),
    (b"<Response>\x00</Response>", 12100),
    (b"<Response><Say>\xe4</Say></Response>", 12100),
    (b'{"json": true}', 12100),
    (b"<amazon:effect/>", 12100),
    (b'<?xml version="1.0" encoding="klingon"?><Response/>', 12100),
    (b'<?xml version="2.0"?><Response/>', 12101),
    (b"<html><body/></html>", 12102),
    (b"<response/>", 12102),
    (b"<Say>Hi</Say>", 12102),
    (b'<x:Response xmlns:x="urn:x"/>', 12102),
])  # fmt: skip
def test_fatal_document_has_its_number(body, code):
    with pytest.raises(DocumentError) as refused:
        parse_document(body)
    assert refused.value.code == code


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


@pytest.mark.parametrize("body", [
    b"<!DOCTYPE Response><Response/>",
    b'<!DOCTYPE r [<!ENTITY l0 "lol">' + LAUGHS + b"]><Response><Say>&l9;</Say></Response>",
    b'<!DOCTYPE r [<!ENTITY l0 "lol">' + LAUGHS + b']><Response><Say voice="&l9;">x</Say></Response>',
    b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><Response><Say>&x;</Say></Response>',
    b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><Response/>',
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x "y">]><Response>&x;</Response>'.encode("utf-16"),
])  # fmt: skip
def test_document_with_a_doctype_is_refused(body):
    with pytest.raises(DocumentError, match="12100"):
        parse_document(body)


def test_deep_nesting_is_refused_or_parsed_but_never_overflows():
    deep = b"<p>" * 240 + b"x" + b"</p>" * 240
    assert parse_document(b"<Response><Say>" + deep + b"</Say></Response>").verbs
    with pytest.raises(DocumentError, match="12100"):
        parse_document(b"<Response>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Response>")


def test_comments_and_processing_instructions_are_ignored():
    document = parse_document("<Response><!-- a --><?php b ?><Say>One <!-- c -->two</Say></Response>")
    assert document.notices == ()
    assert document.verbs[0].utterance.text == "One two"


@pytest.mark.parametrize(("body", "content_type"), [
    ("<Response><Say>Grüße</Say></Response>".encode(), "text/xml"),
    ("<Response><Say>Grüße</Say></Response>".encode("latin-1"), "text/xml; charset=ISO-8859-1"),
    ("<Response><Say>Grüße</Say></Response>".encode("utf-8-sig"), "text/xml; charset=iso-8859-1"),
    ('<?xml version="1.0" encoding="ISO-8859-1"?><Response><Say>Grüße</Say></Response>'.encode("latin-1"),
     "text/xml"),
    ('<?xml version="1.0" encoding="UTF-16"?><Response><Say>Grüße</Say></Response>'.encode("utf-16"),
     "text/xml"),
    ("<Response><Say>Grüße</Say></Response>".encode(), "text/xml; charset=unheard-of"),
])  # fmt: skip
def test_encoding_follows_mark_then_transport_then_declaration(body, content_type):
    assert parse_document(body, content_type=content_type).verbs[0].utterance.text == "Grüße"


@pytest.mark.parametrize("verb", ["Start", "Stop", "Connect", "Pay", "Refer", "Echo", "Sms"])
def test_verb_of_later_is_12200_and_skipped(verb):
    document = parse_document(f"<Response><{verb}>x</{verb}><Hangup/></Response>")
    assert [notice.code for notice in document.notices] == [12200]
    assert "not supported yet" in document.notices[0].message
    assert len(document.verbs) == 1


def test_unknown_verb_is_12200_and_skipped():
    document = parse_document("<Response><say>x</say><Foo/><Hangup/></Response>")
    assert [notice.code for notice in document.notices] == [12200, 12200]
    assert len(document.verbs) == 1


def test_notices_are_bounded_and_the_last_counts_the_rest():
    document = parse_document("<Response>" + "<X/>" * 1000 + "</Response>")
    assert len(document.notices) == NOTICES_PER_DOCUMENT + 1
    assert document.notices[-1].message.startswith(f"{1000 - NOTICES_PER_DOCUMENT} more")


def test_notices_carry_the_documents_url():
    assert (
        parse_document("<Response><X/></Response>", "http://a.example/v").notices[0].url
        == "http://a.example/v"
    )


def test_say_keeps_documented_ssml_and_unwraps_the_rest():
    document = parse_document(
        '<Response><Say>A <prosody rate="slow" shade="x">b&amp;<b>c</b></prosody><break time="1s"/>'
        '<lang xml:lang="de-DE">d</lang> <sub alias="World Wide Web">WWW</sub></Say></Response>'
    )
    utterance = document.verbs[0].utterance
    assert utterance.ssml == (
        'A <prosody rate="slow">b&amp;c</prosody><break time="1s"/>'
        '<lang xml:lang="de-DE">d</lang> <sub alias="World Wide Web">WWW</sub>'
    )
    assert utterance.text == "A b&c d World Wide Web"
    assert [notice.code for notice in document.notices] == [12200, 12200]


@pytest.mark.parametrize(
    ("voice", "limit"), [("man", 4096), ("Polly.Joanna", 3000), ("Google.en-US-Wavenet-A", 5000)]
)
def test_say_text_over_the_voices_limit_is_13521_and_cut(voice, limit):
    assert codes(f'<Response><Say voice="{voice}">{"x" * limit}</Say></Response>') == []
    document = parse_document(f'<Response><Say voice="{voice}">{"x" * (limit + 1)}</Say></Response>')
    assert [notice.code for notice in document.notices] == [13521]
    assert len(document.verbs[0].utterance.text) == limit


def test_tags_count_for_google_voices_only():
    body = "<Response><Say voice='{}'><emphasis level='strong'>" + "x" * 2990 + "</emphasis></Say></Response>"
    assert codes(body.format("Polly.Joanna")) == []
    long = "<Response><Say voice='{}'><emphasis level='strong'>" + "x" * 4990 + "</emphasis></Say></Response>"
    assert codes(long.format("Google.x")) == [13521]


def test_say_without_text_is_13520():
    assert codes("<Response><Say/></Response>") == [13520]


def test_play_without_url_and_digits_is_11100():
    assert codes("<Response><Play/></Response>") == [11100]


def test_document_read_again_is_the_same_but_not_under_another_url() -> None:
    body = b"<Response><Nonsense/></Response>"
    first = parse_document(body, "http://a.test/")
    assert parse_document(body, "http://a.test/") == first
    assert [notice.url for notice in first.notices] == ["http://a.test/"]
    assert [notice.url for notice in parse_document(body, "http://b.test/").notices] == ["http://b.test/"]
