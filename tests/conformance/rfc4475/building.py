"""What the messages after RFC 4475 are built from."""

from dataclasses import dataclass

SDP = b"\r\n".join(
    (
        b"v=0",
        b"o=anna 7 1 IN IP4 192.0.2.20",
        b"s=-",
        b"c=IN IP4 192.0.2.20",
        b"t=0 0",
        b"m=audio 30000 RTP/AVP 0 101",
        b"a=rtpmap:101 telephone-event/8000",
        b"",
    )
)


@dataclass(frozen=True, slots=True)
class TortureMessage:
    """`name` and `section` are the RFC's; `shows` is what the message is about; `data` is the datagram."""

    name: str
    section: str
    shows: str
    data: bytes


def lines(*texts: str, body: bytes = b"") -> bytes:
    """A start line and header lines as UTF-8 with CRLF, the empty line, and the body."""
    return "".join(f"{text}\r\n" for text in (*texts, "")).encode() + body


def common(name: str, method: str, *, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The headers every request needs, of a caller of ours; `without` those that the test writes itself."""
    headers = (
        f"Via: SIP/2.0/UDP phone.example.com:5060;branch=z9hG4bK-{name}-via",
        "Max-Forwards: 70",
        f"From: Anna <sip:anna@example.com>;tag={name}-from",
        "To: <sip:hall@example.com>",
        f"Call-ID: {name}.call@192.0.2.20",
        f"CSeq: 31 {method}",
    )
    return tuple(header for header in headers if header.partition(":")[0] not in without)


def content(body: bytes, media_type: str = "application/sdp") -> tuple[str, str]:
    """The headers of a body."""
    return f"Content-Type: {media_type}", f"Content-Length: {len(body)}"


EMPTY = "Content-Length: 0"
CONTACT = "Contact: <sip:anna@192.0.2.20:5060>"
