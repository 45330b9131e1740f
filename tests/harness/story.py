"""A story: callers with a tone of their own each, what every one of them hears, and what his document does
next.

One server serves a whole test process; every story has a number and a room of its own, so stories do not
meet.
"""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from tests.harness.documents import hang_up
from tests.harness.matrix import Expected, Seat, assert_hearing
from tests.harness.numbers import NUMBERS
from tests.harness.server import TownhallServer
from tests.harness.tones import tone_for
from tests.harness.webhook import Answer, Script, Webhook, WebhookRequest

from townhall.phone import Phone, PhoneCall, PhoneSettings

_next_number = itertools.count()
_next_line = itertools.count(5000)


@dataclass(eq=False)
class Caller:
    """One who calls. `name` is the user part of his `From`."""

    name: str
    tone_hz: float
    phone: Phone
    call: PhoneCall

    @property
    def seat(self) -> Seat:
        return Seat(self.name, self.tone_hz, self.call)

    async def press(self, keys: str) -> None:
        await self.call.press(keys)

    async def hang_up(self) -> None:
        await self.call.hang_up()


class Story:
    """`async with Story(server, webhook) as story: alice = await story.call("alice", role("listener",
    story.room))`.
    """

    def __init__(self, server: TownhallServer, webhook: Webhook) -> None:
        self.server = server
        self.webhook = webhook
        self.number = str(NUMBERS[next(_next_number) % len(NUMBERS)])
        self.room = f"room {self.number}"
        self.callers: dict[str, Caller] = {}
        self._documents: dict[str, Script] = {}
        self._for_anybody: Script = hang_up()
        self.tones = itertools.count()
        self.phones = AsyncExitStack()
        webhook.on(self.path("/voice"), self._document)
        webhook.on(self.path("/events"), Answer(b"", "text/plain"))
        webhook.on(self.path("/left"), hang_up())
        webhook.on(self.path("/next"), hang_up())

    def path(self, rest: str) -> str:
        return f"/{self.number}{rest}"

    def url(self, rest: str) -> str:
        return self.webhook.url + self.path(rest)

    def on(self, rest: str, script: Script) -> str:
        """Answer requests for this story's path by `script`; returns its URL."""
        return self.webhook.on(self.path(rest), script)

    @property
    def events(self) -> dict[str, object]:
        """Attributes of `<Conference>` that have every event told to this story."""
        return {
            "status_callback": self.url("/events"),
            "status_callback_event": "start end join leave mute hold",
        }

    async def call(
        self,
        name: str,
        document: Script,
        settings: PhoneSettings | None = None,
        *,
        address: str | None = None,
    ) -> Caller:
        """`name` calls the story's number and is given this document; returns once he is answered."""
        return await self.dial(name, self.number, document, settings, address=address)

    async def dial(
        self,
        name: str,
        number: str,
        document: Script | None = None,
        settings: PhoneSettings | None = None,
        *,
        address: str | None = None,
    ) -> Caller:
        """`name` calls any number of the server, at (and from) its first address or another one."""
        if document is not None:
            self._documents[name] = document
        tone_hz = tone_for(next(self.tones))
        host = address or self.server.address
        chosen = replace(settings or PhoneSettings(), user=name, host=host, tone_hz=tone_hz)
        phone = await self.phones.enter_async_context(Phone(chosen))
        caller = Caller(name, tone_hz, phone, await phone.call(self.server.sip_uri(number, host)))
        self.callers[name] = caller
        return caller

    async def hear(self, expected: Mapping[str, Expected], within_s: float = 30.0) -> None:
        """Assert the whole matrix: who of all who are on the line hears whom, or `music`, or `silence`."""
        seats = [caller.seat for caller in self.callers.values() if not caller.call.is_over]
        await assert_hearing(seats, expected, within_s)

    async def all_ended(self, *names: str, within_s: float = 30.0) -> None:
        """Wait until these calls (none given: all) have been hung up by the server."""
        chosen = names or tuple(self.callers)
        causes = await asyncio.gather(*(self.callers[name].call.ended(within_s) for name in chosen))
        assert {cause.cause for cause in causes} == {"bye"}, causes

    def paths(self, caller: str) -> list[str]:
        """The documents that this caller's call has asked for, in order, without the story's number."""
        requests = self.webhook.requests(f"/{self.number}/", caller)
        return [request.path.removeprefix(f"/{self.number}") for request in requests]

    async def requested(self, rest: str, caller: str | None = None, within_s: float = 30.0) -> WebhookRequest:
        """The first request of `caller` for this story's path, whether it has come or is to come."""
        wanted: Callable[[WebhookRequest], bool] = lambda request: caller in (None, request.caller)  # noqa: E731
        return await self.webhook.next_request(self.path(rest), within_s, accept=wanted)

    async def told(self, *events: str, within_s: float = 30.0) -> list[WebhookRequest]:
        """Wait until that many events were told; assert that they are these, by their `SequenceNumber`."""

        def in_order() -> list[WebhookRequest]:
            told = self.webhook.requests(self.path("/events"))
            return (
                sorted(told, key=lambda r: int(r.parameters["SequenceNumber"]))
                if len(told) >= len(events)
                else []
            )

        told = await self.webhook.wait_for(in_order, within_s, f"{len(events)} events")
        assert [request.parameters["StatusCallbackEvent"] for request in told] == list(events)
        return told

    async def event(self, name: str, within_s: float = 30.0) -> WebhookRequest:
        """The first event of this name that the conference tells, told or to be told."""
        wanted: Callable[[WebhookRequest], bool] = lambda r: r.parameters["StatusCallbackEvent"] == name  # noqa: E731
        return await self.webhook.next_request(self.path("/events"), within_s, accept=wanted)

    def give(self, name: str, document: Script) -> None:
        """The document of the caller of this name, who is no phone of the story's own making."""
        self._documents[name] = document

    def answer_anybody(self, document: Script) -> None:
        """The document of callers who are no phones of the story."""
        self._for_anybody = document

    async def line(self, **attributes: str) -> str:
        """A fresh line of our own application; returns its number. Attributes as `townhall line add` has
        them.
        """
        number = str(next(_next_line))
        options = [
            part for name, value in attributes.items() for part in (f"--{name.replace('_', '-')}", value)
        ]
        await asyncio.to_thread(self.server.command, "line", "add", number, *options)
        return number

    async def logged(self, text: str, since: int = 0, within_s: float = 30.0) -> None:
        """Wait until the server's log says this, after its first `since` characters."""
        async with asyncio.timeout(within_s):
            while text not in self.server.log[since:]:  # noqa: ASYNC110  (it tells nobody)
                await asyncio.sleep(0.05)

    async def server_is_empty(self, within_s: float = 30.0) -> None:
        """Wait until the server has neither calls nor conferences."""
        async with asyncio.timeout(within_s):
            while not await asyncio.to_thread(self.server.is_idle):  # noqa: ASYNC110  (it tells nobody)
                await asyncio.sleep(0.05)

    def _document(self, request: WebhookRequest) -> str | Answer:
        script = self._documents.get(request.caller, self._for_anybody)
        answer = script(request) if callable(script) else script
        return answer if isinstance(answer, Answer) else Answer(answer)

    def _tell_what_phones_got(self) -> None:
        """Shown when a story has failed: whether packets were lost, late, or never sent."""
        for name, caller in self.callers.items():
            print(f"{name} sent {caller.call.packets_sent} packets; received {caller.call.report}")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell_what_phones_got()
        await self.phones.aclose()
        unsigned = [r for r in self.webhook.requests(f"/{self.number}/") if not r.signed]
        if error is None:
            assert not unsigned, f"requests without a valid signature: {unsigned}"
