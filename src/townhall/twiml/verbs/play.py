"""`<Play>`: an audio file, or DTMF digits, to the caller's ear.

A file that can't be had is a warning (11200 …, 12300) and the next verb runs: Twilio's pages leave it open.
"""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, FetchFailed
from townhall.twiml.kinds import integer, matching, optional
from townhall.twiml.limits import LOOPS
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene

LOOP = Attribute("loop", integer(0), 1, 13410)
DIGITS = Attribute[str | None](
    "digits", optional(matching(r"[0-9A-D*#wW]{1,500}", "keys out of 0-9 A-D * # w W")), None, 13430
)
ATTRIBUTES = (LOOP, DIGITS)


@dataclass(frozen=True, slots=True)
class Play:
    url: str = ""
    """As written; may be empty when there are digits."""
    loops: int = 1
    """Times to play, 1 to 1000."""
    digits: str | None = None

    async def run(self, scene: Scene) -> DocumentRequest | None:
        await scene.control.answer()
        if self.digits:
            for _ in range(self.loops):
                await scene.control.play_digits(self.digits)
        elif self.url:
            await self._play_file(scene)
        return None

    async def _play_file(self, scene: Scene) -> None:
        try:
            await scene.control.play(scene.absolute(self.url), self.loops)
        except FetchFailed as failure:
            scene.report_failure(failure)


def parse_play(element: etree._Element, notices: NoticeBook) -> Play:
    values = AttributeReader(element, ATTRIBUTES, notices)
    url = (element.text or "").strip()
    digits = values[DIGITS]
    if not url and not digits and not values.bad(DIGITS):
        notices.warn(11100, "<Play> has no URL and no digits; skipped")
    return Play(url, min(values[LOOP] or LOOPS, LOOPS), digits)
