"""Phones that are called: registered at the server, or standing at an address of their own."""

from dataclasses import replace

from tests.harness.story import Caller, Story
from tests.harness.tones import tone_for

from townhall.phone import IncomingCall, Phone, PhoneSettings

USERS = ("gus", "hal", "ivy", "jon", "kim", "1001")
PASSWORD = "secret"


class Callee:
    """A phone that waits for calls. Once `answer` has been called, the story hears it like any caller."""

    def __init__(self, story: Story, name: str, tone_hz: float, phone: Phone) -> None:
        self._story = story
        self.name = name
        self.tone_hz = tone_hz
        self.phone = phone
        self.uri = phone.uri

    async def rings(self, within_s: float = 30.0) -> IncomingCall:
        """Wait for a call and let it ring."""
        incoming = await self.phone.rings(within_s)
        await incoming.ring()
        return incoming

    async def answers(self, incoming: IncomingCall | None = None) -> Caller:
        """Answer the call that rings, or the next one."""
        call = await (incoming or await self.rings()).answer()
        caller = Caller(self.name, self.tone_hz, self.phone, call)
        self._story.callers[self.name] = caller
        return caller


async def callee(
    story: Story, name: str, *, registered: bool = True, settings: PhoneSettings | None = None
) -> Callee:
    """A phone of this name, one of `USERS` when it is to be registered."""
    tone_hz = tone_for(next(story.tones))
    chosen = replace(
        settings or PhoneSettings(),
        user=name,
        host=story.server.address,
        tone_hz=tone_hz,
        takes_calls=True,
        password=PASSWORD if registered else "",
    )
    phone = await story.phones.enter_async_context(Phone(chosen))
    if registered:
        registrar = f"sip:{story.server.address}:{story.server.sip_port}"
        await phone.register(registrar)
        # The next story's phone of this name must not ring where this one was.
        story.phones.push_async_callback(phone.register, registrar, 0)
    return Callee(story, name, tone_hz, phone)
