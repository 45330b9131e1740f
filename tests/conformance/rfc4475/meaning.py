"""Sections 3.2 to 3.4: messages that are well formed, and whose meaning is the trap."""

from tests.conformance.rfc4475.building import CONTACT, EMPTY, SDP, TortureMessage, common, content, lines

_HALL = "sip:hall@example.com"
_STRANGE_BODY = b"<minutes><item>Whether this can be read</item></minutes>"
_TWO_STREAMS = SDP + b"m=video 30010 RTP/AVP 31\r\n"
_OLD_SDP = SDP.partition(b"a=")[0].replace(b" 0 101\r\n", b" 0\r\n")


def _register(name: str, *headers: str) -> bytes:
    return lines("REGISTER sip:example.com SIP/2.0", *common(name, "REGISTER"), *headers, EMPTY)


def _options(name: str, *headers: str, uri: str = _HALL) -> bytes:
    without = tuple(header.partition(":")[0] for header in headers)
    return lines(f"OPTIONS {uri} SIP/2.0", *common(name, "OPTIONS", without=without), *headers, EMPTY)


MEANING = (
    TortureMessage(
        "badbranch",
        "3.2.1",
        "a branch that is the magic cookie and nothing more, so it is not unique",
        _options("badbranch", "Via: SIP/2.0/UDP phone.example.com;branch=z9hG4bK"),
    ),
    TortureMessage(
        "insuf",
        "3.3.1",
        "an INVITE without Call-ID, From and To",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("insuf", "INVITE", without=("Call-ID", "From", "To")),
            CONTACT,
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "unkscm",
        "3.3.2",
        "a Request-URI of a scheme that nobody registered",
        _options("unkscm", uri="inventedtoday:and-not-to-be-looked-into"),
    ),
    TortureMessage(
        "novelsc",
        "3.3.3",
        "a Request-URI of a registered scheme that has nothing to do with SIP",
        _options("novelsc", uri="soap.beep://192.0.2.77:4010"),
    ),
    TortureMessage(
        "unksm2",
        "3.3.4",
        "From, To and Contact of schemes other than SIP's",
        lines(
            "REGISTER sip:example.com SIP/2.0",
            *common("unksm2", "REGISTER", without=("From", "To")),
            "To: urn:example:hall:4",
            "From: <https://www.example.com/anna>;tag=unksm2-from",
            "Contact: <invented:place>",
            EMPTY,
        ),
    ),
    TortureMessage(
        "bext01",
        "3.3.5",
        "Require and Proxy-Require name extensions that do not exist",
        _options(
            "bext01",
            "Require: brewing-coffee, reading-minds",
            "Proxy-Require: brewing-tea, keeping-secrets",
        ),
    ),
    TortureMessage(
        "invut",
        "3.3.6",
        "an INVITE with a body of unknown type",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("invut", "INVITE"),
            CONTACT,
            *content(_STRANGE_BODY, "application/x-minutes-of-ours"),
            body=_STRANGE_BODY,
        ),
    ),
    TortureMessage(
        "regaut01",
        "3.3.7",
        "credentials of an unknown scheme",
        _register("regaut01", CONTACT, "Authorization: Handshake grip=firm, times=3"),
    ),
    TortureMessage(
        "multi01",
        "3.3.8",
        "headers twice that may stand only once, with different values",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("multi01", "INVITE"),
            "From: <sip:ben@example.org>;tag=multi01-other",
            "To: <sip:other-hall@example.org>",
            "Call-ID: multi01.other@192.0.2.21",
            "CSeq: 32 INVITE",
            "Max-Forwards: 5",
            CONTACT,
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "mcl01",
        "3.3.9",
        "two Content-Lengths that differ",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("mcl01", "INVITE"),
            CONTACT,
            "Content-Length: 12",
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "bcast",
        "3.3.10",
        "a response whose second Via would have it broadcast",
        lines(
            "SIP/2.0 200 OK",
            "Via: SIP/2.0/UDP 192.0.2.40;branch=z9hG4bKbcast1",
            "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKbcast2",
            *common("bcast", "INVITE", without=("Via", "Max-Forwards", "To")),
            "To: <sip:hall@example.com>;tag=bcast-to",
            "Contact: <sip:hall@192.0.2.50>",
            *content(SDP),
            body=SDP,
        ),
    ),
    TortureMessage(
        "zeromf",
        "3.3.11",
        "Max-Forwards 0, which does not keep the one it is for from answering",
        _options("zeromf", "Max-Forwards: 0"),
    ),
    TortureMessage(
        "cparam01",
        "3.3.12",
        "an unknown parameter of a contact",
        _register("cparam01", "Contact: sip:+4930555123@gate.example.net;unheardof"),
    ),
    TortureMessage(
        "cparam02",
        "3.3.13",
        "an unknown parameter of the URI in a contact",
        _register("cparam02", "Contact: <sip:+4930555123@gate.example.net;unheardof>"),
    ),
    TortureMessage(
        "regescrt",
        "3.3.14",
        "a contact with a Route in its URI: to be kept, not to be followed by whoever registers it",
        _register("regescrt", "Contact: <sip:anna@example.com?Route=%3Csip:gate.example.com;lr%3E>"),
    ),
    TortureMessage(
        "sdp01",
        "3.3.15",
        "an INVITE that accepts no SDP, although it brings some",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            *common("sdp01", "INVITE"),
            CONTACT,
            "Accept: text/x-minutes-of-ours",
            *content(_TWO_STREAMS),
            body=_TWO_STREAMS,
        ),
    ),
    TortureMessage(
        "inv2543",
        "3.4.1",
        "an INVITE as RFC 2543 had it: no branch, no From tag, no Max-Forwards, strict routes",
        lines(
            f"INVITE {_HALL} SIP/2.0",
            "Via: SIP/2.0/UDP old-phone.example.com",
            "Record-Route: <sip:hall@old-relay.example.com>",
            "From: <sip:anna@old-phone.example.com>",
            "To: <sip:hall@example.com>",
            "Call-ID: inv2543.call@old-phone.example.com",
            "CSeq: 1 INVITE",
            *content(_OLD_SDP),
            body=_OLD_SDP,
        ),
    ),
)
