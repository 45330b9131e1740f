"""Two user agents on loopback: the ways of a call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from townhall.signalling import (
    IncomingInvite,
    InviteFailed,
    OfferRejected,
    SessionEnded,
    UserAgent,
    UserAgentSettings,
)

OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANSWER = OFFER.replace(b"4000", b"5000")
Answering = Callable[[IncomingInvite], Awaitable[object]]


class Desk:
    """A user agent that is called, with what it was told."""

    def __init__(self) -> None:
        self.invites: asyncio.Queue[IncomingInvite] = asyncio.Queue()
        self.agent = UserAgent(UserAgentSettings(port=0), self.invites.put_nowait)

    def uri(self, transport: str) -> str:
        port = next(port for kind, _, port in self.agent.addresses if kind == transport)
        return f"sip:1000@127.0.0.1:{port};transport={transport}"


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await desk.agent.start()
    yield desk
    await desk.agent.stop()


@pytest.fixture
async def phone() -> AsyncIterator[UserAgent]:
    agent = UserAgent(UserAgentSettings(port=0), lambda invite: invite.reject(486))
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture(params=["udp", "tcp"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_call_answered_exchanges_descriptions_and_ends_with_bye_of_caller(
    desk: Desk, phone: UserAgent, transport: str
) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri(transport), "sip:alice@phone.test", OFFER))
        invite = await desk.invites.get()
        await invite.ring()
        assert invite.offer == OFFER
        assert await invite.answer(ANSWER) is None
    session = calling.result()
    assert session.answer_sdp == ANSWER
    assert invite.from_uri == "sip:alice@phone.test"
    assert invite.transport == transport
    assert invite.local_address == "127.0.0.1"

    await session.hang_up()

    assert (await invite.session.wait_ended()).cause == "bye"
    assert (await session.wait_ended()).cause == "local"


async def test_callee_hanging_up_ends_callers_session(desk: Desk, phone: UserAgent, transport: str) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri(transport), "sip:alice@phone.test", OFFER))
        invite = await desk.invites.get()
        await invite.answer(ANSWER)
    await invite.session.hang_up()
    assert (await calling.result().wait_ended()).cause == "bye"


async def test_caller_giving_up_while_it_rings_cancels_the_call(
    desk: Desk, phone: UserAgent, transport: str
) -> None:
    ringing = asyncio.Event()
    session = await phone.start_invite(
        desk.uri(transport), "sip:alice@phone.test", OFFER, on_provisional=lambda response: ringing.set()
    )
    invite = await desk.invites.get()
    await invite.ring()
    await ringing.wait()

    await session.hang_up()

    with pytest.raises(InviteFailed) as failure:
        await session.answered()
    assert failure.value.status == 487
    with pytest.raises(SessionEnded) as ended:
        await invite.answer(ANSWER)
    assert ended.value.cause == "cancel"


async def test_call_rejected_fails_with_its_status(desk: Desk, phone: UserAgent, transport: str) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(
            _failure(phone.invite(desk.uri(transport), "sip:alice@phone.test", OFFER))
        )
        invite = await desk.invites.get()
        invite.reject(404, "No Such Number")
    assert (calling.result().status, calling.result().reason) == (404, "No Such Number")


async def test_late_offer_is_answered_in_ack(desk: Desk, phone: UserAgent, transport: str) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(
            phone.invite(desk.uri(transport), "sip:a@b.test", None, make_answer=lambda offer: ANSWER)
        )
        invite = await desk.invites.get()
        assert invite.offer is None
        assert await invite.answer(OFFER) == ANSWER


async def test_reinvite_is_answered_or_refused_by_the_peers_user(
    desk: Desk, phone: UserAgent, transport: str
) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
        invite = await desk.invites.get()
        await invite.answer(ANSWER)
    session = calling.result()
    held = OFFER + b"a=sendonly\r\n"
    invite.session.on_offer = lambda offer: ANSWER + b"a=recvonly\r\n" if offer == held else b""

    assert await session.reinvite(held) == ANSWER + b"a=recvonly\r\n"

    with pytest.raises(OfferRejected) as refusal:
        await invite.session.reinvite(ANSWER)
    assert refusal.value.status == 488
    assert not session.ended.is_set()


async def _failure(calling: Awaitable[object]) -> InviteFailed:
    with pytest.raises(InviteFailed) as failure:
        await calling
    return failure.value


async def test_stop_hangs_up_on_everybody(desk: Desk, phone: UserAgent, transport: str) -> None:
    sessions = []
    for _ in range(5):
        async with asyncio.TaskGroup() as group:
            calling = group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
            await (await desk.invites.get()).answer(ANSWER)
        sessions.append(calling.result())
    ringing = await phone.start_invite(desk.uri(transport), "sip:a@b.test", OFFER)
    await desk.invites.get()

    await desk.agent.stop()

    assert [(await session.wait_ended()).cause for session in sessions] == ["bye"] * 5
    with pytest.raises(InviteFailed):
        await ringing.answered()


async def test_call_over_tcp_whose_connection_is_gone_is_ended_over_a_new_one(
    desk: Desk, phone: UserAgent
) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri("tcp"), "sip:a@b.test", OFFER))
        invite = await desk.invites.get()
        await invite.answer(ANSWER)
    connections = list(desk.agent._transports._connections.values())
    assert len(connections) == 1
    connections[0].close()

    await invite.session.hang_up()

    assert (await calling.result().wait_ended()).cause == "bye"


async def test_digit_in_info_reaches_the_user(desk: Desk, phone: UserAgent, transport: str) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
        invite = await desk.invites.get()
        await invite.answer(ANSWER)
    pressed: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    invite.session.on_digit = lambda digit, duration_ms: pressed.put_nowait((digit, duration_ms))
    await calling.result().send_digit("5", 200)
    assert await pressed.get() == ("5", 200)


async def test_end_is_told_before_the_peer_can_call_again(
    desk: Desk, phone: UserAgent, transport: str
) -> None:
    async with asyncio.TaskGroup() as group:
        calling = group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
        invite = await desk.invites.get()
        await invite.answer(ANSWER)
    told: list[str] = []
    invite.session.on_ended = lambda: told.append("the end")
    desk.agent._on_invite = lambda again: (told.append("the next call"), again.reject(486))  # type: ignore[assignment,return-value]
    await calling.result().hang_up()
    await _failure(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
    assert told == ["the end", "the next call"]


async def test_failure_of_our_own_user_is_answered_500(phone: UserAgent, transport: str) -> None:
    def broken(invite: IncomingInvite) -> None:
        raise RuntimeError("a bug")

    agent = UserAgent(UserAgentSettings(port=0), broken)
    await agent.start()
    port = agent.addresses[0][2]
    failure = await _failure(
        phone.invite(f"sip:1@127.0.0.1:{port};transport={transport}", "sip:a@b.test", OFFER)
    )
    assert failure.status == 500
    await agent.stop()


async def test_call_to_a_port_where_nobody_listens_fails_over_tcp_with_503(phone: UserAgent) -> None:
    failure = await _failure(phone.invite("sip:1@127.0.0.1:1;transport=tcp", "sip:a@b.test", OFFER))
    assert failure.status == 503


@pytest.mark.parametrize("target", ["mailto:a@b", "no uri at all", "sips:a@127.0.0.1"])
async def test_target_that_cannot_be_called_fails(phone: UserAgent, target: str) -> None:
    assert (await _failure(phone.invite(target, "sip:a@b.test", OFFER))).status == 416


async def test_cancelled_task_cancels_its_call(desk: Desk, phone: UserAgent, transport: str) -> None:
    task = asyncio.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
    invite = await desk.invites.get()
    await invite.ring()
    task.cancel()
    assert (await invite.session.wait_ended()).cause == "cancel"


async def test_answer_after_the_call_has_ended_raises_how_it_ended(desk: Desk, phone: UserAgent) -> None:
    session = await phone.start_invite(desk.uri("udp"), "sip:a@b.test", OFFER)
    invite = await desk.invites.get()
    invite.reject(486)
    with pytest.raises(SessionEnded) as ended:
        await invite.answer(ANSWER)
    assert (ended.value.cause, ended.value.status) == ("local", 486)
    with pytest.raises(InviteFailed):
        await session.answered()


async def test_hundred_calls_at_once_are_all_answered(desk: Desk, phone: UserAgent, transport: str) -> None:
    async def answer_all() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(100):
                group.create_task((await desk.invites.get()).answer(ANSWER))

    async with asyncio.TaskGroup() as group:
        answering = group.create_task(answer_all())
        calls = [
            group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER)) for _ in range(100)
        ]
    assert answering.done()
    assert len({call.result().call_id for call in calls}) == 100


def test_user_agents_speak_under_uvloop() -> None:
    async def call() -> str:
        desk = Desk()
        phone = UserAgent(UserAgentSettings(port=0), lambda invite: None)
        await desk.agent.start()
        await phone.start()
        causes = []
        for transport in ("udp", "tcp"):
            async with asyncio.TaskGroup() as group:
                calling = group.create_task(phone.invite(desk.uri(transport), "sip:a@b.test", OFFER))
                invite = await desk.invites.get()
                await invite.answer(ANSWER)
            await calling.result().hang_up()
            causes.append((await invite.session.wait_ended()).cause)
        await phone.stop()
        await desk.agent.stop()
        return " ".join(causes)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(call()) == "bye bye"
