"""What the endpoint answers by itself, and in which order it looks at a request."""

import gc
import weakref
from dataclasses import replace

import pytest
from tests.harness.endpoints import OTHER_SDP, PEER, SDP, Message, Script

from townhall.sip import Request, Response, SIPParseError, parse_message
from townhall.sip.events import AnswerAcknowledged, CallEnded, InviteReceived, RegisterReceived


def statuses(messages: list[Message]) -> list[int]:
    return [message.status for message in messages if isinstance(message, Response)]


def only(messages: list[Message]) -> Response:
    (message,) = messages
    assert isinstance(message, Response)
    return message


def answered_call(script: Script) -> str:
    """Set a call up; returns our tag."""
    script.receive(script.request("INVITE", body=SDP))
    event = script.events[-1]
    assert isinstance(event, InviteReceived)
    ok = only(script.do(lambda now: event.call.answer(OTHER_SDP, now)))
    tag = ok.to.tag
    assert tag is not None
    script.receive(script.request("ACK", to_tag=tag))
    assert isinstance(script.events[-1], AnswerAcknowledged)
    return tag


def test_options_is_answered_with_what_we_can_do() -> None:
    response = only(Script().receive(Script().request("OPTIONS")))
    assert response.status == 200
    assert "INVITE" in response.allow
    assert {media.essence for media in response.accept} >= {"application/sdp"}
    assert response.supported == ["100rel", "timer"]
    assert response.headers.get("Server") == "Townhall"
    assert response.to.tag


@pytest.mark.parametrize(
    ("method", "headers", "body", "uri", "status", "header"),
    [
        ("MESSAGE", (), b"", "sip:1000@192.0.2.10", 405, "Allow"),
        ("INVITE", (), SDP, "urn:service:sos", 416, None),
        ("INVITE", (("Require", "replaces, 100rel"),), SDP, "sip:1000@192.0.2.10", 420, "Unsupported"),
        ("INVITE", (("Content-Type", "text/plain"),), b"hello", "sip:1000@192.0.2.10", 415, "Accept"),
        ("INVITE", (("Content-Encoding", "gzip"),), SDP, "sip:1000@192.0.2.10", 415, "Accept-Encoding"),
        ("INVITE", (("Accept", "text/plain"),), SDP, "sip:1000@192.0.2.10", 406, "Accept"),
        (
            "INVITE",
            (("Session-Expires", "30"), ("Supported", "timer")),
            SDP,
            "sip:1000@192.0.2.10",
            422,
            "Min-SE",
        ),
        ("BYE", (), b"", "sip:1000@192.0.2.10", 481, None),
        ("CANCEL", (), b"", "sip:1000@192.0.2.10", 481, None),
        ("UPDATE", (), b"", "sip:1000@192.0.2.10", 481, None),
        ("INVITE", (("Session-Expires", "soon"),), SDP, "sip:1000@192.0.2.10", 400, None),
    ],
)
def test_request_that_fails_a_check_gets_its_status_and_header(
    method: str, headers: tuple[tuple[str, str], ...], body: bytes, uri: str, status: int, header: str | None
) -> None:
    script = Script()
    response = only(script.receive(script.request(method, *headers, body=body, uri=uri)))
    assert response.status == status
    assert header is None or header in response.headers
    assert response.to.tag
    assert script.events == []


def test_unsupported_names_only_what_is_not_supported() -> None:
    script = Script()
    response = only(script.receive(script.request("INVITE", ("Require", "replaces, 100rel"), body=SDP)))
    assert response.headers.get("Unsupported") == "replaces"


def test_invite_without_contact_is_malformed() -> None:
    script = Script()
    invite = script.request("INVITE", body=SDP)
    invite.headers.remove("Contact")
    assert only(script.receive(invite)).status == 400


def test_body_whose_handling_is_optional_is_passed_over() -> None:
    script = Script()
    headers = (("Content-Type", "application/isup"), ("Content-Disposition", "signal;handling=optional"))
    script.receive(script.request("INVITE", *headers, body=b"\1\2"))
    assert isinstance(script.events[-1], InviteReceived)
    assert script.events[-1].call.offer is None


def test_max_forwards_of_zero_is_no_reason_to_refuse() -> None:
    script = Script()
    options = script.request("OPTIONS")
    options.headers.set("Max-Forwards", "0")
    assert only(script.receive(options)).status == 200


@pytest.mark.parametrize(("text", "status"), [("OPTIONS sip:x SIP/3.0", 505), ("OPTIONS  SIP/2.0", 400)])
def test_malformed_request_is_answered_with_what_could_be_read(text: str, status: int) -> None:
    script = Script()
    data = bytes(script.request("OPTIONS")).split(b"\r\n", 1)[1]
    with pytest.raises(SIPParseError) as error:
        parse_message(text.encode() + b"\r\n" + data)
    script.endpoint.receive_malformed(
        error.value.request, error.value.status_hint, str(error.value), script.source
    )
    response = only(script.drain())
    assert (response.status, response.call_id) == (status, "call")
    assert script.hops[-1].host == PEER[0]


def test_malformed_ack_is_not_answered() -> None:
    script = Script()
    script.endpoint.receive_malformed(script.request("ACK"), 400, "", script.source)
    assert script.drain() == []


def test_request_that_came_by_two_ways_is_served_once() -> None:
    script = Script()
    script.receive(script.request("INVITE", body=SDP))
    assert only(script.receive(script.request("INVITE", body=SDP))).status == 482
    assert len(script.events) == 1


@pytest.mark.parametrize("branch", ["z9hG4bKsame", "old-style-branch"])
def test_repeated_invite_is_one_call_and_gets_the_last_response_again(branch: str) -> None:
    script = Script()
    invite = script.request("INVITE", body=SDP, branch=branch)
    script.receive(invite)
    (event,) = script.events
    assert isinstance(event, InviteReceived)
    script.do(lambda now: event.call.ring(now))
    assert statuses(script.receive(invite)) == [180]
    ok = only(script.do(lambda now: event.call.answer(OTHER_SDP, now)))
    assert script.receive(invite) == []
    script.receive(script.request("ACK", to_tag=ok.to.tag, branch=branch))
    assert [type(event) for event in script.events] == [InviteReceived, AnswerAcknowledged]
    assert script.advance(10) == []


def test_response_goes_to_the_source_when_rport_is_asked_for() -> None:
    script = Script()
    options = script.request("OPTIONS")
    options.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5062;rport;branch=z9hG4bKr")
    script.source = script.source.__class__("udp", "198.51.100.7", 40000, script.source.local)
    response = only(script.receive(options))
    assert (script.hops[-1].host, script.hops[-1].port) == ("198.51.100.7", 40000)
    assert (response.via.received, response.via.rport) == ("198.51.100.7", 40000)


def test_response_without_rport_goes_to_the_port_of_the_via() -> None:
    script = Script()
    options = script.request("OPTIONS")
    options.headers.set("Via", "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKr")
    script.receive(options)
    assert (script.hops[-1].host, script.hops[-1].port) == (PEER[0], 5062)


def test_response_over_tcp_goes_back_on_its_connection() -> None:
    script = Script("tcp")
    script.receive(script.request("OPTIONS"))
    assert script.hops[-1].connection == 1


def test_full_transaction_table_is_answered_503_without_state_but_calls_can_still_end() -> None:
    script = Script(max_transactions=20)  # a tenth more is two
    tag = answered_call(script)
    while statuses(script.receive(script.request("OPTIONS", call_id=f"flood{script.now}"))) == [200]:
        script.now += 0.001
        script.source = replace(script.source, host=f"192.0.2.{round(script.now * 1000) % 250}")
    response = only(script.receive(script.request("OPTIONS", call_id="more")))
    assert (response.status, response.headers.get("Retry-After")) == (503, "5")
    assert statuses(script.receive(script.request("BYE", to_tag="none", call_id="x", cseq=2))) == [503]
    assert statuses(script.receive(script.request("BYE", to_tag=tag, cseq=2))) == [200]


def test_flood_of_one_source_leaves_transactions_for_the_others() -> None:
    script = Script(max_transactions=100)
    for number in range(100):
        script.receive(script.request("OPTIONS", call_id=f"flood{number}"))
    assert statuses(script.receive(script.request("OPTIONS", call_id="flood"))) == [503]
    script.source = replace(script.source, host="192.0.2.30")
    assert statuses(script.receive(script.request("OPTIONS", call_id="other"))) == [200]


def test_long_requests_take_more_of_the_transaction_table() -> None:
    script = Script(max_transactions=30)
    filling = ("X-Filling", "x" * 16_000), ("X-Filling", "x" * 16_000), ("X-Filling", "x" * 16_000)
    assert statuses(script.receive(script.request("OPTIONS", *filling, call_id="long"))) == [200]
    assert statuses(script.receive(script.request("OPTIONS", *filling, call_id="longer"))) == [200]
    assert statuses(script.receive(script.request("OPTIONS", *filling, call_id="longest"))) == [503]
    script.advance(64.0)
    assert statuses(script.receive(script.request("OPTIONS", *filling, call_id="later"))) == [200]


def test_too_many_unanswered_calls_are_refused_with_503_once() -> None:
    script = Script(max_pending_calls=1)
    script.receive(script.request("INVITE", body=SDP))
    assert only(script.receive(script.request("INVITE", body=SDP, call_id="other"))).status == 503
    script.advance(0.3)
    assert 503 not in [message.status for _, message in script.advance(30.0) if isinstance(message, Response)]


def test_unanswered_calls_of_one_source_leave_room_for_the_others() -> None:
    script = Script(max_pending_calls=10)
    for number in range(10):
        script.receive(script.request("INVITE", body=SDP, call_id=f"flood{number}"))
    assert statuses(script.receive(script.request("INVITE", body=SDP, call_id="flood"))) == [503]
    script.source = replace(script.source, host="192.0.2.30")
    assert statuses(script.receive(script.request("INVITE", body=SDP, call_id="other"))) == []
    assert isinstance(script.events[-1], InviteReceived)


@pytest.mark.parametrize("below", ["SIP/2.0/UDP", "rubbish", '"unclosed', "SIP/2.0/UDP h:99999999"])
def test_request_whose_lower_via_is_rubbish_is_answered_400_along_the_top_one(below: str) -> None:
    script = Script()
    request = script.request("OPTIONS")
    request.headers.append_parsed("Via", below)
    with pytest.raises(SIPParseError) as caught:
        parse_message(bytes(request))
    script.endpoint.receive_malformed(
        caught.value.request, caught.value.status_hint, str(caught.value), script.source
    )
    (send,) = script.endpoint.take_sends()
    assert send.data.startswith(b"SIP/2.0 400 ")
    assert send.hop.host == PEER[0]


def test_register_is_handed_up() -> None:
    script = Script()
    script.receive(script.request("REGISTER"))
    assert isinstance(script.events[-1], RegisterReceived)


def test_in_dialog_request_older_than_the_last_is_refused_with_500() -> None:
    script = Script()
    tag = answered_call(script)
    script.receive(script.request("OPTIONS", to_tag=tag, cseq=5))
    response = only(script.receive(script.request("INFO", to_tag=tag, cseq=4)))
    assert (response.status, "Retry-After" in response.headers) == (500, True)


def test_options_inside_a_dialog_is_answered() -> None:
    script = Script()
    tag = answered_call(script)
    assert only(script.receive(script.request("OPTIONS", to_tag=tag, cseq=2))).status == 200


@pytest.mark.parametrize(
    ("content_type", "body", "digit", "duration_ms"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5", 160),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250\r\n", "*", 250),
        ("application/dtmf-relay", b"Signal=11\r\n", "#", 160),
        ("application/dtmf", b"7", "7", 160),
        ("application/dtmf", b"10", "*", 160),
    ],
)
def test_info_with_a_key_is_told_once_however_often_it_is_repeated(
    content_type: str, body: bytes, digit: str, duration_ms: int
) -> None:
    script = Script()
    tag = answered_call(script)
    pressed: list[tuple[str, int]] = []
    script.endpoint.calls[0].on_digit = lambda key, ms: pressed.append((key, ms))
    info = script.request("INFO", ("Content-Type", content_type), to_tag=tag, cseq=2, body=body)
    assert statuses(script.receive(info)) == [200]
    assert statuses(script.receive(info)) == [200]
    assert pressed == [(digit, duration_ms)]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/dtmf-relay", b"Signal=99\r\n", 400),
        ("application/dtmf-relay", b"Duration=1\r\n", 400),
        ("text/html", b"<p>", 415),
    ],
)
def test_info_without_a_key_is_refused(content_type: str, body: bytes, status: int) -> None:
    script = Script()
    tag = answered_call(script)
    info = script.request("INFO", ("Content-Type", content_type), to_tag=tag, cseq=2, body=body)
    assert only(script.receive(info)).status == status


def test_bye_ends_the_call_and_later_requests_find_no_dialog() -> None:
    script = Script()
    tag = answered_call(script)
    bye = script.request("BYE", ("Reason", "Q.850;cause=16"), to_tag=tag, cseq=2)
    assert only(script.receive(bye)).status == 200
    event = script.events[-1]
    assert isinstance(event, CallEnded)
    assert (event.ended.cause, event.ended.reason) == ("bye", "Q.850;cause=16")
    assert statuses(script.receive(bye)) == [200]
    assert only(script.receive(script.request("INFO", to_tag=tag, cseq=3))).status == 481
    assert script.endpoint.calls == []


def test_flood_of_calls_leaves_nothing_behind_after_their_time() -> None:
    script = Script()
    for number in range(50):
        script.receive(script.request("INVITE", body=SDP, call_id=f"c{number}"))
    for event in script.events:
        if isinstance(event, InviteReceived):
            call = event.call
            script.do(lambda now, call=call: call.reject(486, now))  # type: ignore[misc]
    script.advance(120)
    assert len(script.endpoint.layer) == 0
    assert len(script.endpoint.timers) == 0
    assert script.endpoint.calls == []


@pytest.mark.parametrize("lasts_s", [1.0, 60.0])
def test_call_that_is_over_is_kept_by_nobody_and_nothing_of_it_by_itself(lasts_s: float) -> None:
    script = Script()
    tag = answered_call(script)
    call = weakref.ref(script.endpoint.calls[0])
    script.events.clear()
    gc.collect()
    gc.disable()
    try:
        script.advance(lasts_s)
        script.receive(script.request("BYE", to_tag=tag, cseq=2))
        assert statuses(script.receive(script.request("BYE", to_tag=tag, cseq=2))) == [481]
        # A late repetition, of the ACK too, finds nobody, and harms nothing.
        script.receive(script.request("ACK", to_tag=tag))
        script.events.clear()
        script.advance(32.1)
        assert call() is None
    finally:
        gc.enable()


def test_response_to_nothing_is_dropped() -> None:
    script = Script()
    assert script.receive(script.request("INVITE").create_response(200, to_tag="x")) == []


def test_ack_to_nothing_is_dropped() -> None:
    script = Script()
    ack: Request = script.request("ACK", to_tag="x")
    assert script.receive(ack) == []
