"""`<Leave>`: takes a caller out of the queue in whose wait document it stands.

The call goes on with the verb after its `<Enqueue>`, or with the `action`.
"""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import AttributeReader
from townhall.twiml.control import DocumentRequest
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene


class QueueLeft(Exception):
    """A wait document said `<Leave>`."""


@dataclass(frozen=True, slots=True)
class Leave:
    async def run(self, scene: Scene) -> DocumentRequest | None:
        if scene.queued:
            raise QueueLeft
        scene.warn(12200, "<Leave> means something only in a queue's wait document; skipped")
        return None


def parse_leave(element: etree._Element, notices: NoticeBook) -> Leave:
    AttributeReader(element, (), notices)
    return Leave()
