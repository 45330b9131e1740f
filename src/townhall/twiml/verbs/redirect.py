"""`<Redirect>`: goes on with another document and never returns. An unanswered call keeps ringing."""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, Method
from townhall.twiml.kinds import METHOD
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene

METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13710)
ATTRIBUTES = (METHOD_OF,)


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str = ""
    """As written; empty: the current document."""
    method: Method = "POST"

    async def run(self, scene: Scene) -> DocumentRequest | None:
        if not scene.control.answered:
            await scene.control.ring()
        return DocumentRequest(scene.absolute(self.url), self.method)


def parse_redirect(element: etree._Element, notices: NoticeBook) -> Redirect:
    values = AttributeReader(element, ATTRIBUTES, notices)
    return Redirect((element.text or "").strip(), values[METHOD_OF])
