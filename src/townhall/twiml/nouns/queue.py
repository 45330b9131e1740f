"""`<Dial><Queue>`: the call that dials it talks to the queue's head.

TaskRouter (`reservationSid`, `postWorkActivitySid`) is left out.
"""

from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import FetchFailed, Method, Notice, QueueTarget
from townhall.twiml.kinds import ANYTHING, METHOD, URL, optional
from townhall.twiml.limits import QUEUE_NAME
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.scene import Scene

URL_OF = Attribute[str | None]("url", optional(URL), None, 14211)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 14210)
RESERVATION_SID = Attribute("reservationSid", ANYTHING, "", 14215)
POST_WORK_ACTIVITY_SID = Attribute("postWorkActivitySid", ANYTHING, "", 14215)
ATTRIBUTES: tuple[Attribute[Any], ...] = (URL_OF, METHOD_OF, RESERVATION_SID, POST_WORK_ACTIVITY_SID)


@dataclass(frozen=True, slots=True)
class QueueNoun:
    target: QueueTarget
    """With the URL as written."""
    refused: Notice | None = None
    """Why nobody can be dialled by this element, if so."""

    def resolve(self, scene: Scene) -> QueueTarget | Notice:
        """What to dial, with an absolute URL; one that can't become one is reported and left out."""
        if self.refused is not None:
            return self.refused
        if not self.target.url:
            return replace(self.target, url=None)
        try:
            return replace(self.target, url=scene.absolute(self.target.url))
        except FetchFailed as failure:
            scene.report_failure(failure)
            return replace(self.target, url=None)


def parse_queue(element: etree._Element, notices: NoticeBook) -> QueueNoun:
    values = AttributeReader(element, ATTRIBUTES, notices)
    for child in element:
        notices.warn(13215, f"<{child.tag}> can't stand inside <Queue>; skipped")
    name = " ".join(str(element.text or "").split())
    return QueueNoun(
        QueueTarget(name, values[URL_OF], values[METHOD_OF]),
        bad_queue_name(name, "<Queue>", too_short=14212, too_long=14213),
    )


def bad_queue_name(name: str, element: str, *, too_short: int, too_long: int) -> Notice | None:
    """What is wrong with a queue's name, if anything: it has 1 to 64 characters."""
    if not name:
        return Notice(too_short, "error", f"{element} names no queue; its text must be the queue's name")
    if len(name) > QUEUE_NAME:
        return Notice(
            too_long,
            "error",
            f"{element} names the queue {quoted(name)} of {len(name)} characters; {QUEUE_NAME} are allowed",
        )
    return None
