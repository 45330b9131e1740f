"""A call over a network that loses three datagrams in ten."""

import pytest
from tests.harness.endpoints import OTHER_SDP, SDP, LossyPair

from townhall.sip.endpoint import Endpoint
from townhall.sip.events import (
    AnswerAcknowledged,
    CallAnswered,
    CallEnded,
    EndpointEvent,
    InviteReceived,
)
from townhall.sip.invite_uac import InvitePlan


@pytest.mark.parametrize("seed", range(40))
def test_call_over_lossy_network_is_set_up_once_and_ends_on_both_sides(seed: int) -> None:
    pair = LossyPair(0.3, seed)
    pair.react = _answer
    plan = InvitePlan("sip:1000@192.0.2.20", "sip:a@192.0.2.10", pair.hop_to_right(), SDP)
    call = pair.left.invite(plan, 0.0)

    assert pair.run_until(lambda: _heard(pair, AnswerAcknowledged) and _heard(pair, CallAnswered), 31)
    call.hang_up(pair.now)
    assert pair.run_until(lambda: not pair.left.calls and not pair.right.calls, pair.now + 40)

    assert [type(event) for event in pair.events[pair.right]] == [
        InviteReceived,
        AnswerAcknowledged,
        CallEnded,
    ]
    assert [event.ended.cause for event in pair.events[pair.right] if isinstance(event, CallEnded)] == ["bye"]


def _answer(side: Endpoint, event: EndpointEvent, now: float) -> None:
    if isinstance(event, InviteReceived):
        event.call.ring(now)
        event.call.answer(OTHER_SDP, now)


def _heard(pair: LossyPair, kind: type) -> bool:
    return any(isinstance(event, kind) for events in pair.events.values() for event in events)
