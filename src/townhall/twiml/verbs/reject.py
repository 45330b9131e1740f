"""`<Reject>`: refuses a call that was not answered (404 or 486); later it is a `<Hangup>`."""

from dataclasses import dataclass
from typing import Literal, cast

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import CallEnded, DocumentRequest
from townhall.twiml.kinds import choice
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene

REASON = Attribute("reason", choice("rejected", "busy"), "rejected", 13810)
ATTRIBUTES = (REASON,)


@dataclass(frozen=True, slots=True)
class Reject:
    reason: Literal["rejected", "busy"] = "rejected"

    async def run(self, scene: Scene) -> DocumentRequest | None:
        if scene.control.answered:
            await scene.control.hang_up()
        else:
            await scene.control.reject(self.reason)
        raise CallEnded


def parse_reject(element: etree._Element, notices: NoticeBook) -> Reject:
    reason = AttributeReader(element, ATTRIBUTES, notices)[REASON]
    return Reject(cast(Literal["rejected", "busy"], reason))
