"""The official `twilio` package as the remote control of a story, pointed at the test's server."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.story import Story
from twilio.rest import Client

T = TypeVar("T")


def client_of(story: Story, user: str = ACCOUNT_SID, password: str = AUTH_TOKEN) -> Client:
    client = Client(user, password, ACCOUNT_SID)
    client.api.base_url = story.server.url
    return client


class RemoteControl:
    """`await remote.do(lambda client: client.conferences(sid).update(status="completed"))`."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.client = client_of(story)

    async def do(self, work: Callable[[Client], T]) -> T:
        """Run the package's blocking code in a thread."""
        return await asyncio.to_thread(work, self.client)

    async def conference(self, name: str | None = None) -> Any:
        """The live conference of the story's room, which callers enter only some time after they are
        answered.
        """
        wanted = name or self._story.room
        live: list[Any] = []
        async with asyncio.timeout(30.0):
            while not live:
                found = await self.do(lambda c: c.conferences.list(friendly_name=wanted))
                live = [conference for conference in found if conference.status != "completed"]
        assert len(live) == 1, found
        return live[0]

    async def call_sid(self, caller: str) -> str:
        """The live call of one of the story's callers."""
        calls = await self.do(lambda c: c.calls.list(status="in-progress"))
        (sid,) = [
            call.sid for call in calls if call._from.startswith(f"sip:{caller}@") and self._is_ours(call)
        ]
        return str(sid)

    def _is_ours(self, call: Any) -> bool:
        return call.to.startswith(f"sip:{self._story.number}@")

    async def participant(self, caller: str, name: str | None = None) -> Any:
        """The participant context of one of the story's callers, to be updated or deleted by `do`."""
        conference, sid = await self.conference(name), await self.call_sid(caller)
        return self.client.conferences(conference.sid).participants(sid)

    async def update(self, caller: str, **changes: Any) -> Any:
        """Update a caller's participant; returns the answer."""
        participant = await self.participant(caller)
        return await self.do(lambda _: participant.update(**changes))
