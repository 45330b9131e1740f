"""Bodies of several parts and the SDP among them."""

import pytest

from townhall.sip import MediaType, Message, Request, SIPParseError, session_description, split_multipart

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n"


def message(content_type: str | None, body: bytes) -> Message:
    return Request("INVITE", "sip:a", [("Content-Type", content_type)] if content_type else [], body)


def mixed(*parts: bytes, boundary: bytes = b"b1", end: bytes = b"--b1--\r\n") -> bytes:
    return b"preamble\r\n" + b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + end


def test_multipart_body_is_split_into_its_parts() -> None:
    body = mixed(
        b"Content-Type: text/plain\r\n\r\nHello\r\n", b"c: application/x\r\nX: a\r\n b\r\n\r\n\0\xff\r\n\r\n"
    )
    first, second = split_multipart(body, MediaType.parse("multipart/mixed;boundary=b1"))
    assert (first.content_type.essence, first.body) == ("text/plain", b"Hello\r\n")
    assert (second.content_type.essence, second.body) == ("application/x", b"\0\xff\r\n\r\n")
    assert second.headers.get("X") == "a b"


def test_multipart_part_without_headers_is_plain_text() -> None:
    (part,) = split_multipart(mixed(b"\r\njust text"), MediaType.parse("multipart/mixed;boundary=b1"))
    assert (part.content_type.essence, part.body) == ("text/plain", b"just text")


def test_multipart_without_closing_delimiter_keeps_the_last_part() -> None:
    body = mixed(b"Content-Type: application/sdp\r\n\r\n" + SDP, end=b"")
    assert session_description(message("multipart/mixed;boundary=b1", body)) == SDP + b"\r\n"


def test_multipart_after_the_closing_delimiter_is_ignored() -> None:
    body = mixed(b"\r\na") + b"--b1\r\nContent-Type: application/sdp\r\n\r\n" + SDP
    assert session_description(message("multipart/mixed;boundary=b1", body)) is None


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/mixed; boundary="b 1:=?"', b"b 1:=?"),
        ("Multipart/Related;Boundary=(b)*+", b"(b)*+"),
        ("multipart/alternative;boundary=b1", b"b1"),
    ],
)
def test_session_description_is_found_among_parts(content_type: str, boundary: bytes) -> None:
    parts = (b"Content-Type: text/plain\r\n\r\nhi", b"Content-Type: Application/SDP; x=y\r\n\r\n" + SDP)
    body = mixed(*parts, boundary=boundary, end=b"--" + boundary + b"--")
    assert session_description(message(content_type, body)) == SDP


def test_session_description_with_lf_only_is_found() -> None:
    body = mixed(b"Content-Type: application/sdp\r\n\r\n" + SDP).replace(b"\r\n", b"\n")
    assert session_description(message("multipart/mixed;boundary=b1", body)) == SDP.replace(b"\r\n", b"\n")


def test_session_description_is_found_in_a_nested_part_but_not_endlessly_deep() -> None:
    body, content_type = SDP, "application/sdp"
    for depth in range(4):
        found = session_description(message(content_type, body))
        assert found == SDP
        boundary = b"n%d" % depth
        body = mixed(
            b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, boundary=boundary, end=b""
        )[:-2]
        content_type = f"multipart/mixed;boundary=n{depth}"
    assert session_description(message(content_type, body)) is None


def test_session_description_alone_is_the_body() -> None:
    assert session_description(message("application/sdp", SDP)) == SDP
    assert session_description(message(None, SDP)) == SDP
    assert session_description(message(None, b"other")) is None
    assert session_description(message("text/plain", SDP)) is None
    assert session_description(message("application/sdp", b"")) is None


@pytest.mark.parametrize(
    "content_type",
    ["multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=" + "b" * 71, "sdp"],
)
def test_session_description_with_unusable_content_type_is_an_error(content_type: str) -> None:
    with pytest.raises(SIPParseError):
        session_description(message(content_type, SDP))


def test_multipart_of_many_parts_is_bounded() -> None:
    body = mixed(*[b"\r\nx"] * 1000)
    assert len(split_multipart(body, MediaType.parse("multipart/mixed;boundary=b1"))) <= 32
