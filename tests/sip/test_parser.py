"""Datagrams into messages: the faults other parsers ship, the limits, and what an error carries."""

import pytest

from townhall.sip import Limits, Request, Response, SIPParseError, parse_message

INVITE = (
    b"INVITE sip:1000@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa;rport\r\n"
    b"From: <sip:alice@example.com>;tag=a\r\n"
    b"To: <sip:1000@example.com>\r\n"
    b"Call-ID: c1@192.0.2.1\r\n"
    b"CSeq: 1 INVITE\r\n"
)


def read(data: bytes, limits: Limits | None = None) -> Request:
    message = parse_message(data, limits or Limits())
    assert isinstance(message, Request)
    return message


def refuse(data: bytes, limits: Limits | None = None) -> SIPParseError:
    with pytest.raises(SIPParseError) as caught:
        parse_message(data, limits or Limits())
    return caught.value


def test_header_folded_over_lines_is_one_value() -> None:
    message = read(INVITE + b"Subject: one\r\n two\r\n\tthree\r\n\r\n")
    assert message.headers.get("Subject") == "one two three"


def test_via_with_spaces_and_folded_comma_is_two_vias() -> None:
    message = read(
        INVITE + b"Via: SIP / 2.0 / UDP first.example.com ,\r\n SIP/2.0/TCP second;branch=x\r\n\r\n"
    )
    assert [(via.transport, via.host) for via in message.vias] == [
        ("UDP", "192.0.2.1"),
        ("UDP", "first.example.com"),
        ("TCP", "second"),
    ]


@pytest.mark.parametrize(
    ("compact", "name"),
    [
        *(("a", "Accept-Contact"), ("b", "Referred-By"), ("c", "Content-Type"), ("d", "Request-Disposition")),
        *(("e", "Content-Encoding"), ("j", "Reject-Contact"), ("k", "Supported"), ("m", "Contact")),
        *(("n", "Identity-Info"), ("o", "Event"), ("r", "Refer-To"), ("s", "Subject"), ("u", "Allow-Events")),
        *(("x", "Session-Expires"), ("y", "Identity")),
    ],
)
def test_compact_form_reads_and_writes_as_long_name(compact: str, name: str) -> None:
    message = read(INVITE + f"{compact.upper()}: value\r\n\r\n".encode())
    assert message.headers.get(name) == message.headers.get(compact) == "value"
    assert f"\r\n{name}: value\r\n".encode() in bytes(message)


def test_compact_forms_of_required_headers_make_a_whole_message() -> None:
    message = read(
        b"BYE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@b>;tag=1\r\n"
        b"t: <sip:c@d>;tag=2\r\ni: x\r\nCSeq: 2 BYE\r\nl: 0\r\n\r\n"
    )
    assert (message.via.branch, message.from_.tag, message.to.tag, message.call_id) == (
        "z9hG4bK1",
        "1",
        "2",
        "x",
    )


def test_lines_ending_in_lf_only_are_read() -> None:
    message = read((INVITE + b"Content-Length: 4\r\n\r\nbody").replace(b"\r\n", b"\n"))
    assert (message.method, message.body) == ("INVITE", b"body")


def test_empty_lines_before_the_start_line_are_passed_over() -> None:
    assert read(b"\r\n\r\n\n" + INVITE + b"\r\n").method == "INVITE"


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\r\n"])
def test_datagram_with_nothing_but_line_ends_is_an_error_without_request(data: bytes) -> None:
    assert refuse(data).request is None


def test_latin_1_display_name_beside_utf_8_header_keeps_both() -> None:
    data = INVITE.replace(b"From: ", b'From: "J\xf6rg" ') + "Subject: Grüße\r\n\r\n".encode()
    message = read(data)
    assert message.from_.display_name == "Jörg"
    assert message.headers.get("Subject") == "Grüße"


def test_unknown_header_keeps_spelling_and_order() -> None:
    message = read(INVITE + b"X-oDD: 1\r\nuser-agent: me\r\nX-odd: 2\r\n\r\n")
    assert message.headers.items()[-3:] == [("X-oDD", "1"), ("User-Agent", "me"), ("X-odd", "2")]
    assert message.headers.get_all("x-odd") == ["1", "2"]


def test_content_length_missing_takes_rest_of_datagram() -> None:
    assert read(INVITE + b"\r\nv=0\r\n").body == b"v=0\r\n"


def test_content_length_too_short_truncates_the_body() -> None:
    assert read(INVITE + b"Content-Length: 3\r\n\r\nv=0\r\njunk").body == b"v=0"


def test_content_length_too_long_is_400_with_the_request() -> None:
    error = refuse(INVITE + b"Content-Length: 30\r\n\r\nv=0\r\n")
    assert error.status_hint == 400
    assert error.request is not None
    assert error.request.call_id == "c1@192.0.2.1"


def test_content_length_twice_the_same_is_accepted() -> None:
    assert read(INVITE + b"Content-Length: 1\r\nl: 1\r\n\r\nab").body == b"a"


@pytest.mark.parametrize("value", ["-1", "1x", "", "+1", "١", "9" * 400])
def test_content_length_that_is_no_number_is_400(value: str) -> None:
    assert refuse(INVITE + f"Content-Length: {value}\r\n\r\n".encode()).status_hint == 400


def test_binary_body_survives_reading_and_writing() -> None:
    body = bytes(range(256))
    message = read(INVITE + b"Content-Length: 256\r\n\r\n" + body)
    assert read(bytes(message)).body == body


def test_contact_star_is_star() -> None:
    assert read(INVITE + b"Contact: *\r\n\r\n").contacts == "*"


def test_contacts_repeated_and_comma_joined_keep_their_order() -> None:
    message = read(INVITE + b'Contact: "a, b" <sip:1@h>, <sip:2@h;x=,>\r\nm: sip:3@h\r\n\r\n')
    assert [contact.uri.user for contact in message.contacts if contact != "*"] == ["1", "2", "3"]


@pytest.mark.parametrize("name", [b"From", b"To", b"Call-ID", b"CSeq", b"Via"])
def test_required_header_missing_is_400_with_the_request(name: bytes) -> None:
    lines = [line for line in INVITE.splitlines(True) if not line.startswith(name + b":")]
    error = refuse(b"".join(lines) + b"\r\n")
    assert (error.status_hint, error.request is not None) == (400, True)
    assert name.decode() in str(error)


@pytest.mark.parametrize("line", [b"From: <sip:x@y>", b"t: <sip:x@y>", b"i: other", b"CSeq: 1 INVITE"])
def test_single_header_twice_is_400(line: bytes) -> None:
    assert "more than once" in str(refuse(INVITE + line + b"\r\n\r\n"))


@pytest.mark.parametrize(
    "start_line",
    [
        *(
            b"INVITE",
            b"INVITE sip:a@b",
            b"INVITE sip:a@b HTTP/1.1",
            b"IN@VITE sip:a@b SIP/2.0",
            b"INVITE x SIP/2.0",
        ),
        *(b"INVITE sip:a b SIP/2.0", b"GET / HTTP/1.1", b"\x16\x03\x01\x02", b"\xff\xfe"),
    ],
)
def test_start_line_that_makes_no_sense_is_400(start_line: bytes) -> None:
    assert (
        refuse(INVITE.replace(b"INVITE sip:1000@example.com SIP/2.0", start_line) + b"\r\n").status_hint
        == 400
    )


def test_version_other_than_2_is_505_with_the_request() -> None:
    error = refuse(INVITE.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1) + b"\r\n")
    assert error.status_hint == 505
    assert error.request is not None
    assert error.request.method == "INVITE"


def test_header_line_without_colon_is_400_with_the_other_headers() -> None:
    error = refuse(INVITE + b"this is no header\r\nSubject: s\r\n\r\n")
    assert error.status_hint == 400
    assert error.request is not None
    assert error.request.headers.get("Subject") == "s"


def test_datagram_cut_within_a_header_is_400() -> None:
    assert refuse(INVITE + b"Subj").status_hint == 400


def test_datagram_cut_after_a_header_line_has_no_body() -> None:
    assert read(INVITE).body == b""


@pytest.mark.parametrize(
    "data",
    [
        INVITE + b"X: y\r\n" * 300 + b"\r\n",
        INVITE + b"X: " + b"y" * 20000 + b"\r\n\r\n",
        INVITE + b"\r\n" + b"y" * 70000,
        INVITE + (b"X: " + b"y" * 8000 + b"\r\n") * 10 + b"\r\n",
    ],
    ids=["headers", "line", "body", "head"],
)
def test_message_beyond_a_limit_is_513_with_the_request(data: bytes) -> None:
    error = refuse(data)
    assert error.status_hint == 513
    assert error.request is not None
    assert error.request.cseq.number == 1


def test_limits_can_be_set() -> None:
    assert refuse(INVITE + b"\r\n", Limits(header_count=3)).status_hint == 513
    assert refuse(INVITE + b"\r\n", Limits(message_size=150)).status_hint == 513


def test_error_on_a_response_has_no_request() -> None:
    assert refuse(b"SIP/2.0 200 OK\r\nCSeq: x\r\n\r\n").request is None


@pytest.mark.parametrize("status", ["99", "700", "20", "2000", "abc", ""])
def test_status_code_out_of_range_is_an_error(status: str) -> None:
    refuse(INVITE.replace(b"INVITE sip:1000@example.com SIP/2.0", f"SIP/2.0 {status} x".encode()) + b"\r\n")


def test_response_keeps_its_reason_phrase() -> None:
    message = parse_message(
        INVITE.replace(b"INVITE sip:1000@example.com SIP/2.0", b"SIP/2.0 486 Busy  Hier") + b"\r\n"
    )
    assert isinstance(message, Response)
    assert (message.status, message.reason) == (486, "Busy  Hier")


def test_cseq_of_another_method_is_400() -> None:
    assert refuse(INVITE.replace(b"1 INVITE", b"1 BYE") + b"\r\n").status_hint == 400


def test_bare_carriage_return_in_a_value_cannot_be_written_again() -> None:
    message = read(INVITE + b"Subject: a\rEvil: b\r\n\r\n")
    assert message.headers.get("Subject") == "a Evil: b"


def test_bare_carriage_return_in_the_start_line_is_a_space() -> None:
    message = read(INVITE.replace(b"INVITE sip:", b"INVITE \rsip:") + b"\r\n")
    assert message.start_line == "INVITE sip:1000@example.com SIP/2.0"


def test_request_of_an_error_can_be_shown_whatever_it_is() -> None:
    error = refuse(INVITE.replace(b"sip:1000@example.com", b"\0") + b"\r\n")
    assert repr(error.request) == "<Request INVITE \0>"


def test_via_list_beyond_the_limit_is_513_with_the_request() -> None:
    error = refuse(INVITE + b"Via: " + b"SIP/2.0/UDP h," * 300 + b"\r\n\r\n")
    assert error.status_hint == 513
    assert error.request is not None
