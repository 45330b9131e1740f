"""Messages out of a stream: pipelined, cut anywhere, with pings between, and broken."""

import pytest

from townhall.sip import KeepAlive, Limits, Request, Response, StreamError, StreamParser


def options(number: int, body: bytes = b"", more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return (
        b"OPTIONS sip:1000@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bK%d\r\n" % number
        + b"From: <sip:a@b>;tag=a\r\nTo: <sip:1000@example.com>\r\nCall-ID: c1\r\nCSeq: %d OPTIONS\r\n"
        % number
        + (more or length)
        + b"\r\n"
        + body
    )


def outline(events: list[Request | Response | KeepAlive | StreamError]) -> list[object]:
    """What came, as data that can be compared."""
    return [
        (event.cseq.number, event.body)
        if isinstance(event, Request)
        else (event.status_hint, event.fatal)
        if isinstance(event, StreamError)
        else type(event)
        for event in events
    ]


def feed(data: bytes, size: int, limits: Limits | None = None) -> list[object]:
    parser = StreamParser(limits or Limits())
    events = [
        e for start in range(0, len(data), size) for e in parser.receive_data(data[start : start + size])
    ]
    return outline(events)


PING = b"\r\n\r\n"

STREAMS: dict[str, tuple[bytes, list[object]]] = {
    "one": (options(1, b"abc"), [(1, b"abc")]),
    "pipelined": (options(1) + options(2, b"body") + options(3), [(1, b""), (2, b"body"), (3, b"")]),
    "pings": (
        PING + options(1) + PING + PING + options(2) + PING,
        [KeepAlive, (1, b""), KeepAlive, KeepAlive, (2, b""), KeepAlive],
    ),
    "pong": (b"\r\n" + options(1) + b"\r\n" + options(2), [(1, b""), (2, b"")]),
    "line feeds only": (options(1).replace(b"\r\n", b"\n") * 2, [(1, b""), (1, b"")]),
    "body of line ends": (options(1, b"\r\n\r\n\r\n") + options(2), [(1, b"\r\n\r\n\r\n"), (2, b"")]),
    "no content length, no body": (options(1, more=b"Subject: s\r\n") + options(2), [(1, b""), (2, b"")]),
    "no content length, but a body": (
        options(1, b"v=0", b"c: application/sdp\r\n") + options(2),
        [(400, True)],
    ),
    "content length broken": (options(1, b"", b"l: x\r\n") + options(2), [(400, True)]),
    "content lengths differ": (options(1, b"", b"l: 1\r\nl: 2\r\n") + options(2), [(400, True)]),
    "broken header, length clear": (
        options(1, b"abc", b"nonsense\r\nl: 3\r\n") + options(2),
        [(400, False), (2, b"")],
    ),
    "broken view, length clear": (
        options(1).replace(b"1 OPTIONS", b"1 BYE") + options(2),
        [(400, False), (2, b"")],
    ),
    "version": (options(1).replace(b"SIP/2.0\r\n", b"SIP/9.0\r\n", 1) + options(2), [(505, False), (2, b"")]),
    "noise": (b"\x16\x03\x01\r\n\r\n" + options(2), [(400, True)]),
    "http": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + options(2), [(400, True)]),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 10_000])
def test_stream_gives_the_same_events_however_it_is_cut(name: str, size: int) -> None:
    data, expected = STREAMS[name]
    assert feed(data, size) == expected


@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_stream_with_headers_too_long_is_513_with_what_was_read(size: int) -> None:
    parser = StreamParser(Limits(message_size=1000))
    data = options(1)[:-2] + b"X: " + b"y" * 5000
    events = [
        e for start in range(0, len(data), size) for e in parser.receive_data(data[start : start + size])
    ]
    assert outline(events) == [(513, True)]
    assert isinstance(events[0], StreamError)
    assert events[0].request is not None
    assert events[0].request.call_id == "c1"


@pytest.mark.parametrize("size", [1, 100_000])
def test_stream_with_noise_that_never_ends_is_513(size: int) -> None:
    assert feed(b"x" * 5000, size, Limits(message_size=1000)) == [(513, True)]


def test_stream_with_body_too_long_is_413_before_the_body_comes() -> None:
    parser = StreamParser(Limits(message_size=1000))
    events = parser.receive_data(options(1, b"", b"Content-Length: 5000\r\n"))
    assert outline(events) == [(413, True)]
    assert isinstance(events[0], StreamError)
    assert events[0].request is not None
    assert events[0].request.cseq.number == 1


def test_stream_after_a_fatal_error_reads_nothing_more() -> None:
    parser = StreamParser()
    assert outline(parser.receive_data(b"\x16\x03\x01\r\n\r\n")) == [(400, True)]
    assert parser.receive_data(options(1)) == []


def test_stream_waits_for_the_rest_of_a_body() -> None:
    parser = StreamParser()
    data = options(1, b"0123456789")
    assert parser.receive_data(data[:-1]) == []
    assert outline(parser.receive_data(data[-1:])) == [(1, b"0123456789")]


def test_stream_error_of_a_response_has_no_request() -> None:
    events = StreamParser().receive_data(b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" + options(2))
    assert outline(events) == [(400, False), (2, b"")]
    assert isinstance(events[0], StreamError)
    assert events[0].request is None
