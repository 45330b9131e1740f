"""RFC 4475's torture tests, each by its name, with what we make of it.

The messages are our own, made after the RFC's cases (`rfc4475/`); they are not the RFC's bytes. What a layer
above must do with a message (404, 416, 420 …) rests on the facts asserted here. Where the RFC leaves the
choice between refusing and reading liberally we read, and the comment says so.
"""

from collections.abc import Callable

import pytest
from tests.conformance.rfc4475.building import SDP, TortureMessage
from tests.conformance.rfc4475.messages import BY_NAME, MESSAGES
from tests.conformance.rfc4475.valid import MPART01_SIGNATURE

from townhall.sdp import LocalMedia, make_answer, parse_sdp
from townhall.sip import (
    KeepAlive,
    Request,
    Response,
    SIPParseError,
    StreamError,
    StreamParser,
    parse_message,
    session_description,
    split_multipart,
)

# The number of tests in each part of the RFC.
SECTIONS = {"3.1.1": 13, "3.1.2": 19, "3.2": 1, "3.3": 15, "3.4": 1}

# Section 3.1.2 and 3.3: refused by the parser, with the status for a request (None: a response, which is
# dropped).
REFUSED = {
    "badinv01": (400, "Via"),
    "clerr": (400, "Content-Length"),
    "ncl": (400, "Content-Length"),
    "scalar02": (400, "CSeq"),
    "scalarlg": (None, "CSeq"),
    "quotbal": (400, "quoted string"),
    "ltgtruri": (400, "URI"),
    "lwsruri": (400, "METHOD URI SIP/2.0"),
    "badvers": (505, "SIP/3.1"),
    "mismatch01": (400, "CSeq"),
    "mismatch02": (400, "CSeq"),
    "bigcode": (None, "status code"),
    "insuf": (400, "missing"),
    "multi01": (400, "more than once"),
    "mcl01": (400, "Content-Length"),
}


def load(name: str) -> bytes:
    return BY_NAME[name].data


def request(name: str) -> Request:
    message = parse_message(load(name))
    assert isinstance(message, Request)
    return message


def response(name: str) -> Response:
    message = parse_message(load(name))
    assert isinstance(message, Response)
    return message


def wsinv() -> None:
    message = request("wsinv")
    assert (message.method, message.uri) == ("INVITE", "sip:hall@main.example.com;oddity")
    assert message.request_uri.parameters == {"oddity": None}
    assert str(message.to.uri) == "sip:hall@main.example.com"
    assert message.to.tag == "77hall-tag"
    assert message.from_.display_name == 'Anna \\"B"'
    assert message.from_.tag == "anna1"
    assert message.max_forwards == 42
    assert str(message.cseq) == "17 INVITE"
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.31", "oldstyle31"),
        ("TCP", "relay.example.com", "z9hG4bKwsinv2"),
        ("UDP", "192.0.2.33", "z9hG4bKwsinv3"),
    ]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("BrandNewHeader") == "first half second half of it"
    assert message.headers.get("NobodyKnowsThisEither") == ",;;,=;"
    assert message.routes[0].uri.is_loose_router
    assert message.routes[0].uri.parameters == {"lr": None, "unheard": "of", "odd-flag": None}
    assert message.contact is not None
    assert message.contact.display_name == 'Nested "quotes"'
    assert message.contact.parameters == {"fresh": "thing", "bare": None, "q": "0.25"}
    assert message.body == SDP


def intmeth() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "Own.Meth0d-%*_+`'~!987"
    assert message.request_uri.user == "2_~!.*'(odd)&=+$,;?/user"
    assert message.request_uri.password == "p&=+$,a-_.s!~*'(s)"
    assert message.request_uri.host == "example.com"
    assert message.via.branch == "z9hG4bK-.!%*_+`'~Own.Meth0d-%*_+`'~!987"
    assert message.to.display_name == "bell \x07 nul \0 rubout \x7f"
    assert message.to.uri.user == message.request_uri.user
    assert message.from_.display_name == "a1.~` b-2'+_ c%*!3"
    assert message.from_.parameters.text("P!%*_+`'~.-") == "größer"
    assert message.from_.tag == "-.!%*_+`'~t"
    assert message.call_id == 'odd-.!%*_+`\'~()<>:\\/"[]?{}@~odd()<>:\\/"[]?{}'
    assert message.headers.get("ODD-.!%*_+`'~header") == "\ufeff会議 ½"
    assert message.max_forwards == 255


def esc01() -> None:
    message = request("esc01")
    assert message.request_uri.user == "sips:hall@example.com"
    assert message.request_uri.host == "gate.example.net"
    assert message.to.uri.user == "hall"
    assert message.from_.uri.user == "two words here"
    assert message.contact is not None
    assert message.contact.uri.user == "anna"
    assert message.contact.uri.parameters["%6cine"] == "%31%25%32%30"


def escnull() -> None:
    message = request("escnull")
    assert message.to.uri.user == message.from_.uri.user == "before\0after"
    assert [contact.uri.user for contact in message.contacts if not isinstance(contact, str)] == [
        "\0",
        "\0\0\0",
    ]
    assert str(message.to.uri) == "sip:before%00after@example.com"


def esc02() -> None:
    message = request("esc02")
    assert message.method == message.cseq.method == "OP%54IONS"
    assert message.request_uri.user == "hall1"
    assert message.to.display_name == "100%41 <-- no escape"
    assert message.from_.tag == "%66%6F"
    assert message.call_id == "esc02.%73%63@192.0.2.20"
    assert message.via.branch == "z9hG4bK%41esc%zz"
    assert [str(c.uri) for c in message.contacts if not isinstance(c, str)] == [
        "sip:first@phone1.example.com",
        "sip:third@phone3.example.com",
    ]
    assert message.headers.get("Con%74act") == "<sip:second@phone2.example.com>"


def lwsdisp() -> None:
    message = request("lwsdisp")
    assert message.from_.display_name == "anna"
    assert str(message.from_.uri) == "sip:anna@example.com"


def longreq() -> None:
    message = request("longreq")
    assert len(message.vias) == 34
    assert message.vias[33].received == "192.0.2.20"
    assert message.vias[33].branch == f"z9hG4bKlongreq{'q' * 210}"
    assert message.via.host == "relay40.example.com"
    assert message.to.display_name == f"The hall with a l{'o' * 200}ng name"
    assert message.to.uri.port == 6060
    assert message.to.uri.parameters == {f"parameter{'n' * 150}": f"value{'v' * 160}"}
    assert message.from_.tag == f"lon{'g' * 170}"
    assert message.call_id == f"longreq.call{'l' * 240}@192.0.2.20"
    assert message.body == SDP


def dblreq() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b""
    first, second = StreamParser().receive_data(load("dblreq"))
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert (first.method, first.body, second.method, second.body) == ("REGISTER", b"", "INVITE", SDP)
    # A stray byte behind it begins the next message, which is none.
    stray = StreamParser().receive_data(load("dblreq") + b"C\r\n\r\n")[2]
    assert isinstance(stray, StreamError)
    assert stray.fatal


def semiuri() -> None:
    message = request("semiuri")
    assert message.request_uri.user == "hall;side=left@example.net"
    assert message.request_uri.host == "example.com"
    assert message.request_uri.parameters == {}
    assert [str(media) for media in message.accept] == [
        *("application/sdp", "application/pkcs7-mime", "multipart/mixed", "message/sip", "text/plain")
    ]


def transports() -> None:
    vias = request("transports").vias
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "CARRIERPIGEON", "TCP"]
    assert [via.host for via in vias] == [f"relay{n}.example.com" for n in range(5)]


def mpart01() -> None:
    message = request("mpart01")
    assert message.content_type is not None
    first, second = split_multipart(message.body, message.content_type)
    assert first.content_type.essence == "text/plain"
    assert first.body == b"Good evening"
    assert second.content_type.essence == "application/octet-stream"
    assert second.body == MPART01_SIGNATURE
    assert session_description(message) is None


def unreason() -> None:
    message = response("unreason")
    assert (message.status, message.reason) == (200, "2 × 100 = двести, 好的; nichts für ungut!")


def noreason() -> None:
    assert (response("noreason").status, response("noreason").reason) == (100, "")


def lwsstart() -> None:
    # Spaces too many between the parts of the start line: refusing is recommended, reading is safe.
    assert request("lwsstart").uri == "sip:hall@example.com"


def trws() -> None:
    assert request("trws").uri == "sip:hall@example.com"


def escruri() -> None:
    # Headers in a Request-URI: may be ignored, as everything above does.
    assert request("escruri").request_uri.headers == (("Subject", '"open day"'),)
    assert request("escruri").headers.get("Subject") is None


def baddate() -> None:
    # A Date in another zone than GMT: nothing of ours reads Date.
    assert request("baddate").headers.get("Date") == "Tue, 03 Mar 2026 09:30:00 CET"


def regbadct() -> None:
    # A URI with headers but without angle brackets: read as if it had them.
    contact = request("regbadct").contact
    assert contact is not None
    assert contact.uri.headers == (("Subject", '"open day"'),)


def badaspec() -> None:
    # Spaces inside angle brackets.
    message = request("badaspec")
    assert message.to.display_name == "Hall, Great"
    assert str(message.to.uri) == "sip:great.hall@example.com"


def baddn() -> None:
    # A comma in a display name without quotes.
    assert request("baddn").from_.display_name == "Berg, Anna van den"
    assert request("baddn").from_.tag == "baddn-from"


def badbranch() -> None:
    assert request("badbranch").via.branch == "z9hG4bK"
    assert not request("badbranch").via.is_rfc3261


def unkscm() -> None:
    uri = request("unkscm").request_uri
    assert (uri.scheme, uri.opaque) == ("inventedtoday", "and-not-to-be-looked-into")


def novelsc() -> None:
    assert request("novelsc").request_uri.scheme == "soap.beep"


def unksm2() -> None:
    message = request("unksm2")
    assert (message.to.uri.scheme, message.from_.uri.scheme) == ("urn", "https")
    assert message.from_.tag == "unksm2-from"
    assert message.contact is not None
    assert message.contact.uri.scheme == "invented"


def bext01() -> None:
    message = request("bext01")
    assert message.require == ["brewing-coffee", "reading-minds"]
    assert message.proxy_require == ["brewing-tea", "keeping-secrets"]


def invut() -> None:
    message = request("invut")
    assert message.content_type is not None
    assert message.content_type.essence == "application/x-minutes-of-ours"
    assert session_description(message) is None


def regaut01() -> None:
    assert request("regaut01").headers.get("Authorization") == "Handshake grip=firm, times=3"


def bcast() -> None:
    assert [via.host for via in response("bcast").vias] == ["192.0.2.40", "255.255.255.255"]


def zeromf() -> None:
    assert request("zeromf").max_forwards == 0


def cparam01() -> None:
    contact = request("cparam01").contact
    assert contact is not None
    assert contact.parameters == {"unheardof": None}
    assert contact.uri.parameters == {}


def cparam02() -> None:
    contact = request("cparam02").contact
    assert contact is not None
    assert contact.parameters == {}
    assert contact.uri.parameters == {"unheardof": None}


def regescrt() -> None:
    contact = request("regescrt").contact
    assert contact is not None
    assert contact.uri.headers == (("Route", "<sip:gate.example.com;lr>"),)
    assert str(contact.uri) == "sip:anna@example.com?Route=%3Csip:gate.example.com%3Blr%3E"


def sdp01() -> None:
    message = request("sdp01")
    assert [str(media) for media in message.accept] == ["text/x-minutes-of-ours"]
    answer, agreement = make_answer(parse_sdp(message.body), LocalMedia("192.0.2.9", 20000))
    assert agreement.codec == "PCMU"
    assert [media.port for media in answer.media] == [20000, 0]


def inv2543() -> None:
    message = request("inv2543")
    assert message.via.branch is None
    assert message.from_.tag is None
    assert message.max_forwards is None
    assert not message.record_routes[0].uri.is_loose_router
    assert parse_sdp(message.body).media[0].formats == ("0",)


ACCEPTED: list[Callable[[], None]] = [
    *(
        wsinv,
        intmeth,
        esc01,
        escnull,
        esc02,
        lwsdisp,
        longreq,
        dblreq,
        semiuri,
        transports,
        mpart01,
        unreason,
    ),
    *(
        noreason,
        lwsstart,
        trws,
        escruri,
        baddate,
        regbadct,
        badaspec,
        baddn,
        badbranch,
        unkscm,
        novelsc,
        unksm2,
    ),
    *(bext01, invut, regaut01, bcast, zeromf, cparam01, cparam02, regescrt, sdp01, inv2543),
]


def test_rfc4475_every_message_has_a_verdict() -> None:
    assert BY_NAME.keys() == REFUSED.keys() | {verdict.__name__ for verdict in ACCEPTED}
    assert len(MESSAGES) == len(BY_NAME) == len(REFUSED) + len(ACCEPTED) == 49


def test_rfc4475_every_section_has_its_message() -> None:
    expected = [f"{part}.{number}" for part, count in SECTIONS.items() for number in range(1, count + 1)]
    assert [message.section for message in MESSAGES] == expected
    assert all(message.shows for message in MESSAGES)


@pytest.mark.parametrize("verdict", ACCEPTED, ids=lambda verdict: verdict.__name__)
def test_rfc4475_message_is_read(verdict: Callable[[], None]) -> None:
    verdict()


@pytest.mark.parametrize("name", REFUSED)
def test_rfc4475_message_is_refused_with_what_is_needed_to_answer(name: str) -> None:
    status, reason = REFUSED[name]
    with pytest.raises(SIPParseError, match=reason) as caught:
        parse_message(load(name))
    if status is None:
        assert caught.value.request is None
        return
    assert caught.value.status_hint == status
    assert caught.value.request is not None
    answer = bytes(caught.value.request.create_response(caught.value.status_hint, to_tag="x")).decode()
    original = caught.value.request.headers
    assert answer.startswith(f"SIP/2.0 {status} ")
    for header in ("Via", "From", "Call-ID", "CSeq"):
        assert all(f"{header}: {value}\r\n" in answer for value in original.get_all(header))


@pytest.mark.parametrize("verdict", ACCEPTED, ids=lambda verdict: verdict.__name__)
def test_rfc4475_message_written_again_reads_the_same(verdict: Callable[[], None]) -> None:
    message = parse_message(load(verdict.__name__))
    again = parse_message(bytes(message))
    assert [f for f in again.headers.items() if f[0] != "Content-Length"] == [
        f for f in message.headers.items() if f[0] != "Content-Length"
    ]
    assert (again.start_line, again.body) == (message.start_line, message.body)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_rfc4475_message_in_a_stream_gives_the_same_however_it_is_cut(message: TortureMessage) -> None:
    data = message.data
    whole = StreamParser().receive_data(data)
    parser = StreamParser()
    pieces = [event for byte in data for event in parser.receive_data(bytes([byte]))]
    assert [describe(event) for event in pieces] == [describe(event) for event in whole]


def describe(event: Request | Response | KeepAlive | StreamError) -> object:
    return bytes(event) if isinstance(event, Request | Response) else repr(event)
