"""A call's documents, one after the other: fetch, parse, run the verbs, go on where they say, hang up at the
end.

A fatal error (the fetch failed, no TwiML, wrong content type, a URL that is none) asks the fallback URL once,
with `ErrorCode` and `ErrorUrl`; when that fails, too, or there is none, the caller hears an apology and the
call ends.
"""

from dataclasses import dataclass, replace

from townhall.twiml.content import charset, kind_of_answer, media_type
from townhall.twiml.control import (
    CallControl,
    CallEnded,
    CallRedirected,
    DocumentRequest,
    FetchFailed,
    Notice,
    Page,
    Utterance,
)  # fmt: skip
from townhall.twiml.document import Document, DocumentError, parse_document
from townhall.twiml.limits import (
    CONFERENCE_PARTICIPANTS,
    DOCUMENT_BURST,
    DOCUMENT_SPACING_S,
    DOCUMENTS_PER_CALL,
    SAY_TEXT,
)  # fmt: skip
from townhall.twiml.notices import quoted
from townhall.twiml.pacing import Pace
from townhall.twiml.scene import Scene

APOLOGY = Utterance("We are sorry, this call can't go on because of an application error. Goodbye.")


@dataclass(frozen=True, slots=True)
class InlineDocument:
    """TwiML given instead of a URL (REST `Twiml=`): it has no base for relative URLs."""

    twiml: str


async def run_call(
    control: CallControl,
    first: DocumentRequest | InlineDocument,
    fallback: DocumentRequest | None = None,
    participants_limit: int = CONFERENCE_PARTICIPANTS,
) -> None:
    """Run a call's TwiML from its first document until the call is over; the call is hung up when this
    returns.

    `CallEnded` and `CallRedirected` end here; any other exception of `control` is a bug and goes through.
    """
    await _Run(control, fallback, participants_limit).until_over(first)


class _Run:
    def __init__(
        self, control: CallControl, fallback: DocumentRequest | None, participants_limit: int
    ) -> None:
        self._control = control
        self._fallback = fallback
        self._participants_limit = participants_limit
        self._documents = 0
        self._pace = Pace(DOCUMENT_SPACING_S, DOCUMENT_BURST)

    async def until_over(self, first: DocumentRequest | InlineDocument) -> None:
        following: DocumentRequest | InlineDocument | None = first
        try:
            while following is not None:
                following = await self._step(following)
            await self._control.answer()
            await self._control.hang_up()
        except (CallEnded, CallRedirected):  # redirected while it was being hung up: too late
            return

    async def _step(
        self, source: DocumentRequest | InlineDocument
    ) -> DocumentRequest | InlineDocument | None:
        """Run one document; the next one, or None when the call is to be hung up."""
        try:
            return await self._run_document(source)
        except CallRedirected as redirected:
            if redirected.inline is not None:
                return InlineDocument(redirected.inline)
            return redirected.request
        except FetchFailed as failure:
            return await self._recover(failure)

    async def _run_document(self, source: DocumentRequest | InlineDocument) -> DocumentRequest | None:
        self._documents += 1
        if self._documents > DOCUMENTS_PER_CALL:
            self._fallback = None
            url = source.url if isinstance(source, DocumentRequest) else ""
            raise FetchFailed(
                12400, url, f"the call went through {DOCUMENTS_PER_CALL} documents, a loop of redirects?"
            )
        await self._pace.wait()
        if isinstance(source, InlineDocument):
            return await self._run_verbs(self._parse(source.twiml, "", ""), None)
        page = await self._control.fetch(source)
        return await self._run_page(page)

    async def _run_page(self, page: Page) -> DocumentRequest | None:
        kind = kind_of_answer(page.content_type)
        if kind == "twiml":
            return await self._run_verbs(self._parse(page.body, page.url, page.content_type), page.url)
        if kind == "audio":
            await self._control.answer()
            await self._control.play_page(page)
            return None
        if kind == "text":
            return await self._run_text(page)
        read = quoted(media_type(page.content_type)) if page.content_type else "no Content-Type"
        raise FetchFailed(12300, page.url, f"read {read}, expected text/xml, audio or text/plain")

    async def _run_text(self, page: Page) -> DocumentRequest | None:
        """text/plain: TwiML if it parses as such, else words to be spoken before the call ends."""
        try:
            document = parse_document(page.body, page.url, page.content_type, self._participants_limit)
        except DocumentError as error:
            if error.code in (11750, 11770):
                raise FetchFailed(error.code, page.url, error.message) from None
        else:
            return await self._run_verbs(document, page.url)
        await self._control.answer()
        words = " ".join(_decoded(page).split())[:SAY_TEXT]
        await self._control.say(Utterance(words))
        return None

    def _parse(self, body: bytes | str, url: str, content_type: str) -> Document:
        try:
            return parse_document(body, url, content_type, self._participants_limit)
        except DocumentError as error:
            raise FetchFailed(error.code, url, error.message) from None

    async def _run_verbs(self, document: Document, url: str | None) -> DocumentRequest | None:
        for notice in document.notices:
            self._control.report(notice)
        scene = Scene(self._control, url)
        for verb in document.verbs:
            following = await verb.run(scene)
            if following is not None:
                return following
        return None

    async def _recover(self, failure: FetchFailed) -> DocumentRequest | InlineDocument | None:
        """The fallback, once; else the apology, after which the call is hung up."""
        self._control.report(Notice(failure.code, "error", failure.message, failure.url))
        fallback, self._fallback = self._fallback, None
        if fallback is not None:
            error = (("ErrorCode", str(failure.code)), ("ErrorUrl", failure.url))
            return replace(fallback, parameters=(*fallback.parameters, *error))
        try:
            await self._control.answer()
            await self._control.say(APOLOGY)
        except CallRedirected as redirected:
            return InlineDocument(redirected.inline) if redirected.inline is not None else redirected.request
        except FetchFailed as silent:
            self._control.report(Notice(silent.code, "error", silent.message, silent.url))
        return None


def _decoded(page: Page) -> str:
    try:
        return page.body.decode(charset(page.content_type) or "utf-8", "replace")
    except LookupError:
        return page.body.decode("utf-8", "replace")
