"""Section 3.1.2: messages that are wrong, some so that nobody need suffer from it."""

from tests.conformance.rfc4475.building import CONTACT, EMPTY, SDP, TortureMessage, common, content, lines

_HALL = "sip:hall@example.com"


def _invite(name: str, *changed: str, uri: str = _HALL, without: tuple[str, ...] = ()) -> bytes:
    """An INVITE with our description that is in order but for `changed`, or its start line."""
    start = f"INVITE {uri} SIP/2.0"
    headers = common(name, "INVITE", without=without)
    return lines(start, *headers, *changed, CONTACT, *content(SDP), body=SDP)


def _options(name: str, *changed: str, start: str = f"OPTIONS {_HALL} SIP/2.0") -> bytes:
    without = tuple(header.partition(":")[0] for header in changed)
    return lines(start, *common(name, "OPTIONS", without=without), *changed, EMPTY)


INVALID = (
    TortureMessage(
        "badinv01",
        "3.1.2.1",
        "separators with nothing between them in Via and Contact",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("badinv01", "INVITE", without=("Via",)),
            "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bKbadinv01;;;,,;,;,",
            'Contact: "" <> ;,;;;,',
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "clerr",
        "3.1.2.2",
        "a Content-Length beyond the end of the datagram",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("clerr", "INVITE"),
            CONTACT,
            "Content-Type: application/sdp",
            f"Content-Length: {len(SDP) + 8000}",
            body=SDP,
        ),
    ),
    TortureMessage(
        "ncl",
        "3.1.2.3",
        "a negative Content-Length",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("ncl", "INVITE"),
            CONTACT,
            "Content-Type: application/sdp",
            "Content-Length: -1",
            body=SDP,
        ),
    ),
    TortureMessage(
        "scalar02",
        "3.1.2.4",
        "numbers beyond their ranges in a request: CSeq, Max-Forwards, Expires and a contact's expires",
        lines(
            "REGISTER sip:example.com SIP/2.0",
            *common("scalar02", "REGISTER", without=("Max-Forwards", "CSeq")),
            "CSeq: 98765432109876543210987 REGISTER",
            "Max-Forwards: 256",
            f"Expires: 1{'0' * 60}",
            "Contact: <sip:anna@192.0.2.20>;expires=77777777777777777777",
            EMPTY,
        ),
    ),
    TortureMessage(
        "scalarlg",
        "3.1.2.5",
        "numbers beyond their ranges in a response: CSeq, Retry-After and a warning's code",
        lines(
            "SIP/2.0 503 Service Unavailable",
            *common("scalarlg", "INVITE", without=("Max-Forwards", "CSeq")),
            "CSeq: 5000000000 INVITE",
            "Retry-After: 340282366920938463463374607431768211456",
            'Warning: 65536 hall.example.com "That was too much"',
            EMPTY,
        ),
    ),
    TortureMessage(
        "quotbal",
        "3.1.2.6",
        "a display name whose quote is never closed",
        _invite("quotbal", 'To: "The Hall <sip:hall@example.com>', without=("To",)),
    ),
    TortureMessage(
        "ltgtruri", "3.1.2.7", "angle brackets around the Request-URI", _invite("ltgtruri", uri=f"<{_HALL}>")
    ),
    TortureMessage(
        "lwsruri", "3.1.2.8", "a space inside the Request-URI", _invite("lwsruri", uri=f"{_HALL}; side=left")
    ),
    TortureMessage(
        "lwsstart",
        "3.1.2.9",
        "more than one space between the parts of the start line",
        lines(
            f"INVITE   {_HALL}    SIP/2.0",
            *common("lwsstart", "INVITE"),
            CONTACT,
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "trws",
        "3.1.2.10",
        "spaces behind the version in the start line",
        _options("trws", start=f"OPTIONS {_HALL} SIP/2.0   "),
    ),
    TortureMessage(
        "escruri",
        "3.1.2.11",
        "headers in a Request-URI",
        _invite("escruri", uri=f"{_HALL}?Subject=%22open%20day%22"),
    ),
    TortureMessage(
        "baddate",
        "3.1.2.12",
        "a Date that is not in GMT",
        _invite("baddate", "Date: Tue, 03 Mar 2026 09:30:00 CET"),
    ),
    TortureMessage(
        "regbadct",
        "3.1.2.13",
        "a contact with headers in its URI and no angle brackets around it",
        lines(
            "REGISTER sip:example.com SIP/2.0",
            *common("regbadct", "REGISTER"),
            "Contact: sip:anna@192.0.2.20?Subject=%22open%20day%22",
            EMPTY,
        ),
    ),
    TortureMessage(
        "badaspec",
        "3.1.2.14",
        "spaces between the angle brackets and the URI in them",
        _options("badaspec", 'To: "Hall, Great" < sip:great.hall@example.com >'),
    ),
    TortureMessage(
        "baddn",
        "3.1.2.15",
        "a display name with a comma and no quotes",
        _options("baddn", "From: Berg, Anna van den <sip:anna@example.com>;tag=baddn-from"),
    ),
    TortureMessage(
        "badvers",
        "3.1.2.16",
        "a version of SIP that does not exist",
        _options(
            "badvers",
            "Via: SIP/3.1/UDP phone.example.com;branch=z9hG4bKbadvers",
            start=f"OPTIONS {_HALL} SIP/3.1",
        ),
    ),
    TortureMessage(
        "mismatch01",
        "3.1.2.17",
        "another known method in CSeq than in the start line",
        _options("mismatch01", "CSeq: 8 INVITE"),
    ),
    TortureMessage(
        "mismatch02",
        "3.1.2.18",
        "a known method in CSeq, an unknown one in the start line",
        lines(
            f"LISTEN {_HALL} SIP/2.0",
            *common("mismatch02", "INVITE"),
            CONTACT,
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "bigcode",
        "3.1.2.19",
        "a status code that fits no 32 bits",
        lines(
            "SIP/2.0 4294967496 Looks Like 200 To Whoever Wraps Around",
            *common("bigcode", "INVITE", without=("Max-Forwards", "To")),
            "To: <sip:hall@example.com>;tag=bigcode-to",
            "Contact: <sip:hall@192.0.2.40>",
            EMPTY,
        ),
    ),
)
