"""Whatever a peer sends, in whatever order: the endpoint raises nothing, answers with what parses, and
forgets.
"""

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.endpoints import OTHER_SDP, OUR, PEER, SDP, Message, Script

from townhall.sip import Request, Response, SIPParseError, parse_message
from townhall.sip.endpoint import Endpoint
from townhall.sip.events import InviteReceived, RegisterReceived
from townhall.sip.hop import Hop
from townhall.sip.invite_uac import InvitePlan

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REGISTER", "MESSAGE")
HEADERS = (
    ("Contact", "<sip:a@b"),
    ("Contact", "*"),
    ("Contact", "<tel:+15551234567>"),
    ("Require", "100rel"),
    ("Require", "timer, nonsense"),
    ("Supported", "100rel, timer"),
    ("Session-Expires", "90;refresher=uas"),
    ("Session-Expires", "-"),
    ("RAck", "1 1 INVITE"),
    ("RAck", "x"),
    ("RSeq", "1"),
    ("RSeq", "-1"),
    ("Record-Route", "<sip:p;lr>, <sip:q>"),
    ("Record-Route", "<"),
    ("Expires", "1"),
    ("Expires", "never"),
    ("Accept", "text/"),
    ("Content-Type", "multipart/mixed"),
    ("Content-Type", "application/sdp"),
    ("Content-Type", "application/dtmf-relay"),
    ("WWW-Authenticate", 'Digest realm="r", nonce="n'),
    ("WWW-Authenticate", 'Digest realm="r", nonce="n"'),
    ("Allow", "UPDATE"),
)
STATUSES = (100, 180, 183, 200, 202, 302, 401, 407, 408, 422, 481, 487, 491, 500, 603)
BODIES = (b"", SDP, b"Signal=5\r\n", b"\xff\0", b"--x\r\n\r\nv=0")

steps = st.lists(
    st.tuples(
        st.sampled_from(("request", "request", "response", "wait", "act")),
        st.sampled_from(METHODS),
        st.lists(st.sampled_from(HEADERS), max_size=3),
        st.integers(0, 3),
        st.sampled_from(BODIES),
        st.sampled_from(STATUSES),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=300)
@given(steps)
def test_any_order_of_messages_is_survived_and_forgotten(
    script_steps: list[tuple[str, str, list[tuple[str, str]], int, bytes, int]],
) -> None:
    script = Script()
    plan = InvitePlan("sip:b@x", "sip:a@x", Hop("udp", *PEER, OUR), SDP, credentials=("a", "p"), timeout_s=60)
    ours: list[Request] = []

    def note(sent: list[Message]) -> None:
        ours.extend(message for message in sent if isinstance(message, Request))

    note(script.do(lambda now: script.endpoint.invite(plan, now)))
    tags: list[str | None] = [None]
    for kind, method, headers, number, body, status in script_steps:
        if kind == "wait":
            note([message for _, message in script.advance(float(number * number * 5))])
        elif kind == "act":
            note(script.do(partial(_act, script.endpoint, number)))
        elif kind == "request":
            tag = tags[number % len(tags)]
            branch = f"z9hG4bK{number}" if number < 2 else None
            request = script.request(method, *headers, to_tag=tag, cseq=number + 1, body=body, branch=branch)
            note(_deliver(script, request))
        elif ours:
            request = ours[-1 - number % len(ours)]
            note(
                _deliver(
                    script, request.create_response(status, to_tag=f"f{number}", headers=headers, body=body)
                )
            )
        for event in script.events:
            if isinstance(event, RegisterReceived):
                script.endpoint.respond(event.transaction, 403, script.now)
            if isinstance(event, InviteReceived):
                tags.append(event.call.tag)
                event.call.on_offer = lambda offer: OTHER_SDP
        script.events.clear()
    for call in script.endpoint.calls:
        script.do(call.hang_up)
    script.advance(1000)
    assert script.endpoint.calls == []
    assert len(script.endpoint.layer) == 0
    assert len(script.endpoint.timers) == 0


def _deliver(script: Script, message: Message) -> list[Message]:
    try:
        parsed: Request | Response = parse_message(bytes(message))
    except SIPParseError as error:
        script.endpoint.receive_malformed(error.request, error.status_hint, str(error), script.source)
    else:
        script.endpoint.receive(parsed, script.source, script.now)
    return script.drain()


def _act(endpoint: Endpoint, number: int, now: float) -> None:
    for call in endpoint.calls[:1]:
        if number == 0:
            call.hang_up(now)
        elif number == 1 and hasattr(call, "ring"):
            call.ring(now, 183, OTHER_SDP)
        elif number == 2 and hasattr(call, "answer"):
            call.answer(OTHER_SDP, now)
        elif number == 3 and call.confirmed and call.ended is None and not call.offers.busy:
            call.offers.offer(SDP, now)
