"""RFC 4475's torture messages, each by its name, with what we make of it.

The messages are the bit-exact ones of the RFC's appendix A, in `rfc4475/`. What a layer above must do with
a message (404, 416, 420 …) rests on the facts asserted here. Where the RFC leaves the choice between
refusing and reading liberally we read, and the comment says so.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

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

MESSAGES = Path(__file__).parent / "rfc4475"

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
    "badvers": (505, "SIP/7.0"),
    "mismatch01": (400, "CSeq"),
    "mismatch02": (400, "CSeq"),
    "bigcode": (None, "status code"),
    "insuf": (400, "missing"),
    "multi01": (400, "more than once"),
    "mcl01": (400, "Content-Length"),
}


def load(name: str) -> bytes:
    return (MESSAGES / f"{name}.dat").read_bytes()


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
    assert (message.method, message.uri) == ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam")
    assert message.request_uri.parameters == {"unknownparam": None}
    assert str(message.to.uri) == "sip:vivekg@chair-dnrc.example.com"
    assert message.to.tag == "1918181833n"
    assert message.from_.display_name == 'J Rosenberg \\"'
    assert message.from_.tag == "98asjd8"
    assert message.max_forwards == 68
    assert str(message.cseq) == "9 INVITE"
    assert [(via.transport, via.host, via.branch) for via in message.vias] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert message.routes[0].uri.parameters["unknownwith"] == "value"
    assert message.contact is not None
    assert message.contact.display_name == 'Quoted string ""'
    assert message.contact.parameters == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert len(message.body) == 150


def intmeth() -> None:
    message = request("intmeth")
    assert message.method == message.cseq.method == "!interesting-Method0123456789_*+`.%indeed'~"
    assert message.request_uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert message.request_uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert message.request_uri.host == "example.com"
    assert message.to.display_name == "BEL:\x07 NUL:\0 DEL:\x7f"
    assert message.from_.display_name == "token1~` token2'+_ token3*%!.-"
    assert message.from_.parameters.text("fromParam''~+*_!.-%") == "работающий"
    assert message.from_.tag == "_token~1'+`*%!-."
    assert message.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    assert message.max_forwards == 255


def esc01() -> None:
    message = request("esc01")
    assert message.request_uri.user == "sips:user@example.com"
    assert message.request_uri.host == "example.net"
    assert message.to.uri.user == "user"
    assert message.from_.uri.user == "I have spaces"
    assert message.contact is not None
    assert message.contact.uri.user == "caller"
    assert message.contact.uri.parameters["n%61me"] == "v%61lue%25%34%31"


def escnull() -> None:
    message = request("escnull")
    assert message.to.uri.user == "null-\0-null"
    assert [contact.uri.user for contact in message.contacts if contact != "*"] == ["\0", "\0\0"]
    assert str(message.to.uri) == "sip:null-%00-null@example.com"


def esc02() -> None:
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert message.to.display_name == "%Z%45"
    assert message.via.branch == "z9hG4bK209%fzsnel234"
    assert [str(c.uri) for c in message.contacts if c != "*"] == [
        "sip:alias1@host1.example.com",
        "sip:alias3@host3.example.com",
    ]
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def lwsdisp() -> None:
    assert request("lwsdisp").from_.display_name == "caller"


def longreq() -> None:
    message = request("longreq")
    assert len(message.vias) == 34
    assert message.vias[33].received == "192.0.2.5"
    assert message.via.host == "sip33.example.com"
    assert message.to.uri.port == 6000
    assert len(message.body) == 150


def dblreq() -> None:
    message = request("dblreq")
    assert message.method == "REGISTER"
    assert message.body == b""
    events = StreamParser().receive_data(load("dblreq"))
    assert [e.method for e in events if isinstance(e, Request)] == ["REGISTER", "INVITE"]
    # The RFC's second body is a byte longer than its Content-Length, so a stray C begins the next message.
    assert isinstance(events[2], StreamError)
    assert events[2].fatal


def semiuri() -> None:
    message = request("semiuri")
    assert message.request_uri.user == "user;par=u@example.net"
    assert message.request_uri.host == "example.com"
    assert message.request_uri.parameters == {}
    assert [str(media) for media in message.accept][:2] == ["application/sdp", "application/pkcs7-mime"]


def transports() -> None:
    assert [via.transport for via in request("transports").vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def mpart01() -> None:
    message = request("mpart01")
    assert message.content_type is not None
    first, second = split_multipart(message.body, message.content_type)
    assert first.body == b"Hello"
    assert second.content_type.essence == "application/octet-stream"
    assert len(second.body) == message.body.index(b"\r\n--7a9cbec02ceef655--") - message.body.index(b"0\x82")
    assert session_description(message) is None


def unreason() -> None:
    assert response("unreason").reason.startswith("= 2**3 * 5**2 но сто")


def noreason() -> None:
    assert (response("noreason").status, response("noreason").reason) == (100, "")


def lwsstart() -> None:
    # Spaces too many between the parts of the start line: refusing is recommended, reading is safe.
    assert request("lwsstart").uri == "sip:user@example.com"


def trws() -> None:
    assert request("trws").uri == "sip:remote-target@example.com"


def escruri() -> None:
    # Headers in a Request-URI: may be ignored, as everything above does.
    assert request("escruri").request_uri.headers == (("Route", "<sip:example.com>"),)


def baddate() -> None:
    # A Date in another zone than GMT: nothing of ours reads Date.
    assert request("baddate").headers.get("Date") == "Fri, 01 Jan 2010 16:00:00 EST"


def regbadct() -> None:
    # A URI with headers but without angle brackets: read as if it had them.
    contact = request("regbadct").contact
    assert contact is not None
    assert contact.uri.headers == (("Route", "<sip:sip.example.com>"),)


def badaspec() -> None:
    # Spaces inside angle brackets.
    assert str(request("badaspec").to.uri) == "sip:t.watson@example.org"


def baddn() -> None:
    # A comma in a display name without quotes.
    assert request("baddn").from_.display_name == "Bell, Alexander"


def badbranch() -> None:
    assert not request("badbranch").via.is_rfc3261


def unkscm() -> None:
    uri = request("unkscm").request_uri
    assert (uri.scheme, uri.opaque) == ("nobodyknowsthisscheme", "totallyopaquecontent")


def novelsc() -> None:
    assert request("novelsc").request_uri.scheme == "soap.beep"


def unksm2() -> None:
    message = request("unksm2")
    assert (message.to.uri.scheme, message.from_.uri.scheme) == ("isbn", "http")
    assert message.from_.tag == "3234233"
    assert message.contact is not None
    assert message.contact.uri.scheme == "name"


def bext01() -> None:
    message = request("bext01")
    assert message.require == ["nothingsupportsthis", "nothingsupportsthiseither"]
    assert message.proxy_require == ["noproxiessupportthis", "nordoanyproxiessupportthis"]


def invut() -> None:
    message = request("invut")
    assert message.content_type is not None
    assert message.content_type.essence == "application/unknownformat"
    assert session_description(message) is None


def regaut01() -> None:
    assert request("regaut01").headers.get("Authorization") == "NoOneKnowsThisScheme opaque-data=here"


def bcast() -> None:
    assert [via.host for via in response("bcast").vias] == ["192.0.2.198", "255.255.255.255"]


def zeromf() -> None:
    assert request("zeromf").max_forwards == 0


def cparam01() -> None:
    contact = request("cparam01").contact
    assert contact is not None
    assert contact.parameters == {"unknownparam": None}
    assert contact.uri.parameters == {}


def cparam02() -> None:
    contact = request("cparam02").contact
    assert contact is not None
    assert contact.parameters == {}
    assert contact.uri.parameters == {"unknownparam": None}


def regescrt() -> None:
    contact = request("regescrt").contact
    assert contact is not None
    assert contact.uri.headers == (("Route", "<sip:sip.example.com>"),)
    assert str(contact.uri) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"


def sdp01() -> None:
    message = request("sdp01")
    assert [str(media) for media in message.accept] == ["text/nobodyknowsthis"]
    answer, agreement = make_answer(parse_sdp(message.body), LocalMedia("192.0.2.9", 20000))
    assert agreement.codec == "PCMU"
    assert [media.port for media in answer.media] == [20000, 0]


def inv2543() -> None:
    message = request("inv2543")
    assert message.via.branch is None
    assert message.from_.tag is None
    assert message.max_forwards is None
    assert not message.record_routes[0].uri.is_loose_router
    assert len(message.body) == 105


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
    files = {path.stem for path in MESSAGES.glob("*.dat")}
    assert files == REFUSED.keys() | {verdict.__name__ for verdict in ACCEPTED}
    assert len(files) == len(REFUSED) + len(ACCEPTED) == 49


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


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.dat")), ids=lambda path: path.stem)
def test_rfc4475_message_in_a_stream_gives_the_same_however_it_is_cut(path: Path) -> None:
    data = path.read_bytes()
    whole = StreamParser().receive_data(data)
    parser = StreamParser()
    pieces = [event for byte in data for event in parser.receive_data(bytes([byte]))]
    assert [describe(event) for event in pieces] == [describe(event) for event in whole]


def describe(event: Request | Response | KeepAlive | StreamError) -> object:
    return bytes(event) if isinstance(event, Request | Response) else repr(event)
