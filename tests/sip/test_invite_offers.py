"""Offers inside a call: re-INVITE and UPDATE both ways, glare, refusal."""

from collections.abc import Callable

import pytest
from tests.harness.endpoints import OTHER_SDP, SDP, SDP_TYPE, Message, Script

from townhall.sip import Request, Response
from townhall.sip.events import AnswerAcknowledged, CallEnded, InviteReceived, OfferAnswered, OfferFailed
from townhall.sip.invite_uas import ServerCall
from townhall.sip.outcome import OfferRejected

HELD = SDP + b"a=sendonly\r\n"


def talking(script: Script) -> ServerCall:
    script.receive(script.request("INVITE", body=SDP))
    event = script.events[-1]
    assert isinstance(event, InviteReceived)
    script.do(lambda now: event.call.answer(OTHER_SDP, now))
    script.receive(script.request("ACK", to_tag=event.call.tag))
    event.call.on_offer = lambda offer: OTHER_SDP + (b"a=recvonly\r\n" if offer == HELD else b"")
    return event.call


def refuse(status: int) -> Callable[[bytes | None], bytes]:
    def on_offer(offer: bytes | None) -> bytes:
        raise OfferRejected(status)

    return on_offer


def response(messages: list[Message]) -> Response:
    (message,) = messages
    assert isinstance(message, Response)
    return message


def request(messages: list[Message]) -> Request:
    (message,) = messages
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_offer_inside_a_call_is_answered(method: str) -> None:
    script = Script()
    call = talking(script)
    ok = response(script.receive(script.request(method, to_tag=call.tag, cseq=2, body=HELD)))
    assert (ok.status, ok.body) == (200, OTHER_SDP + b"a=recvonly\r\n")
    assert ok.contact is not None


def test_reinvite_is_answered_until_its_ack_and_only_once_asked() -> None:
    script = Script()
    call = talking(script)
    asked: list[bytes | None] = []
    call.on_offer = lambda offer: asked.append(offer) or OTHER_SDP  # type: ignore[func-returns-value]
    reinvite = script.request("INVITE", to_tag=call.tag, cseq=2, body=HELD)
    script.receive(reinvite)
    script.receive(reinvite)
    assert [at for at, _ in script.advance(2)] == [0.5, 1.5]
    script.receive(script.request("ACK", to_tag=call.tag, cseq=2))
    assert script.advance(60) == []
    assert asked == [HELD]
    assert len([event for event in script.events if isinstance(event, AnswerAcknowledged)]) == 1


def test_reinvite_without_ack_ends_the_call() -> None:
    script = Script()
    call = talking(script)
    script.receive(script.request("INVITE", to_tag=call.tag, cseq=2, body=HELD))
    script.advance(40)
    assert isinstance(script.events[-1], CallEnded)
    assert script.events[-1].ended.cause == "timeout"
    assert call.ended is not None


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_refused_offer_leaves_the_call_as_it_was(method: str) -> None:
    script = Script()
    call = talking(script)
    call.on_offer = refuse(488)
    moved = ("Contact", "<sip:peer@192.0.2.66>")
    offer = script.request(method, moved, to_tag=call.tag, cseq=2, body=HELD)
    assert response(script.receive(offer)).status == 488
    assert call.ended is None
    assert call.dialog is not None
    assert call.dialog.remote_target.host == "192.0.2.20"
    assert call.local_sdp == OTHER_SDP


def test_reinvite_without_offer_gets_ours_and_brings_the_answer_in_its_ack() -> None:
    script = Script()
    call = talking(script)
    answers: list[bytes] = []
    call.on_answer = answers.append
    ok = response(script.receive(script.request("INVITE", to_tag=call.tag, cseq=2)))
    assert ok.body == OTHER_SDP
    script.receive(script.request("ACK", to_tag=call.tag, cseq=2, body=HELD))
    assert answers == [HELD]


def test_update_without_offer_only_refreshes_the_target() -> None:
    script = Script()
    call = talking(script)
    moved = ("Contact", "<sip:peer@192.0.2.66:5090>")
    ok = response(script.receive(script.request("UPDATE", moved, to_tag=call.tag, cseq=2)))
    assert (ok.status, ok.body) == (200, b"")
    bye = request(script.do(lambda now: call.hang_up(now)))
    assert bye.uri == "sip:peer@192.0.2.66:5090"


def test_our_offer_is_answered_and_acknowledged() -> None:
    script = Script()
    call = talking(script)
    invite = request(script.do(lambda now: call.offers.offer(HELD, now)))
    assert (invite.method, invite.to.tag, invite.from_.tag) == ("INVITE", "peer", call.tag)
    ok = invite.create_response(200, headers=[SDP_TYPE, ("Contact", "<sip:peer@192.0.2.66>")], body=SDP)
    ack = request(script.receive(ok))
    assert (ack.method, ack.cseq.number, ack.uri) == ("ACK", invite.cseq.number, "sip:peer@192.0.2.66")
    assert [bytes(message) for message in script.receive(ok)] == [bytes(ack)]
    assert [event for event in script.events if isinstance(event, OfferAnswered)] == [
        OfferAnswered(call, SDP)
    ]


def test_offers_that_cross_are_both_refused_and_ours_is_tried_again() -> None:
    script = Script()
    call = talking(script)
    invite = request(script.do(lambda now: call.offers.offer(HELD, now)))
    theirs = script.request("INVITE", to_tag=call.tag, cseq=2, body=HELD)
    assert response(script.receive(theirs)).status == 491
    script.receive(script.request("ACK", to_tag=call.tag, cseq=2, branch=theirs.via.branch))
    assert request(script.receive(invite.create_response(491))).method == "ACK"
    again = [message for _, message in script.advance(2.1)]
    assert isinstance(again[0], Request)
    assert (again[0].method, again[0].cseq.number) == ("INVITE", invite.cseq.number + 1)


def test_offer_while_our_answer_is_not_acknowledged_gets_491() -> None:
    script = Script()
    call = talking(script)
    script.receive(script.request("INVITE", to_tag=call.tag, cseq=2, body=HELD))
    later = script.request("INVITE", to_tag=call.tag, cseq=3, body=HELD)
    assert response(script.receive(later)).status == 491


def test_refusal_of_our_offer_is_told_and_the_call_goes_on() -> None:
    script = Script()
    call = talking(script)
    invite = request(script.do(lambda now: call.offers.offer(HELD, now)))
    script.receive(invite.create_response(488))
    event = script.events[-1]
    assert isinstance(event, OfferFailed)
    assert event.error.status == 488
    assert call.ended is None


@pytest.mark.parametrize("status", [408, 481])
def test_peer_that_no_longer_knows_the_call_ends_it(status: int) -> None:
    script = Script()
    call = talking(script)
    invite = request(script.do(lambda now: call.offers.offer(HELD, now)))
    script.receive(invite.create_response(status))
    event = script.events[-1]
    assert isinstance(event, CallEnded)
    assert (event.ended.cause, event.ended.status) == ("error", status)


def test_offer_that_is_never_answered_ends_the_call() -> None:
    script = Script()
    call = talking(script)
    script.do(lambda now: call.offers.offer(HELD, now))
    script.advance(33)
    assert call.ended is not None
    assert call.ended.cause == "timeout"


def test_bye_while_our_offer_is_under_way_ends_the_call_and_a_late_2xx_is_acknowledged() -> None:
    script = Script()
    call = talking(script)
    invite = request(script.do(lambda now: call.offers.offer(HELD, now)))
    script.receive(script.request("BYE", to_tag=call.tag, cseq=2))
    ok = invite.create_response(200, headers=[SDP_TYPE], body=SDP)
    assert request(script.receive(ok)).method == "ACK"
    assert not [event for event in script.events if isinstance(event, OfferAnswered)]
