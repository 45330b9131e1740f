"""`<Pause>`: silence. As the first verb of an unanswered call it delays the answer, while the caller hears
ringing.
"""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest
from townhall.twiml.kinds import integer
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene

LENGTH = Attribute("length", integer(1), 1, 13910)
ATTRIBUTES = (LENGTH,)


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: int = 1

    async def run(self, scene: Scene) -> DocumentRequest | None:
        if not scene.control.answered:
            await scene.control.ring()
        await scene.control.pause(self.length_s)
        return None


def parse_pause(element: etree._Element, notices: NoticeBook) -> Pause:
    return Pause(AttributeReader(element, ATTRIBUTES, notices)[LENGTH])
