"""Any bytes into the SIP parsers: a result, or `SIPParseError`; streams are the same however they are cut."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.rfc4475.messages import MESSAGES

from townhall.sip import (
    SIPURI,
    Address,
    CSeq,
    Limits,
    MediaType,
    Parameters,
    RAck,
    Request,
    Response,
    SessionExpires,
    SIPParseError,
    StreamParser,
    Via,
    parse_message,
    session_description,
)
from townhall.sip.digest import Challenge, Credentials, parse_challenges

TORTURE = [message.data for message in MESSAGES]

VIEWS = (
    *(
        "via",
        "vias",
        "from_",
        "to",
        "cseq",
        "call_id",
        "contacts",
        "contact",
        "routes",
        "record_routes",
        "rseq",
        "rack",
    ),
    *(
        "max_forwards",
        "expires",
        "min_se",
        "session_expires",
        "content_type",
        "require",
        "proxy_require",
        "supported",
    ),
    *("allow", "accept"),
)

mark = st.sampled_from(
    [*'",;<>=:@/ \t\r\n\\%[]*?&\0', "\r\n ", "SIP/2.0", "sip:", "sips:a@b", "tag", "::1", "ü"]
)
text = st.lists(mark | st.text(max_size=5), max_size=20).map("".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A torture message with a few bytes replaced, taken out or put in."""
    data = bytearray(draw(st.sampled_from(TORTURE)))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        data[start : start + draw(st.integers(0, 8))] = draw(st.binary(max_size=6) | text.map(str.encode))
    return bytes(data)


def look_at(message: Request | Response) -> None:
    for name in VIEWS:
        with suppress(SIPParseError):
            getattr(message, name)
    with suppress(SIPParseError):
        session_description(message)


def refuse(error: SIPParseError) -> None:
    assert 400 <= error.status_hint <= 699
    if error.request is not None:
        look_at(error.request)
        bytes(error.request.create_response(error.status_hint, to_tag="x"))


def read(data: bytes) -> None:
    try:
        message = parse_message(data)
    except SIPParseError as error:
        refuse(error)
        return
    look_at(message)
    if isinstance(message, Request):
        look_at(message.create_response(200, to_tag="x"))
    # What was written out of what was read stays what it is from then on.
    again = parse_message(bytes(message))
    assert bytes(again) == bytes(message)
    assert (again.from_, again.to, again.cseq, again.vias) == (
        message.from_,
        message.to,
        message.cseq,
        message.vias,
    )


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_sip_parse_error(data: bytes) -> None:
    read(data)
    read(b"OPTIONS sip:a SIP/2.0\r\n" + data)


@given(mutated())
def test_torture_message_mutated_is_a_message_or_sip_parse_error(data: bytes) -> None:
    read(data)


@pytest.mark.parametrize(
    "parse",
    [
        *(
            SIPURI.parse,
            Address.parse,
            Via.parse,
            CSeq.parse,
            RAck.parse,
            MediaType.parse,
            SessionExpires.parse,
        ),
        *(Parameters.parse, Challenge.parse, Credentials.parse),
    ],
)
@given(text=text)
def test_any_text_is_a_header_value_that_writes_and_reads_the_same_or_sip_parse_error(
    parse: Any, text: str
) -> None:
    try:
        value = parse(text)
    except SIPParseError:
        return
    if "\r" not in str(value) and "\n" not in str(value):
        assert parse(str(value)) == value


@given(st.lists(text, max_size=4))
def test_any_challenges_are_read_or_sip_parse_error(values: list[str]) -> None:
    try:
        challenges = parse_challenges(values)
    except SIPParseError:
        return
    for challenge in challenges:
        assert str(challenge).startswith("Digest ")


def outline(parser: StreamParser, chunks: list[bytes]) -> list[object]:
    events = [event for chunk in chunks for event in parser.receive_data(chunk)]
    return [bytes(event) if isinstance(event, Request | Response) else repr(event) for event in events]


@given(st.lists(mutated() | st.binary(max_size=30) | st.just(b"\r\n\r\n"), max_size=4), st.data())
def test_stream_cut_anywhere_gives_the_same_events(messages: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    limits = Limits(message_size=data.draw(st.sampled_from([100, 1000, 65536])))
    chunks = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole = outline(StreamParser(limits), [stream])
    assert outline(StreamParser(limits), chunks) == whole
    assert outline(StreamParser(limits), [bytes([byte]) for byte in stream]) == whole
