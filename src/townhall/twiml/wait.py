"""What a caller hears who waits or is on hold: `waitUrl` and `HoldUrl` documents.

Only Say, Play, Pause and Redirect may stand in them (13238). An audio answer loops; a document that ends
leaves silence and is not asked for again, so a loop ends with `<Redirect/>`. The caller of this room cancels
it when the music is over.
"""

from typing import cast

from townhall.twiml.content import kind_of_answer, media_type
from townhall.twiml.control import (
    CallControl,
    DocumentRequest,
    FetchFailed,
    Notice,
    Page,
    Speaker,
    Utterance,
)
from townhall.twiml.document import Document, DocumentError, parse_document
from townhall.twiml.limits import LOOPS, WAIT_DOCUMENT_SPACING_S
from townhall.twiml.notices import quoted
from townhall.twiml.pacing import Pace
from townhall.twiml.scene import Scene
from townhall.twiml.verbs.pause import Pause
from townhall.twiml.verbs.play import Play
from townhall.twiml.verbs.redirect import Redirect
from townhall.twiml.verbs.say import Say


def check_wait_page(page: Page) -> Document | None:
    """The page's document, None when it is audio; raises `FetchFailed` when nobody can wait with it.

    For those who must know before the caller is let in: an unusable first page means that he is not admitted.
    """
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
        if not isinstance(verb, Say | Play | Pause | Redirect) or (isinstance(verb, Play) and verb.digits):
            name = type(verb).__name__
            raise FetchFailed(13238, page.url, f"read <{name}>, expected only Say, Play, Pause and Redirect")
    return document


async def run_wait_document(
    speaker: Speaker,
    request: DocumentRequest,
    first_page: Page | None = None,
    loop_audio: bool = True,
) -> None:
    """Let the caller hear the wait document until it ends; cancel it when the waiting does.

    `first_page` is the answer to `request`, if it was fetched already. A first document that can't be had or
    used raises `FetchFailed`; a later one is reported and leaves silence. Two documents are at least a second
    apart. `loop_audio`: an audio answer loops (`waitUrl`) or is played once (`HoldUrl`, announcements).
    """
    pace = Pace(WAIT_DOCUMENT_SPACING_S)
    await pace.wait()
    page = first_page if first_page is not None else await speaker.fetch(request)
    following = await _run_page(speaker, page, loop_audio)
    while following is not None:
        await pace.wait()
        try:
            following = await _run_page(speaker, await speaker.fetch(following), loop_audio)
        except FetchFailed as failure:
            speaker.report(Notice(failure.code, "error", failure.message, failure.url))
            return


async def _run_page(speaker: Speaker, page: Page, loop_audio: bool) -> DocumentRequest | None:
    document = check_wait_page(page)
    if document is None:
        if loop_audio:
            await _loop_audio(speaker, page)
        else:
            await speaker.play_page(page)
        return None
    for notice in document.notices:
        speaker.report(notice)
    # Say, Play, Pause and Redirect use nothing of a call but what a speaker has.
    scene = Scene(cast(CallControl, speaker), page.url)
    for verb in document.verbs:
        following = await verb.run(scene)
        if following is not None:
            return following
    return None


async def _loop_audio(speaker: Speaker, page: Page) -> None:
    pace = Pace(WAIT_DOCUMENT_SPACING_S)
    while True:
        await pace.wait()  # in case that the file holds no sound at all
        await speaker.play_page(page, LOOPS)
