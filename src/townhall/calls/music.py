"""What a participant hears instead of the conference: until it starts, and while he is on hold.

It is the default music, silence, or what a URL answers (`waitUrl`, `HoldUrl`): an audio file or TwiML with
Say, Play, Pause and Redirect.
"""

import asyncio
import contextlib

from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.conference import Conference
from townhall.twiml import check_wait_page, run_wait_document
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    FetchFailed,
    Method,
    Notice,
    Page,
)


class Music:
    """One participant's music. `url` None: the default music; empty: silence.

    `loop_audio`: an audio file runs for ever (waiting) or once (hold).
    """

    def __init__(
        self,
        control: LiveCall,
        clips: ClipLibrary,
        url: str | None,
        method: Method,
        *,
        loop_audio: bool = True,
    ) -> None:
        self._control = control
        self._clips = clips
        self._url = url
        self._method = method
        self._loop_audio = loop_audio
        self._request: DocumentRequest | None = None
        self._first_page: Page | None = None
        self._task: asyncio.Task[None] | None = None

    async def prepare(self, conference: Conference) -> None:
        """Fetch the URL ahead, if there is one, and see that it is music; raises `FetchFailed`.

        Who waits must have his first document before he is admitted: without it he is not.
        """
        if self._url:
            self._request = self._ask(self._url, conference)
            page = await self._control.fetch(self._request)
            check_wait_page(page)
            self._first_page = page

    def start(self, conference: Conference) -> None:
        if self._url and self._request is None:
            self._request = self._ask(self._url, conference)
        if self._url != "":
            self._task = asyncio.create_task(self._play(), name=f"music of {self._control.call.sid}")
            self._task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        # A task that was cancelled remembers all that it was doing, and so us.
        if self._task is task:
            self._task = None

    @property
    def playing(self) -> bool:
        return self._task is not None and not self._task.done()

    def stop(self) -> None:
        """Silence at once, mid-word; the task that played ends on its own a moment later."""
        if self._task is not None and self.playing:
            self._task.cancel()
            self._control.silence()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    def _ask(self, url: str, conference: Conference) -> DocumentRequest:
        parameters = (("ConferenceSid", conference.sid), ("FriendlyName", conference.name))
        return DocumentRequest(url, self._method, parameters)

    async def _play(self) -> None:
        # A redirection is obeyed by the call's own task, which also stops the music.
        with contextlib.suppress(CallEnded, CallRedirected):
            if self._request is None:
                await self._control.play_forever(self._clips.hold_music)
            else:
                await self._play_document(self._request)

    async def _play_document(self, request: DocumentRequest) -> None:
        page, self._first_page = self._first_page, None
        try:
            await run_wait_document(self._control, request, page, loop_audio=self._loop_audio)
        except FetchFailed as error:
            self._control.report(Notice(error.code, "error", error.message, error.url))
