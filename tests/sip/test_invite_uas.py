"""Answering calls: the callee's side of RFC 3261 sections 9, 13 and 15, RFC 3262 and RFC 4028."""

import pytest
from tests.harness.endpoints import OTHER_SDP, SDP, Message, Script

from townhall.sip import Request, Response
from townhall.sip.events import AnswerAcknowledged, CallEnded, InviteReceived
from townhall.sip.invite_uas import ServerCall


def ringing(
    script: Script, *headers: tuple[str, str], body: bytes = SDP, branch: str = "z9hG4bKi"
) -> ServerCall:
    script.receive(script.request("INVITE", *headers, body=body, branch=branch))
    event = script.events[-1]
    assert isinstance(event, InviteReceived)
    return event.call


def confirmed(script: Script, *headers: tuple[str, str]) -> ServerCall:
    call = ringing(script, *headers)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    script.receive(script.request("ACK", to_tag=call.tag))
    return call


def brief(messages: list[Message]) -> list[int | str]:
    return [message.method if isinstance(message, Request) else message.status for message in messages]


def outcome(script: Script) -> tuple[str, int | None]:
    event = script.events[-1]
    assert isinstance(event, CallEnded)
    return event.ended.cause, event.ended.status


def test_2xx_is_repeated_until_its_ack_comes() -> None:
    script = Script()
    call = ringing(script)
    assert brief(script.do(lambda now: call.answer(OTHER_SDP, now))) == [200]
    assert [at for at, _ in script.advance(8)] == [0.5, 1.5, 3.5, 7.5]
    script.receive(script.request("ACK", to_tag=call.tag))
    assert script.advance(60) == []
    assert isinstance(script.events[-1], AnswerAcknowledged)


def test_ack_with_a_broken_body_still_confirms_the_call() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    script.receive(script.request("ACK", ("Content-Type", "x"), to_tag=call.tag, body=b"?"))
    assert script.events[-1] == AnswerAcknowledged(call, None)


def test_2xx_is_repeated_over_tcp_too() -> None:
    script = Script("tcp")
    call = ringing(script)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    assert [at for at, _ in script.advance(2)] == [0.5, 1.5]


def test_2xx_without_ack_ends_in_bye_after_64_t1() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    sent = script.advance(33)
    assert [at for at, message in sent if isinstance(message, Response)][-1] == 31.5
    assert [at for at, message in sent if isinstance(message, Request)] == [32.0, 32.5]
    assert outcome(script) == ("timeout", 408)


def test_answer_has_contact_allow_and_the_recorded_route() -> None:
    script = Script()
    call = ringing(script, ("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"), ("Record-Route", "<sip:p3;lr>"))
    (ok,) = script.do(lambda now: call.answer(OTHER_SDP, now))
    assert [str(route.uri) for route in ok.record_routes] == ["sip:p1;lr", "sip:p2;lr", "sip:p3;lr"]
    assert ok.contact is not None
    assert str(ok.contact.uri) == "sip:1000@192.0.2.10:5060"
    assert "UPDATE" in ok.allow
    assert ok.body == OTHER_SDP


def test_public_host_stands_in_contact() -> None:
    script = Script("tcp", public_host="voice.example.com")
    call = ringing(script)
    (ok,) = script.do(lambda now: call.answer(OTHER_SDP, now))
    assert ok.contact is not None
    assert str(ok.contact.uri) == "sip:1000@voice.example.com:5060;transport=tcp"


def test_cancel_ends_a_ringing_call_with_487() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.ring(now))
    answers = script.receive(script.request("CANCEL", branch="z9hG4bKi"))
    assert brief(answers) == [200, 487]
    assert {message.to.tag for message in answers} == {call.tag}
    assert outcome(script) == ("cancel", 487)
    assert brief(script.do(lambda now: call.answer(OTHER_SDP, now))) == []


def test_cancel_after_the_answer_changes_nothing() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    assert brief(script.receive(script.request("CANCEL", branch="z9hG4bKi"))) == [200]
    assert call.ended is None


def test_bye_of_the_caller_before_the_answer_ends_the_call_with_487() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.ring(now))
    answers = script.receive(script.request("BYE", to_tag=call.tag, cseq=2))
    assert sorted(brief(answers), key=str) == [200, 487]
    assert outcome(script)[0] == "bye"


def test_invite_that_expires_is_answered_487() -> None:
    script = Script()
    ringing(script, ("Expires", "10"))
    sent = [(at, message) for at, message in script.advance(11) if at > 1]
    assert (sent[0][0], brief([sent[0][1]])) == (10.0, [487])


def test_hang_up_before_the_ack_waits_for_it() -> None:
    script = Script()
    call = ringing(script)
    script.do(lambda now: call.answer(OTHER_SDP, now))
    assert brief(script.do(lambda now: call.hang_up(now))) == []
    assert outcome(script)[0] == "local"
    assert brief(script.receive(script.request("ACK", to_tag=call.tag))) == ["BYE"]


def test_hang_up_sends_bye_to_the_remote_target_along_the_route() -> None:
    script = Script()
    call = confirmed(script, ("Record-Route", "<sip:192.0.2.99;lr>"), ("Contact", "<sip:me@192.0.2.77:5099>"))
    (bye,) = script.do(lambda now: call.hang_up(now, 'SIP;cause=200;text="Done"'))
    assert isinstance(bye, Request)
    assert (bye.method, bye.uri) == ("BYE", "sip:me@192.0.2.77:5099")
    assert [str(route.uri) for route in bye.routes] == ["sip:192.0.2.99;lr"]
    assert (script.hops[-1].host, script.hops[-1].port) == ("192.0.2.99", 5060)
    assert bye.headers.get("Reason") == 'SIP;cause=200;text="Done"'
    script.receive(bye.create_response(200))
    assert script.endpoint.calls == []
    assert script.do(lambda now: call.hang_up(now)) == []


def test_strict_router_finds_itself_in_the_request_uri() -> None:
    script = Script()
    call = confirmed(script, ("Record-Route", "<sip:192.0.2.99>, <sip:192.0.2.98;lr>"))
    (bye,) = script.do(lambda now: call.hang_up(now))
    assert isinstance(bye, Request)
    assert bye.uri == "sip:192.0.2.99"
    assert [str(route.uri) for route in bye.routes] == ["sip:192.0.2.98;lr", "sip:peer@192.0.2.20:5060"]


def test_phone_behind_nat_is_hung_up_on_where_it_spoke_from() -> None:
    script = Script()
    script.source = script.source.__class__("udp", "198.51.100.7", 40000, script.source.local)
    call = confirmed(script, ("Contact", "<sip:me@192.168.1.5:5060>"))
    script.do(lambda now: call.hang_up(now))
    assert (script.hops[-1].host, script.hops[-1].port) == ("198.51.100.7", 40000)


def test_request_in_a_tcp_dialog_uses_its_connection() -> None:
    script = Script("tcp")
    call = confirmed(script, ("Contact", "<sip:me@192.0.2.20:5060;transport=tcp>"))
    script.do(lambda now: call.hang_up(now))
    assert (script.hops[-1].transport, script.hops[-1].connection) == ("tcp", 1)


def test_second_invite_before_the_answer_gets_500_with_retry_after() -> None:
    script = Script()
    call = ringing(script)
    (response,) = script.receive(script.request("INVITE", to_tag=call.tag, cseq=2, body=SDP))
    assert isinstance(response, Response)
    assert response.status == 500
    assert "Retry-After" in response.headers


# Reliable provisional responses (RFC 3262)


def test_caller_that_requires_100rel_gets_a_reliable_ring_repeated_until_prack() -> None:
    script = Script()
    call = ringing(script, ("Require", "100rel"))
    (ring,) = script.do(lambda now: call.ring(now))
    assert (ring.require, ring.rseq is not None) == (["100rel"], True)
    assert [at for at, _ in script.advance(4)] == [0.5, 1.5, 3.5]
    prack = script.request("PRACK", ("RAck", f"{ring.rseq} 1 INVITE"), to_tag=call.tag, cseq=2)
    assert brief(script.receive(prack)) == [200]
    assert script.advance(20) == []
    assert brief(script.do(lambda now: call.answer(OTHER_SDP, now))) == [200]


def test_caller_that_only_supports_100rel_gets_a_plain_ring() -> None:
    script = Script()
    call = ringing(script, ("Supported", "100rel"))
    (ring,) = script.do(lambda now: call.ring(now))
    assert ring.rseq is None


def test_early_media_is_reliable_and_the_answer_waits_for_prack() -> None:
    script = Script()
    call = ringing(script, ("Supported", "100rel"))
    (progress,) = script.do(lambda now: call.ring(now, 183, OTHER_SDP))
    assert progress.rseq is not None
    assert script.do(lambda now: call.answer(OTHER_SDP, now)) == []
    prack = script.request("PRACK", ("RAck", f"{progress.rseq} 1 INVITE"), to_tag=call.tag, cseq=2)
    assert brief(script.receive(prack)) == [200, 200]


def test_prack_of_something_else_gets_481() -> None:
    script = Script()
    call = ringing(script, ("Require", "100rel"))
    (ring,) = script.do(lambda now: call.ring(now))
    assert ring.rseq is not None
    prack = script.request("PRACK", ("RAck", f"{ring.rseq + 1} 1 INVITE"), to_tag=call.tag, cseq=2)
    assert brief(script.receive(prack)) == [481]


def test_reliable_ring_without_prack_fails_the_call() -> None:
    script = Script()
    call = ringing(script, ("Require", "100rel"))
    script.do(lambda now: call.ring(now))
    sent = script.advance(32)
    assert [status for _, message in sent for status in brief([message])][-1] == 500
    assert outcome(script)[0] == "timeout"


def test_late_offer_made_early_is_answered_in_prack() -> None:
    script = Script()
    call = ringing(script, ("Supported", "100rel"), body=b"")
    answers: list[bytes] = []
    call.on_answer = answers.append
    (progress,) = script.do(lambda now: call.ring(now, 183, OTHER_SDP))
    prack = script.request("PRACK", ("RAck", f"{progress.rseq} 1 INVITE"), to_tag=call.tag, cseq=2, body=SDP)
    script.receive(prack)
    assert answers == [SDP]
    (ok,) = script.do(lambda now: call.answer(OTHER_SDP, now))
    assert ok.body == b""


# Session timers (RFC 4028)


@pytest.mark.parametrize(
    ("headers", "agreed", "require"),
    [
        ((("Session-Expires", "1800"), ("Supported", "timer")), "1800;refresher=uac", ["timer"]),
        ((("Session-Expires", "300;refresher=uas"), ("Supported", "timer")), "300;refresher=uas", ["timer"]),
        ((("Session-Expires", "300"),), "300;refresher=uas", []),
        ((("Session-Expires", "30"),), "90;refresher=uas", []),
        ((("Supported", "timer"),), None, []),
    ],
)
def test_session_interval_is_agreed_as_the_caller_asks(
    headers: tuple[tuple[str, str], ...], agreed: str | None, require: list[str]
) -> None:
    script = Script()
    call = ringing(script, *headers)
    (ok,) = script.do(lambda now: call.answer(OTHER_SDP, now))
    assert ok.headers.get("Session-Expires") == agreed
    assert ok.require == require


def test_peer_that_does_not_refresh_is_hung_up_on() -> None:
    script = Script()
    confirmed(script, ("Session-Expires", "90"), ("Supported", "timer"))
    assert script.advance(59) == []
    sent = script.advance(2)
    assert (sent[0][0], brief([sent[0][1]])) == (60.0, ["BYE"])
    assert outcome(script)[0] == "timeout"


def test_peer_that_refreshes_keeps_the_call() -> None:
    script = Script()
    call = confirmed(script, ("Session-Expires", "90"), ("Supported", "timer"))
    for cseq in range(2, 6):
        script.advance(45)
        headers = (("Session-Expires", "90;refresher=uac"), ("Supported", "timer"))
        (ok,) = script.receive(script.request("UPDATE", *headers, to_tag=call.tag, cseq=cseq))
        assert ok.headers.get("Session-Expires") == "90;refresher=uac"
    assert call.ended is None


def test_we_refresh_by_update_when_the_peer_allows_it() -> None:
    script = Script()
    headers = (("Session-Expires", "90;refresher=uas"), ("Supported", "timer"), ("Allow", "INVITE, UPDATE"))
    call = confirmed(script, *headers)
    for _ in range(4):
        ((_, update),) = [
            (at, message) for at, message in script.advance(45.1) if isinstance(message, Request)
        ]
        assert isinstance(update, Request)
        assert update.method == "UPDATE"
        assert update.headers.get("Session-Expires") == "90;refresher=uac"
        script.receive(update.create_response(200, headers=[("Session-Expires", "90;refresher=uac")]))
    assert call.ended is None


def test_we_refresh_by_an_unchanged_reinvite_when_the_peer_knows_no_update() -> None:
    script = Script()
    call = confirmed(script, ("Session-Expires", "90;refresher=uas"), ("Supported", "timer"))
    ((_, invite),) = script.advance(45.1)
    assert isinstance(invite, Request)
    assert (invite.method, invite.body) == ("INVITE", OTHER_SDP)
    headers = [("Session-Expires", "90;refresher=uac"), ("Content-Type", "application/sdp")]
    ok = invite.create_response(200, headers=headers, body=SDP)
    assert brief(script.receive(ok)) == ["ACK"]
    assert call.ended is None


def test_refresh_that_finds_no_dialog_ends_the_call() -> None:
    script = Script()
    confirmed(script, ("Session-Expires", "90;refresher=uas"), ("Supported", "timer"), ("Allow", "UPDATE"))
    ((_, update),) = script.advance(45.1)
    assert isinstance(update, Request)
    assert brief(script.receive(update.create_response(481))) == ["BYE"]
    assert outcome(script) == ("error", 481)
