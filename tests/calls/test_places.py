"""A caller's place is free in the moment in which he has hung up, whatever the server still has to do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from tests.harness.api_house import PlayedMedia, Silence

from townhall.calls import Route, Switchboard, SwitchboardSettings, switchboard
from townhall.signalling import InviteFailed, UserAgent, UserAgentSettings
from townhall.signalling.outgoing import OutgoingSession

OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


class SlowDirectory:
    """Knows of no number, and takes until the end of the test to say so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[str] = asyncio.Queue()
        self.answers = asyncio.Event()

    async def route_of(self, user: str) -> Route | None:
        self.asked.put_nowait(user)
        await self.answers.wait()
        return None

    async def route_of_application(self, sid: str) -> Route | None:
        raise NotImplementedError


@dataclass
class Exchange:
    """A switchboard that takes two calls of one source, and three in all; and a phone."""

    most: int = 3
    most_of_source: int = 2
    directory: SlowDirectory = field(default_factory=SlowDirectory)
    phone: UserAgent = field(
        default_factory=lambda: UserAgent(UserAgentSettings(port=0), lambda invite: invite.reject(486))
    )

    def __post_init__(self) -> None:
        nothing = cast(Any, Silence())
        self.switchboard = Switchboard(
            SwitchboardSettings("AC" + "a" * 32, max_calls=self.most, calls_per_source=self.most_of_source),
            directory=self.directory,
            media=cast(Any, PlayedMedia()),
            clips=nothing,
            webhooks=nothing,
            callbacks=nothing,
            journal=nothing,
            queues=nothing,
            recordings=nothing,
        )
        self.desk = UserAgent(UserAgentSettings(port=0), self.switchboard.take)

    async def call(self, number: str) -> OutgoingSession:
        uri = f"sip:{number}@127.0.0.1:{self.desk.addresses[0][2]}"
        return await self.phone.start_invite(uri, "sip:a@b.test", OFFER)

    async def taken(self, number: str) -> OutgoingSession:
        """A call that the switchboard has let in, and looks up."""
        session = await self.call(number)
        assert await self.directory.asked.get() == number
        return session


@pytest.fixture
async def exchange(request: pytest.FixtureRequest) -> AsyncIterator[Exchange]:
    exchange = Exchange(*getattr(request, "param", ()))
    await exchange.desk.start()
    await exchange.phone.start()
    yield exchange
    exchange.directory.answers.set()
    await exchange.switchboard.drain()
    await exchange.phone.stop()
    await exchange.desk.stop()


async def test_place_of_a_caller_who_gave_up_is_free_before_his_books_are_closed(exchange: Exchange) -> None:
    first = await exchange.taken("1")
    await exchange.taken("2")
    with pytest.raises(InviteFailed) as refused:
        await (await exchange.call("3")).answered()
    assert refused.value.status == 503

    await first.hang_up()
    with pytest.raises(InviteFailed):
        await first.answered()
    await exchange.taken("4")

    assert exchange.switchboard.calls == 2
    exchange.directory.answers.set()
    await exchange.switchboard.drain()
    assert exchange.switchboard.calls == 0


async def test_callers_who_left_more_work_than_is_bearable_keep_their_places(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard, "LEAVING_AT_MOST", 2)
    monkeypatch.setattr(switchboard, "TOLD_AT_MOST", 0)
    for number in range(2 + 3):
        session = await exchange.taken(str(number))
        await session.hang_up()
        with pytest.raises(InviteFailed):
            await session.answered()
    with pytest.raises(InviteFailed) as refused:
        await (await exchange.call("6")).answered()
    assert refused.value.status == 503


@pytest.mark.parametrize("exchange", [(1, 9)], indirect=True)
async def test_few_at_a_time_may_be_told_that_every_place_is_taken(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switchboard, "TOLD_AT_MOST", 2)
    await exchange.taken("the-only-place")
    first = await exchange.taken("told-1")
    await exchange.taken("told-2")
    with pytest.raises(InviteFailed) as refused:
        await (await exchange.call("3")).answered()
    assert (refused.value.status, refused.value.retry_after) == (503, "10")
    assert exchange.switchboard.calls == 1  # who is told takes no place

    exchange.directory.answers.set()
    with pytest.raises(InviteFailed) as unknown:
        await first.answered()
    assert unknown.value.status == 404
