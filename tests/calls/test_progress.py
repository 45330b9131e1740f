"""Call progress: which steps are told to whom, with which parameters."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from townhall.calls.call import Call, Route
from townhall.calls.plan import OutboundPlan
from townhall.calls.progress import subscription_of, tell_progress
from townhall.twiml.control import CallCallbacks, DocumentRequest

STATUS = "http://app.example/status"
EVERYTHING = frozenset({"initiated", "ringing", "answered", "completed"})


class Told:
    """What was sent, by the words that matter."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, dict[str, str]]] = []

    def __call__(self, sid: str, url: str, method: str, parameters: tuple[tuple[str, str], ...]) -> None:
        assert len({name for name, _ in parameters}) == len(parameters)
        self.sent.append((sid, url, method, dict(parameters)))

    @property
    def steps(self) -> list[tuple[str, str]]:
        return [(told["CallStatus"], told["SequenceNumber"]) for *_, told in self.sent]


def outbound(events: frozenset[str] = EVERYTHING) -> Call:
    callbacks = CallCallbacks(STATUS, "POST", events)
    plan = OutboundPlan(
        "+15550002", "+15550001", program=DocumentRequest("http://app.example/"), status_callback=callbacks
    )
    return made(plan=plan, direction="outbound-api", status="queued")


def made(**fields: Any) -> Call:
    audio: Any = SimpleNamespace()
    return Call("CA1", "AC1", "+15550001", "+15550002", audio, **fields)


@pytest.fixture
def told() -> Told:
    return Told()


async def test_call_of_ours_tells_every_step_that_was_subscribed_to(told: Told) -> None:
    call = outbound()
    tell_progress(call, told)
    call.became("initiated")
    call.became("ringing")
    call.answered_at = datetime.now(UTC) - timedelta(seconds=61)
    call.became("in-progress")
    call.became("completed")
    assert told.steps == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    last = told.sent[-1]
    assert last[:3] == ("CA1", STATUS, "POST")
    end = {name: last[3][name] for name in ("CallDuration", "Duration", "SipResponseCode", "CallbackSource")}
    assert end == {
        "CallDuration": "61",
        "Duration": "2",
        "SipResponseCode": "200",
        "CallbackSource": "call-progress-events",
    }
    assert last[3]["Timestamp"].endswith(" +0000")
    assert (last[3]["CallSid"], last[3]["Direction"]) == ("CA1", "outbound-api")
    assert "CallDuration" not in told.sent[0][3]


async def test_numbers_count_what_was_sent(told: Told) -> None:
    call = outbound(frozenset({"ringing", "completed"}))
    tell_progress(call, told)
    for step in ("initiated", "ringing", "in-progress", "completed"):
        call.became(step)
    assert told.steps == [("ringing", "0"), ("completed", "1")]


@pytest.mark.parametrize(
    ("status", "sip_status"), [("busy", 486), ("no-answer", 480), ("failed", 404), ("canceled", 487)]
)
async def test_every_end_is_told_as_completed_with_its_sip_status(
    told: Told, status: str, sip_status: int
) -> None:
    call = outbound(frozenset({"completed"}))
    tell_progress(call, told)
    call.became("initiated")
    call.sip_status = sip_status
    call.became(status)
    ((*_, parameters),) = told.sent
    assert (parameters["CallStatus"], parameters["CallDuration"]) == (status, "0")
    assert parameters["SipResponseCode"] == str(sip_status)


async def test_call_canceled_while_queued_tells_nothing(told: Told) -> None:
    call = outbound()
    tell_progress(call, told)
    call.became("canceled")
    assert told.sent == []


async def test_call_that_finds_no_way_tells_that_it_failed(told: Told) -> None:
    call = outbound()
    tell_progress(call, told)
    call.became("failed")
    assert told.steps == [("failed", "0")]
    assert "SipResponseCode" not in told.sent[0][3]


async def test_number_is_told_of_the_end_only(told: Told) -> None:
    call = made(route=Route("http://app.example/", status_callback=STATUS, status_callback_method="GET"))
    tell_progress(call, told)
    call.became("in-progress")
    call.became("completed")
    assert told.steps == [("completed", "0")]
    assert told.sent[0][:3] == ("CA1", STATUS, "GET")


async def test_call_without_subscription_tells_nobody(told: Told) -> None:
    call = made(route=Route("http://app.example/"))
    tell_progress(call, told)
    call.became("completed")
    assert told.sent == []


async def test_url_that_the_api_gave_a_live_call_counts_from_then_on(told: Told) -> None:
    call = outbound()
    tell_progress(call, told)
    call.became("initiated")
    call.route = Route("", status_callback="http://other.example/", status_callback_method="GET")
    call.became("ringing")
    assert [url for _, url, *_ in told.sent] == [STATUS, "http://other.example/"]
    subscription = subscription_of(call)
    assert subscription is not None
    assert subscription.events == EVERYTHING


async def test_listener_that_fails_does_not_end_the_call() -> None:
    call = outbound()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    tell_progress(call, broken)
    call.became("initiated")
    assert not call.over.done()
    assert asyncio.isfuture(call.over)


async def test_page_cannot_say_how_long_its_call_was(told: Told) -> None:
    route = Route("http://app.example/", status_callback=STATUS)
    call = made(route=route, own_parameters=[("CallDuration", "86400"), ("room", "7")])
    tell_progress(call, told)
    call.became("completed")
    [(*_, parameters)] = told.sent
    assert (parameters["CallDuration"], parameters["room"]) == ("0", "7")
