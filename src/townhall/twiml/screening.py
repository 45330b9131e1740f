"""What a callee of `<Dial>` hears before he is connected: the `url` of his noun.

Play, Say, Gather, Pause, Redirect and Hangup may stand in it. When it has ended and he is still there, he is
connected; `<Hangup>` declines. A document that can't be had or used declines for him: whoever wrote it wanted
him asked.
"""

from townhall.twiml.content import kind_of_answer, media_type
from townhall.twiml.control import CallControl, DocumentRequest, FetchFailed, Page
from townhall.twiml.document import DocumentError, parse_document
from townhall.twiml.limits import DOCUMENT_SPACING_S, DOCUMENTS_PER_CALL
from townhall.twiml.notices import quoted
from townhall.twiml.pacing import Pace
from townhall.twiml.scene import Scene
from townhall.twiml.verbs.gather import Gather
from townhall.twiml.verbs.hangup import Hangup
from townhall.twiml.verbs.pause import Pause
from townhall.twiml.verbs.play import Play
from townhall.twiml.verbs.redirect import Redirect
from townhall.twiml.verbs.say import Say

ALLOWED = (Play, Say, Gather, Pause, Redirect, Hangup)


async def run_screening(control: CallControl, first: DocumentRequest) -> None:
    """Run the document, and what it leads to, until it ends; raises `FetchFailed`, and `CallEnded` when the
    callee is gone.
    """
    pace = Pace(DOCUMENT_SPACING_S, 5)
    following: DocumentRequest | None = first
    for _ in range(DOCUMENTS_PER_CALL):
        if following is None:
            return
        await pace.wait()
        following = await _run_page(control, await control.fetch(following))
    raise FetchFailed(12400, first.url, "the screening document leads in circles")


async def _run_page(control: CallControl, page: Page) -> DocumentRequest | None:
    kind = kind_of_answer(page.content_type)
    if kind == "audio":
        await control.play_page(page)
        return None
    if kind == "other":
        raise FetchFailed(12300, page.url, f"read {quoted(media_type(page.content_type))}, expected text/xml")
    try:
        document = parse_document(page.body, page.url, page.content_type)
    except DocumentError as error:
        raise FetchFailed(error.code, page.url, error.message) from None
    for verb in document.verbs:
        if not isinstance(verb, ALLOWED):
            names = ", ".join(kind.__name__ for kind in ALLOWED)
            raise FetchFailed(13201, page.url, f"read <{type(verb).__name__}>, expected only {names}")
    for notice in document.notices:
        control.report(notice)
    scene = Scene(control, page.url)
    for verb in document.verbs:
        following = await verb.run(scene)
        if following is not None:
            return following
    return None
