"""Browsers in a story, beside SIP phones: each with a tone of its own, in the same matrix of who hears whom.

`alice = await browsers.call("alice", role("listener", story.room))`: the official SDK calls an application
whose voice URL is the story's, so that documents are given to callers by their name, as to phones.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.harness.browser import Browsing
from tests.harness.browser_page import ConsolePage, PagePhone
from tests.harness.browser_sdk import SDKPhone, open_sdk_phone
from tests.harness.remote_control import RemoteControl, client_of
from tests.harness.server import ACCOUNT_SID
from tests.harness.story import Story
from tests.harness.tones import tone_for
from tests.harness.webhook import Script
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant
from twilio.rest.api.v2010.account.conference.participant import ParticipantContext

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

    async def page(self, name: str, line: str, *, origin: str | None = None, **tab: Any) -> PagePhone:
        """`name` opens the phone page and calls a line; returns once he is answered and sits in the story."""
        phone = await self.open_page(name, line, origin=origin, **tab)
        self.story.callers[name] = phone
        await phone.dial()
        return phone

    async def enter(self, name: str, line: str, keys: str, **tab: Any) -> PagePhone:
        """`name` calls a line by the phone page and presses keys as soon as its menu is heard."""
        phone = await self.page(name, line, **tab)
        await phone.call.hears("sound", since=0)
        await phone.press(keys)
        return phone

    async def open_page(self, name: str, line: str, *, origin: str | None = None, **tab: Any) -> PagePhone:
        """The phone page with this line chosen, not yet calling."""
        tone_hz = tone_for(next(self.story.tones))
        url = f"{origin or self.story.server.url}/?line={line}"
        return PagePhone(await self.browsing.open(name, tone_hz, url, **tab))

    async def console(self, name: str, line: str, pin: str, **tab: Any) -> ConsolePage:
        """A moderator of this name at the console, signed in."""
        opened = await self.browsing.open(
            f"console of {name}", 0.0, f"{self.story.server.url}/console", **tab
        )
        console = ConsolePage(opened)
        await console.sign_in(line, pin, name)
        return console

    async def participant(self, caller: str) -> ParticipantContext:
        """A caller's participant by the REST API, browser or phone."""
        control = RemoteControl(self.story)
        phone = self.story.callers[caller]
        if not isinstance(phone, SDKPhone):
            found: ParticipantContext = await control.participant(caller)
            return found
        sid = (await phone.state())["parameters"]["CallSid"]
        return control.client.conferences((await control.conference()).sid).participants(sid)

    async def update(self, caller: str, **changes: Any) -> None:
        """Change a caller's participant by the REST API."""
        participant = await self.participant(caller)
        await asyncio.to_thread(participant.update, **changes)
