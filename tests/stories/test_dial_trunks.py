"""Calls to numbers: over a trunk with a password, over the next when one fails, and not at all unless a trunk
allows it.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.harness.carrier import PASSWORD, USER, carrier
from tests.harness.story import Story
from twilio.twiml.voice_response import VoiceResponse

from townhall.store import PrefixRule, Store, Trunk


class Trunks:
    """The server's trunks, as an operator sets them up; gone when the test is.

    Most are written straight into its store: a process for each `townhall trunk` takes longer than the call.
    """

    def __init__(self, story: Story) -> None:
        self._story = story
        self._sids: list[str] = []
        self._names: list[str] = []

    async def add_by_command(self, name: str, port: int, *options: str) -> None:
        self._names.append(name)
        await self._command("add", name, self._story.server.address, "--port", str(port), *options)

    async def add(self, name: str, port: int, **fields: Any) -> None:
        trunk = Trunk(name=name, host=self._story.server.address, port=port, **fields)
        async with self._store() as store:
            await store.trunks.add(trunk)
        self._sids.append(trunk.sid)

    async def status(self) -> str:
        """What `townhall trunk status` says; it fails while something is wrong."""
        return await self._command("status", check=False)

    async def _command(self, *arguments: str, check: bool = True) -> str:
        done = await asyncio.to_thread(self._story.server.command, "trunk", *arguments, check=check)
        return done.stdout

    async def remove_all(self) -> None:
        for name in self._names:
            await self._command("remove", name)
        async with self._store() as store:
            for sid in self._sids:
                await store.trunks.remove(sid)

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[Store]:
        store = await Store.open(f"sqlite+aiosqlite:///{self._story.server.data_dir / 'townhall.db'}")
        try:
            yield store
        finally:
            await store.close()


LOGIN = {"username": USER, "password": PASSWORD}
ALL = (PrefixRule(),)
GERMANY = {"rules": (PrefixRule("+49"),), "countries": ("+49",)}
EVERYWHERE = tuple(f"+{digit}" for digit in range(1, 10))


@pytest.fixture
async def trunks(story: Story) -> AsyncIterator[Trunks]:
    trunks = Trunks(story)
    yield trunks
    await trunks.remove_all()


def dial(story: Story, number: str, **attributes: object) -> str:
    response = VoiceResponse()
    response.dial(number, action=story.url("/left"), **attributes)
    return str(response)


async def test_number_goes_over_a_trunk_with_its_password_and_its_digits(
    story: Story, trunks: Trunks
) -> None:
    callee, at = await carrier(story, "far")
    await trunks.add_by_command(
        "carrier",
        at.port,
        *("--user", USER, "--password", PASSWORD, "--rule", "+49=0", "--country", "+49"),
    )
    await story.call("ann", dial(story, "+4930123456", caller_id=story.number))
    incoming = await callee.rings()
    assert at.tried == ["030123456"]
    assert incoming.caller == story.number
    await callee.answers(incoming)
    await story.hear({"ann": "far", "far": "ann"})


async def test_number_fails_over_to_the_next_trunk(story: Story, trunks: Trunks) -> None:
    _, broken = await carrier(story, "near")
    callee, at = await carrier(story, "far")
    broken.out_of_order = 503
    await trunks.add("first", broken.port, priority=1, **LOGIN, **GERMANY)
    await trunks.add("second", at.port, priority=2, **LOGIN, **GERMANY)
    await story.call("ann", dial(story, "+4930123456"))
    await callee.answers()
    assert broken.tried == at.tried == ["+4930123456"]
    await story.hear({"ann": "far", "far": "ann"})


async def test_trunk_that_gives_no_sign_of_life_makes_room_for_the_next(story: Story, trunks: Trunks) -> None:
    callee, at = await carrier(story, "far")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind((story.server.address, 0))
        await trunks.add("first", mute.getsockname()[1], priority=1, **GERMANY)
        await trunks.add("second", at.port, priority=2, **LOGIN, **GERMANY)
        await story.call("ann", dial(story, "+4930123456"))
        await callee.answers(await callee.rings(within_s=40.0))
        assert mute.recv(4096)
    await story.hear({"ann": "far", "far": "ann"})


async def test_busy_callee_is_not_called_again_over_another_trunk(story: Story, trunks: Trunks) -> None:
    _, first = await carrier(story, "near")
    _, second = await carrier(story, "far")
    first.out_of_order = 486
    await trunks.add("first", first.port, priority=1, **LOGIN, **GERMANY)
    await trunks.add("second", second.port, priority=2, **LOGIN, **GERMANY)
    await story.call("ann", dial(story, "+4930123456"))
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "busy"
    assert (first.tried, second.tried) == (["+4930123456"], [])


@pytest.mark.parametrize(
    ("number", "options"),
    [
        ("+4930123456", {}),
        ("+4930123456", {"rules": ALL}),
        ("+4930123456", {"rules": (PrefixRule("+43"),), "countries": ("+43",)}),
        ("+4930123456", {"rules": ALL, "countries": ("+43",)}),
        ("+49900123456", {"rules": ALL, "countries": EVERYWHERE}),
        ("112", {"rules": ALL, "countries": EVERYWHERE}),
    ],
)
async def test_number_that_no_trunk_allows_is_not_called(
    story: Story, trunks: Trunks, number: str, options: dict[str, Any]
) -> None:
    _, at = await carrier(story, "far")
    await trunks.add("carrier", at.port, **LOGIN, **options)
    await story.call("ann", dial(story, number))
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "failed"
    assert at.tried == []


async def test_trunk_that_has_had_its_calls_of_the_minute_takes_no_more(story: Story, trunks: Trunks) -> None:
    _, at = await carrier(story, "far")
    at.out_of_order = 486
    await trunks.add("carrier", at.port, calls_a_minute=1, **LOGIN, **GERMANY)
    await story.call("ann", dial(story, "+4930123456"))
    assert (await story.requested("/left", "ann")).parameters["DialCallStatus"] == "busy"
    await story.call("ben", dial(story, "+4930123456"))
    assert (await story.requested("/left", "ben")).parameters["DialCallStatus"] == "failed"
    assert len(at.tried) == 1


async def test_server_registers_at_a_trunk_and_tells_so(story: Story, trunks: Trunks) -> None:
    _, at = await carrier(story, "far")
    await trunks.add("carrier", at.port, register=True, **LOGIN)
    async with asyncio.timeout(60):
        while not at.registered():  # noqa: ASYNC110  (it tells nobody)
            await asyncio.sleep(0.05)
        while "\tregistered" not in await trunks.status():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
