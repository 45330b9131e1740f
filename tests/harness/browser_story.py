"""Browsers in a story, beside SIP phones: each with a tone of its own, in the same matrix of who hears whom.

`alice = await browsers.call("alice", role("listener", story.room))`: the official SDK calls an application
whose voice URL is the story's, so that documents are given to callers by their name, as to phones.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.harness.browser import Browsing
from tests.harness.browser_sdk import SDKPhone, open_sdk_phone
from tests.harness.remote_control import client_of
from tests.harness.server import ACCOUNT_SID
from tests.harness.story import Story
from tests.harness.tones import tone_for
from tests.harness.webhook import Script
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

CODECS = ("opus", "pcmu")


@dataclass(frozen=True)
class Door:
    """What lets a browser in: an API key and an application."""

    key_sid: str
    key_secret: str
    application_sid: str

    def token(self, identity: str, ttl_s: int = 3600) -> str:
        """An access token as the official package makes it."""
        token = AccessToken(ACCOUNT_SID, self.key_sid, self.key_secret, identity=identity, ttl=ttl_s)
        token.add_grant(VoiceGrant(outgoing_application_sid=self.application_sid, incoming_allow=True))
        return str(token.to_jwt())


class Browsers:
    """The browsers of one story."""

    def __init__(self, story: Story, browsing: Browsing) -> None:
        self.story = story
        self.browsing = browsing
        self._door: Door | None = None

    async def door(self) -> Door:
        """Made by the REST API when it is first asked for."""
        if self._door is None:
            self._door = await asyncio.to_thread(self._make_door)
        return self._door

    def _make_door(self) -> Door:
        client = client_of(self.story)
        key = client.new_keys.create()
        application = client.applications.create(
            voice_url=self.story.url("/voice"), voice_method="POST", friendly_name=self.story.room
        )
        return Door(key.sid, key.secret, application.sid)

    async def phone(
        self, name: str, *, codec: str = "opus", origin: str | None = None, options: Any = None, **tab: Any
    ) -> SDKPhone:
        """A tab with the official SDK, not yet registered nor calling. `codec`: the one it likes best.

        `origin`: where the page comes from, a relay for instance; `options`: the Device's; `tab`: as for
        `Browsing.tab`.
        """
        liked = sorted(CODECS, key=lambda one: one != codec)
        return await open_sdk_phone(
            self.browsing,
            name,
            tone_for(next(self.story.tones)),
            origin or self.story.server.url,
            (await self.door()).token(name),
            {"codecPreferences": liked, **(options or {})},
            **tab,
        )

    async def call(self, name: str, document: Script, *, codec: str = "opus", **more: Any) -> SDKPhone:
        """`name` calls and is given this document; returns once he is answered. `more`: as for `phone`."""
        self.story.give(name, document)
        phone = await self.phone(name, codec=codec, **more)
        self.story.callers[name] = phone
        await phone.connect()
        return phone
