"""What a caller hears who waits in a queue: its `waitUrl`, asked for again whenever its TwiML has ended.

Play, Say, Pause, Hangup, Redirect, Leave and Gather may stand in it; another verb is an error (14207), and
the document is not run. An audio answer is played once before the URL is asked for again.
"""

from collections.abc import Callable
from dataclasses import replace

from townhall.twiml.content import kind_of_answer, media_type
from townhall.twiml.control import CallControl, DocumentRequest, FetchFailed, Page, Parameters, Utterance
from townhall.twiml.document import Document, DocumentError, parse_document
from townhall.twiml.limits import WAIT_DOCUMENT_SPACING_S
from townhall.twiml.notices import quoted
from townhall.twiml.pacing import Pace
from townhall.twiml.scene import Scene
from townhall.twiml.verbs.gather import Gather
from townhall.twiml.verbs.hangup import Hangup
from townhall.twiml.verbs.leave import Leave, QueueLeft
from townhall.twiml.verbs.pause import Pause
from townhall.twiml.verbs.play import Play
from townhall.twiml.verbs.redirect import Redirect
from townhall.twiml.verbs.say import Say

ALLOWED = (Play, Say, Pause, Hangup, Redirect, Leave, Gather)


class QueueWait:
    """The wait documents of one caller. `standing` says how he stands in the queue, anew for each request."""

    def __init__(
        self, control: CallControl, request: DocumentRequest, standing: Callable[[], Parameters]
    ) -> None:
        self._control = control
        self._request = request
        self._standing = standing
        self._pace = Pace(WAIT_DOCUMENT_SPACING_S)
        self.worked = False
        """Whether a document of his could be used yet."""

    async def run(self) -> None:
        """Let him hear them until one says `<Leave>`; cancel it when the waiting is over.

        Raises `FetchFailed` for one that can't be had or used; it may be run again then, from the beginning.
        """
        following: DocumentRequest | None = None
        while True:
            await self._pace.wait()
            request = following or self._request
            told = replace(request, parameters=(*request.parameters, *self._standing()))
            page = await self._control.fetch(told)
            document = _usable(page)
            self.worked = True
            try:
                following = await self._run(document, page)
            except QueueLeft:
                return

    async def _run(self, document: Document | None, page: Page) -> DocumentRequest | None:
        if document is None:
            await self._control.play_page(page)
            return None
        for notice in document.notices:
            self._control.report(notice)
        scene = Scene(self._control, page.url, queued=True)
        for verb in document.verbs:
            following = await verb.run(scene)
            if following is not None:
                return following
        return None


def _usable(page: Page) -> Document | None:
    """The page's document, None when it is audio; raises `FetchFailed` when nobody can wait with it."""
    kind = kind_of_answer(page.content_type)
    if kind == "audio":
        return None
    if kind == "other":
        read = quoted(media_type(page.content_type))
        raise FetchFailed(12300, page.url, f"read {read}, expected text/xml, audio or text/plain")
    try:
        document = parse_document(page.body, page.url, page.content_type)
    except DocumentError as error:
        if kind == "text" and error.code not in (11750, 11770):
            words = " ".join(page.body.decode("utf-8", "replace").split())
            return Document((Say(Utterance(words)),))
        raise FetchFailed(error.code, page.url, error.message) from None
    for verb in document.verbs:
        if not isinstance(verb, ALLOWED):
            names = ", ".join(kind.__name__ for kind in ALLOWED)
            raise FetchFailed(14207, page.url, f"read <{type(verb).__name__}>, expected only {names}")
    return document
