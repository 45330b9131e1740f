"""Two user agents on loopback: the ways of a call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

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
