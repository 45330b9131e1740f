"""`<Hangup>`: ends the call; one that was not answered yet is answered first."""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import AttributeReader
from townhall.twiml.control import CallEnded, DocumentRequest
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene


@dataclass(frozen=True, slots=True)
class Hangup:
    async def run(self, scene: Scene) -> DocumentRequest | None:
        await scene.control.answer()
        await scene.control.hang_up()
        raise CallEnded


def parse_hangup(element: etree._Element, notices: NoticeBook) -> Hangup:
    AttributeReader(element, (), notices)
    return Hangup()
