"""Making calls: the caller's side of RFC 3261 sections 9, 13 and 22, and of RFC 3262."""

import pytest
from tests.harness.endpoints import OTHER_SDP, OUR, PEER, SDP, SDP_TYPE, Message, Script

from townhall.sip import Request, Response
from townhall.sip.digest import Credentials
from townhall.sip.events import CallAnswered, CallEnded, CallFailed, ProvisionalReceived
from townhall.sip.hop import Hop
from townhall.sip.invite_uac import ClientCall, InvitePlan
from townhall.sip.outcome import OfferRejected

CONTACT = ("Contact", "<sip:bob@192.0.2.20:5070>")
OK_HEADERS = [CONTACT, SDP_TYPE]


def calling(script: Script, **changes: object) -> tuple[ClientCall, Request]:
    plan = {
        "target": "sip:bob@example.com",
        "from_uri": "sip:alice@example.com",
        "hop": Hop("udp", *PEER, OUR),
        "offer": SDP,
        **changes,
    }
    calls: list[ClientCall] = []
    sent = script.do(lambda now: calls.append(script.endpoint.invite(InvitePlan(**plan), now)))  # type: ignore[arg-type]
    return calls[0], request(sent)


def request(messages: list[Message]) -> Request:
    (message,) = messages
    assert isinstance(message, Request)
    return message


def ok(invite: Request, tag: str = "bob", body: bytes = OTHER_SDP) -> Response:
    return invite.create_response(200, to_tag=tag, headers=OK_HEADERS, body=body)


def failure(script: Script) -> tuple[int, list[str]]:
    event = script.events[-1]
    assert isinstance(event, CallFailed)
    return event.error.status, event.error.contacts


def test_answer_is_acknowledged_at_the_remote_target_and_each_repetition_alike() -> None:
    script = Script()
    _, invite = calling(script)
    ack = request(script.receive(ok(invite)))
    assert (ack.method, ack.uri, ack.cseq.number) == ("ACK", "sip:bob@192.0.2.20:5070", invite.cseq.number)
    assert ack.to.tag == "bob"
    assert ack.via.branch != invite.via.branch
    assert (script.hops[-1].host, script.hops[-1].port) == ("192.0.2.20", 5070)
    assert [bytes(message) for message in script.receive(ok(invite))] == [bytes(ack)]
    assert script.events == [CallAnswered(script.endpoint.calls[0], OTHER_SDP)]  # type: ignore[arg-type]


def test_second_phone_that_answers_is_acknowledged_and_hung_up_on() -> None:
    script = Script()
    call, invite = calling(script)
    script.receive(ok(invite))
    sent = script.receive(ok(invite, tag="carol"))
    assert [(m.method, m.to.tag) for m in sent if isinstance(m, Request)] == [
        ("ACK", "carol"),
        ("BYE", "carol"),
    ]
    assert call.confirmed
    assert call.ended is None


def test_recorded_route_is_followed_in_reverse() -> None:
    script = Script()
    call, invite = calling(script)
    routes = [("Record-Route", "<sip:192.0.2.91;lr>, <sip:192.0.2.92;lr>"), *OK_HEADERS]
    ack = request(script.receive(invite.create_response(200, to_tag="b", headers=routes, body=OTHER_SDP)))
    assert [str(route.uri) for route in ack.routes] == ["sip:192.0.2.92;lr", "sip:192.0.2.91;lr"]
    assert script.hops[-1].host == "192.0.2.92"
    bye = request(script.do(lambda now: call.hang_up(now)))
    assert bye.cseq.number == invite.cseq.number + 1


def test_ringing_and_early_media_are_told() -> None:
    script = Script()
    _, invite = calling(script)
    script.receive(invite.create_response(100))
    script.receive(invite.create_response(180, to_tag="bob"))
    script.receive(invite.create_response(183, to_tag="bob", headers=OK_HEADERS, body=OTHER_SDP))
    told = [(e.response.status, e.response.body) for e in script.events if isinstance(e, ProvisionalReceived)]
    assert told == [(180, b""), (183, OTHER_SDP)]


def test_reliable_ringing_is_acknowledged_once_and_in_order() -> None:
    script = Script()
    _, invite = calling(script)

    def ring(rseq: int) -> list[Message]:
        headers = [CONTACT, ("Require", "100rel"), ("RSeq", str(rseq))]
        return script.receive(invite.create_response(180, to_tag="bob", headers=headers))

    prack = request(ring(7))
    assert (prack.method, str(prack.rack)) == ("PRACK", f"7 {invite.cseq.number} INVITE")
    assert prack.uri == "sip:bob@192.0.2.20:5070"
    assert ring(7) == []
    assert ring(9) == []
    assert request(ring(8)).method == "PRACK"


def test_call_that_nobody_answers_fails_with_408() -> None:
    script = Script()
    calling(script)
    script.advance(33)
    assert failure(script) == (408, [])
    assert len(script.endpoint.timers) == 0


def test_call_that_the_network_refuses_fails_with_503() -> None:
    script = Script()
    script.endpoint.invite(InvitePlan("sip:b@x", "sip:a@x", Hop("tcp", *PEER, OUR), SDP), 0.0)
    (send,) = script.endpoint.take_sends()
    script.endpoint.send_failed(send, 0.0)
    script.drain()
    assert failure(script) == (503, [])


def test_redirection_is_told_with_its_contacts() -> None:
    script = Script()
    _, invite = calling(script)
    moved = invite.create_response(302, to_tag="b", headers=[("Contact", "<sip:c@d>, <sip:e@f>")])
    assert request(script.receive(moved)).method == "ACK"
    assert failure(script) == (302, ["sip:c@d", "sip:e@f"])


def test_hang_up_while_ringing_cancels_with_the_branch_of_the_invite() -> None:
    script = Script()
    call, invite = calling(script)
    script.receive(invite.create_response(180, to_tag="bob"))
    cancel = request(script.do(lambda now: call.hang_up(now)))
    assert (cancel.method, cancel.via.branch, cancel.uri) == ("CANCEL", invite.via.branch, invite.uri)
    assert (cancel.cseq.number, cancel.to.tag) == (invite.cseq.number, None)
    script.receive(cancel.create_response(200))
    assert request(script.receive(invite.create_response(487, to_tag="bob"))).method == "ACK"
    assert failure(script) == (487, [])


def test_cancel_waits_for_the_first_sign_of_the_callee() -> None:
    script = Script()
    call, invite = calling(script)
    assert script.do(lambda now: call.hang_up(now)) == []
    assert request(script.receive(invite.create_response(100))).method == "CANCEL"


def test_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up_on() -> None:
    script = Script()
    call, invite = calling(script)
    script.receive(invite.create_response(180, to_tag="bob"))
    script.do(lambda now: call.hang_up(now))
    sent = script.receive(ok(invite))
    assert [message.method for message in sent if isinstance(message, Request)] == ["ACK", "BYE"]
    assert failure(script) == (487, [])


def test_callee_that_ignores_the_cancel_is_given_up_after_64_t1() -> None:
    script = Script()
    call, invite = calling(script)
    script.receive(invite.create_response(180, to_tag="bob"))
    script.do(lambda now: call.hang_up(now))
    script.advance(64)
    assert failure(script) == (487, [])
    assert len(script.endpoint.layer) == 0


def test_call_that_rings_longer_than_its_timeout_is_cancelled() -> None:
    script = Script()
    _, invite = calling(script, timeout_s=20.0)
    script.receive(invite.create_response(180, to_tag="bob"))
    ((at, cancel),) = script.advance(20.2)
    assert (at, isinstance(cancel, Request) and cancel.method) == (20.0, "CANCEL")
    script.receive(invite.create_response(487, to_tag="bob"))
    assert failure(script) == (408, [])


@pytest.mark.parametrize(
    ("status", "challenge", "answer"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_challenge_is_answered_once_with_the_next_cseq(status: int, challenge: str, answer: str) -> None:
    script = Script()
    _, invite = calling(script, credentials=("alice", "secret"))
    headers = [(challenge, 'Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth"')]
    sent = script.receive(invite.create_response(status, to_tag="x", headers=headers))
    assert [message.method for message in sent if isinstance(message, Request)] == ["ACK", "INVITE"]
    again = sent[1]
    assert again.cseq.number == invite.cseq.number + 1
    assert again.call_id == invite.call_id
    assert again.via.branch != invite.via.branch
    credentials = Credentials.parse(again.headers.get(answer) or "")
    assert (credentials.username, credentials.realm) == ("alice", "r")
    assert isinstance(again, Request)
    ack = script.receive(again.create_response(status, to_tag="x", headers=headers))
    assert request(ack).method == "ACK"
    assert failure(script)[0] == status


def test_challenge_without_credentials_fails_the_call() -> None:
    script = Script()
    _, invite = calling(script)
    headers = [("WWW-Authenticate", 'Digest realm="r", nonce="n"')]
    script.receive(invite.create_response(401, to_tag="x", headers=headers))
    assert failure(script)[0] == 401


def test_late_offer_is_answered_in_the_ack() -> None:
    script = Script()
    _, invite = calling(script, offer=None, make_answer=lambda offer: SDP if offer == OTHER_SDP else b"")
    assert "Content-Type" not in invite.headers
    ack = request(script.receive(ok(invite)))
    assert ack.body == SDP
    assert isinstance(script.events[-1], CallAnswered)


def test_late_offer_that_does_not_fit_ends_the_call_with_bye() -> None:
    def refuse(offer: bytes) -> bytes:
        raise OfferRejected(488)

    script = Script()
    _, invite = calling(script, offer=None, make_answer=refuse)
    sent = script.receive(ok(invite))
    assert [message.method for message in sent if isinstance(message, Request)] == ["ACK", "BYE"]
    assert failure(script)[0] == 488


def test_answer_without_description_ends_the_call_with_bye() -> None:
    script = Script()
    _, invite = calling(script)
    sent = script.receive(invite.create_response(200, to_tag="b", headers=[CONTACT]))
    assert [message.method for message in sent if isinstance(message, Request)] == ["ACK", "BYE"]
    assert failure(script)[0] == 488


def test_answer_given_with_the_reliable_ringing_counts_when_the_2xx_has_none() -> None:
    script = Script()
    _, invite = calling(script)
    headers = [*OK_HEADERS, ("Require", "100rel"), ("RSeq", "1")]
    script.receive(invite.create_response(183, to_tag="bob", headers=headers, body=OTHER_SDP))
    script.receive(invite.create_response(200, to_tag="bob", headers=[CONTACT]))
    assert isinstance(script.events[-1], CallAnswered)
    assert script.events[-1].sdp == OTHER_SDP


def test_bye_of_the_callee_ends_the_call() -> None:
    script = Script()
    _, invite = calling(script)
    script.receive(ok(invite))
    bye = script.request("BYE", to_tag=invite.from_.tag, from_tag="bob", call_id=invite.call_id)
    (response,) = script.receive(bye)
    assert isinstance(response, Response)
    assert response.status == 200
    assert isinstance(script.events[-1], CallEnded)
    assert script.endpoint.calls == []


def test_long_invite_tries_tcp_first_and_udp_when_that_fails() -> None:
    script = Script()
    plan = InvitePlan("sip:b@x", "sip:a@x", Hop("udp", *PEER, OUR), SDP + b"a=x:" + b"y" * 1300 + b"\r\n")
    script.endpoint.invite(plan, 0.0)
    (send,) = script.endpoint.take_sends()
    assert send.hop.transport == "tcp"
    assert b"SIP/2.0/TCP" in send.data
    script.endpoint.send_failed(send, 0.0)
    (send,) = script.endpoint.take_sends()
    assert send.hop.transport == "udp"
    assert b"SIP/2.0/UDP" in send.data
    assert [at for at, _ in script.advance(2)] == [0.5, 1.5]


def test_forked_ringing_is_bounded() -> None:
    script = Script()
    _, invite = calling(script)
    for number in range(200):
        script.receive(invite.create_response(180, to_tag=f"f{number}"))
    assert len([event for event in script.events if isinstance(event, ProvisionalReceived)]) <= 16


def test_caller_that_is_made_the_refresher_refreshes() -> None:
    script = Script()
    _, invite = calling(script)
    headers = [
        *OK_HEADERS,
        ("Session-Expires", "90;refresher=uac"),
        ("Require", "timer"),
        ("Allow", "UPDATE"),
    ]
    script.receive(invite.create_response(200, to_tag="bob", headers=headers, body=OTHER_SDP))
    ((at, update),) = script.advance(45.2)
    assert isinstance(update, Request)
    assert (at, update.method, update.uri) == (45.0, "UPDATE", "sip:bob@192.0.2.20:5070")


@pytest.mark.parametrize("header", [("Record-Route", "<"), ("Contact", "<sip:"), ("Content-Type", "x")])
def test_answer_that_makes_no_sense_fails_the_call(header: tuple[str, str]) -> None:
    script = Script()
    _, invite = calling(script)
    broken = invite.create_response(200, to_tag="bob", body=OTHER_SDP)
    for name, value in [*OK_HEADERS, header]:
        broken.headers.set(name, value)
    script.receive(broken)
    assert failure(script)[0] in (488, 502)
    script.advance(100)
    assert len(script.endpoint.layer) == 0
