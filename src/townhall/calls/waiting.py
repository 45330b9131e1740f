"""What a participant hears until his conference starts: the default music, silence, or what his `waitUrl`
answers.
"""

import asyncio
import contextlib

from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.conference import Conference
from townhall.twiml import check_wait_page, run_wait_document
from townhall.twiml.control import CallEnded, ConferenceDial, DocumentRequest, FetchFailed, Notice, Page


class WaitMusic:
    """One participant's wait music. The first document is fetched before he is admitted: without it he is
    not.
    """

    def __init__(self, control: LiveCall, clips: ClipLibrary, dial: ConferenceDial) -> None:
        self._control = control
        self._clips = clips
        self._url = dial.wait_url
        self._method = dial.wait_method
        self._document: tuple[DocumentRequest, Page] | None = None
        self._task: asyncio.Task[None] | None = None

    async def prepare(self, conference: Conference) -> None:
        """Fetch the `waitUrl`, if there is one, and see that one can wait with it; raises `FetchFailed`."""
        if self._url:
            parameters = (("ConferenceSid", conference.sid), ("FriendlyName", conference.name))
            request = DocumentRequest(self._url, self._method, parameters)
            page = await self._control.fetch(request)
            check_wait_page(page)
            self._document = request, page

    def start(self) -> None:
        if self._url != "":
            self._task = asyncio.create_task(self._play(), name=f"wait music of {self._control.call.sid}")

    def stop(self) -> None:
        """Silence at once, mid-word; the task that played ends on its own a moment later."""
        if self._task is not None:
            self._task.cancel()
            self._control.silence()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _play(self) -> None:
        with contextlib.suppress(CallEnded):
            if self._document is None:
                await self._control.play_forever(self._clips.hold_music)
            else:
                await self._play_document(*self._document)

    async def _play_document(self, request: DocumentRequest, page: Page) -> None:
        try:
            await run_wait_document(self._control, request, page)
        except FetchFailed as error:
            self._control.report(Notice(error.code, "error", error.message, error.url))
