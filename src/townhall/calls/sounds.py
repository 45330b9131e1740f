"""Words and files played to somebody: one call's caller (`LiveCall`) or a whole conference
(`ConferenceVoice`).
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from townhall.calls.clips import ClipLibrary
from townhall.media import Playback
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    FetchFailed,
    Notice,
    Page,
    Utterance,
)
from townhall.webhooks import Cookies, WebhookClient

log = logging.getLogger(__name__)

T = TypeVar("T")


class Subject(Protocol):
    """Whom the sounds are for: a call, or a conference while it is announced to."""

    sid: str
    cookies: Cookies
    over: asyncio.Future[str]
    """Done when nobody is there any more."""
    interruption: asyncio.Future[CallRedirected]
    """Done when another document takes the place of what runs."""

    @property
    def parameters(self) -> list[tuple[str, str]]: ...


class NoticeBoard(Protocol):
    """Where the error log is kept (`townhall.calls.journal`)."""

    def notice(self, resource_sid: str, notice: Notice) -> None: ...


class Sounds:
    """Fetches, says and plays for one subject, unless and until it is over or interrupted.

    Every coroutine raises `CallEnded` or `CallRedirected` then; cancelling one silences it at once.
    """

    def __init__(
        self, subject: Subject, clips: ClipLibrary, webhooks: WebhookClient, notices: NoticeBoard
    ) -> None:
        self._subject = subject
        self._clips = clips
        self._webhooks = webhooks
        self._notices = notices
        self._playback: Playback | None = None
        self._told: set[asyncio.Task[None]] = set()

    def start_playing(self, clips: list[str], loops: int) -> Playback:
        """Where the sound goes."""
        raise NotImplementedError

    # ---- documents ----

    async def fetch(self, request: DocumentRequest) -> Page:
        # The end of the call does not stop a request: the last `action` is asked for, though nobody hears
        # the answer. Only another document that comes before it does.
        parameters = self._parameters_of(request)
        work = self._webhooks.fetch(request.url, request.method, parameters, self._subject.cookies)
        return await self._race(work, set(), self._subject.interruption, None)

    def tell(self, request: DocumentRequest) -> None:
        # Neither the end nor another document stops it; it has the time of one request at most.
        task = asyncio.create_task(self._tell(request), name=f"telling of {self._subject.sid}")
        self._told.add(task)
        task.add_done_callback(self._told.discard)

    async def _tell(self, request: DocumentRequest) -> None:
        parameters = self._parameters_of(request)
        try:
            await self._webhooks.fetch(request.url, request.method, parameters, self._subject.cookies)
        except FetchFailed as failure:
            self.report(Notice(failure.code, "warning", failure.message, failure.url))

    def _parameters_of(self, request: DocumentRequest) -> list[tuple[str, str]]:
        """What a request says. Its own words count where a browser's page has used their names: a page cannot
        tell what became of a `<Dial>`.
        """
        own = {name for name, _ in request.parameters}
        return [*(pair for pair in self._subject.parameters if pair[0] not in own), *request.parameters]

    def report(self, notice: Notice) -> None:
        self._notices.notice(self._subject.sid, notice)

    # ---- what is heard ----

    async def say(self, utterance: Utterance) -> None:
        await self._play_clip(self._clips.words(utterance))

    async def play(self, url: str, loops: int = 1) -> None:
        await self._play_clip(self._clips.download(url, self._subject.cookies), loops)

    async def play_page(self, page: Page, loops: int = 1) -> None:
        await self._play_clip(self._clips.decode(page), loops)

    async def beep(self) -> None:
        """The beep after which the caller speaks."""
        await self.while_it_lasts(self._play_to_the_end([self._clips.beep_record], loops=1))

    async def play_forever(self, clip: str) -> None:
        """Loop a clip until cancelled: hold music."""
        await self.while_it_lasts(self._play_to_the_end([clip], loops=0))

    async def pause(self, seconds: float) -> None:
        await self.while_it_lasts(asyncio.sleep(seconds))

    def silence(self) -> None:
        """Stop whatever is being played, at once; who waits for its end is told so."""
        if self._playback is not None:
            self._playback.stop()

    async def _play_clip(self, clip: Coroutine[Any, Any, str], loops: int = 1) -> None:
        path = await self.while_it_lasts(clip)
        await self.while_it_lasts(self._play_to_the_end([path], loops))

    async def _play_to_the_end(self, clips: list[str], loops: int) -> None:
        playback = self._playback = self.start_playing(clips, loops)
        try:
            outcome = await playback.finished()
        finally:
            playback.stop()
        if outcome == "failed":
            log.warning("%s: %s could not be played: %s", self._subject.sid, clips, playback.detail)

    # ---- ends and interruptions ----

    async def while_it_lasts(
        self, work: Coroutine[Any, Any, T], timeout_s: float | None = None, *, interruptible: bool = True
    ) -> T:
        """Do a thing unless and until the call is over; then stop it and raise `CallEnded`.

        Raises `CallRedirected` when the API interrupts, `TimeoutError` when it takes too long. What was done
        in the last moment counts: a key that comes together with the time-out is not lost.
        """
        if self._subject.over.done():
            work.close()
            raise CallEnded
        interruption = self._subject.interruption if interruptible else None
        return await self._race(work, {self._subject.over}, interruption, timeout_s)

    async def _race(
        self,
        work: Coroutine[Any, Any, T],
        enders: set[asyncio.Future[Any]],
        interruption: asyncio.Future[CallRedirected] | None,
        timeout_s: float | None,
    ) -> T:
        task = asyncio.ensure_future(work)
        racers: set[asyncio.Future[Any]] = {task, *enders}
        if interruption is not None:
            racers.add(interruption)
        try:
            await asyncio.wait(racers, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            if any(ender.done() for ender in enders):
                raise CallEnded
            if interruption is not None and interruption.done():
                raise self.obey(interruption)
            raise TimeoutError
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
            # What it raises would hold on to this frame, and so to itself.
            del task, racers

    def obey(self, interruption: asyncio.Future[CallRedirected]) -> CallRedirected:
        """The new document, to be raised; what runs from now on is not interrupted by it any more."""
        if self._subject.interruption is interruption:
            self._subject.interruption = asyncio.get_running_loop().create_future()
        return interruption.result()
