"""Writing messages, typed views, and responses made from requests."""

import pytest

from townhall.sip import (
    CSeq,
    Headers,
    MediaType,
    RAck,
    Request,
    Response,
    SessionExpires,
    SIPError,
    SIPParseError,
    parse_message,
    reason_phrase,
)


def invite(**more: str) -> Request:
    headers = {
        "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa, SIP/2.0/TCP proxy.example.com;branch=z9hG4bKb",
        "From": "Alice <sip:alice@example.com>;tag=a",
        "To": "<sip:1000@example.com>",
        "Call-ID": "c1",
        "CSeq": "7 INVITE",
    } | {name.replace("_", "-"): value for name, value in more.items()}
    return Request("INVITE", "sip:1000@example.com", headers.items())


def test_message_written_is_read_again_as_equal() -> None:
    request = invite(Contact="<sip:alice@192.0.2.1>", Content_Length="0")
    request.body = b"v=0\r\n"
    again = parse_message(bytes(request))
    request.headers.set("Content-Length", "5")
    assert again == request


def test_content_length_is_computed_where_it_stood() -> None:
    request = invite(Content_Length="99", Subject="s")
    request.body = b"abc"
    assert b"CSeq: 7 INVITE\r\nContent-Length: 3\r\nSubject: s\r\n\r\nabc" in bytes(request)


def test_content_length_missing_is_written_last() -> None:
    assert bytes(invite()).endswith(b"\r\nContent-Length: 0\r\n\r\n")


def test_view_follows_a_change_of_the_headers() -> None:
    request = invite()
    assert request.cseq == CSeq(7, "INVITE")
    assert request.cseq is request.cseq
    request.headers.set("CSeq", "8 INVITE")
    assert request.cseq.number == 8
    request.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKc")
    assert [via.host for via in request.vias] == ["192.0.2.9", "192.0.2.1", "proxy.example.com"]


def test_request_uri_follows_a_change_of_uri() -> None:
    request = invite()
    assert request.request_uri.user == "1000"
    request.uri = "sip:2000@example.com"
    assert request.request_uri.user == "2000"


@pytest.mark.parametrize("view", ["via", "vias", "from_", "to", "call_id", "cseq"])
def test_required_view_of_an_empty_message_is_an_error(view: str) -> None:
    with pytest.raises(SIPParseError, match="missing"):
        getattr(Request("OPTIONS", "sip:a"), view)


def test_optional_views_of_an_empty_message_are_none_or_empty() -> None:
    request = Request("OPTIONS", "sip:a")
    assert (
        request.contacts == request.routes == request.record_routes == request.accept == request.allow == []
    )
    assert request.require == request.supported == request.proxy_require == []
    for view in (
        "contact",
        "max_forwards",
        "expires",
        "min_se",
        "session_expires",
        "rseq",
        "rack",
        "content_type",
    ):
        assert getattr(request, view) is None


def test_optional_views_are_typed() -> None:
    request = invite(
        Session_Expires="1800 ; Refresher=UAC",
        Min_SE="90;x=y",
        RSeq="12",
        RAck="12 7 INVITE",
        Content_Type='Multipart/Mixed ; boundary="a b"',
        Supported="100rel, Timer",
        Allow="INVITE,ACK",
        Max_Forwards="70",
        Expires="60",
        Route="<sip:p1;lr>,<sip:p2;lr>",
        Record_Route="<sip:p3;lr>",
        Accept="application/sdp;level=1, text/*",
    )
    assert request.session_expires == SessionExpires(1800, "uac")
    assert (request.min_se, request.rseq, request.max_forwards, request.expires) == (90, 12, 70, 60)
    assert request.rack == RAck(12, CSeq(7, "INVITE"))
    assert request.content_type is not None
    assert request.content_type.essence == "multipart/mixed"
    assert request.content_type.parameters.text("boundary") == "a b"
    assert request.supported == ["100rel", "timer"]
    assert request.allow == ["INVITE", "ACK"]
    assert [route.uri.host for route in request.routes] == ["p1", "p2"]
    assert request.record_routes[0].uri.is_loose_router
    assert request.accept[1].accepts(MediaType("text", "plain"))
    assert not request.accept[1].accepts(MediaType("image", "png"))


@pytest.mark.parametrize(
    ("header", "value", "view"),
    [
        ("Max_Forwards", "256", "max_forwards"),
        ("Max_Forwards", "-1", "max_forwards"),
        ("Expires", "4294967296", "expires"),
        ("RSeq", "x", "rseq"),
        ("RAck", "1 2", "rack"),
        ("Session_Expires", "soon", "session_expires"),
        ("Content_Type", "sdp", "content_type"),
        ("Contact", "<sip:a@b", "contacts"),
        ("Contact", "*, <sip:a@b>", "contacts"),
        ("Route", '"open <sip:a>', "routes"),
        ("Call_ID", "two words", "call_id"),
        ("CSeq", "2147483648 INVITE", "cseq"),
    ],
)
def test_view_of_a_header_that_makes_no_sense_is_an_error(header: str, value: str, view: str) -> None:
    with pytest.raises(SIPParseError):
        getattr(invite(**{header: value}), view)


def test_response_copies_what_the_rfc_asks_for() -> None:
    request = invite(Timestamp="5", Subject="s")
    response = request.create_response(180, to_tag="us", headers=[("Contact", "<sip:us>")])
    assert response.headers.items() == [
        ("Via", request.headers.get("Via")),
        ("From", "Alice <sip:alice@example.com>;tag=a"),
        ("To", "<sip:1000@example.com>;tag=us"),
        ("Call-ID", "c1"),
        ("CSeq", "7 INVITE"),
        ("Contact", "<sip:us>"),
    ]
    assert response.reason == "Ringing"
    assert "Timestamp" in request.create_response(100).headers


def test_response_keeps_a_to_tag_that_is_there() -> None:
    assert invite(To="<sip:x>;tag=old").create_response(200, to_tag="new").to.tag == "old"


def test_response_to_a_broken_to_leaves_it_alone() -> None:
    response = invite(To="<sip:x").create_response(400, to_tag="new")
    assert response.headers.get("To") == "<sip:x"


def test_reason_phrase_of_an_unknown_code_is_that_of_its_class() -> None:
    assert Response(299).reason == "OK"
    assert reason_phrase(499) == "Request Failed"
    assert Response(200, "").start_line == "SIP/2.0 200 "


@pytest.mark.parametrize(
    ("name", "value"), [("X", "a\r\nEvil: b"), ("X\n", "a"), ("", "a"), ("a b", "c"), ("X", "a\rb")]
)
def test_header_that_would_break_the_message_is_refused(name: str, value: str) -> None:
    headers = Headers()
    for write in (headers.add, headers.set, headers.prepend):
        with pytest.raises(SIPError):
            write(name, value)
    assert len(headers) == 0


@pytest.mark.parametrize(
    ("method", "uri"), [("IN VITE", "sip:a"), ("", "sip:a"), ("BYE", "sip:a b"), ("BYE", "sip:a\r\n")]
)
def test_start_line_that_would_break_the_message_is_refused(method: str, uri: str) -> None:
    with pytest.raises(SIPError):
        bytes(Request(method, uri))


def test_line_end_in_a_reason_phrase_becomes_a_space() -> None:
    assert Response(500, "a\r\nEvil: b").start_line == "SIP/2.0 500 a  Evil: b"
