"""`<Say>`: words, spoken. SSML children are kept for voices that understand them.

Text limits (13521) are those of the voice's family; Twilio cuts nothing, but silence would help nobody:
longer text is cut at the limit. The limit "4500 when measured URL-encoded" contradicts the others and is left
out.
"""

from dataclasses import dataclass

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import DocumentRequest, FetchFailed, Utterance
from townhall.twiml.kinds import LANGUAGE, integer, matching
from townhall.twiml.limits import LOOPS, SAY_TEXT
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene
from townhall.twiml.verbs.ssml import inner_ssml

VOICE = Attribute(
    "voice",
    matching(r"[A-Za-z][A-Za-z0-9._:-]{0,99}", "a voice such as man, woman or Polly.Joanna"),
    "man",
    13511,
)
LANGUAGE_OF = Attribute("language", LANGUAGE, "en-US", 13512)
LOOP = Attribute("loop", integer(0), 1, 13510)
ATTRIBUTES = (VOICE, LANGUAGE_OF, LOOP)

_FAMILY_LIMITS = {"polly": 3000, "google": 5000}


@dataclass(frozen=True, slots=True)
class Say:
    utterance: Utterance
    loops: int = 1
    """Times to speak, 1 to 1000."""

    async def run(self, scene: Scene) -> DocumentRequest | None:
        await scene.control.answer()
        if self.utterance.text:
            await self._speak(scene)
        return None

    async def _speak(self, scene: Scene) -> None:
        try:
            for _ in range(self.loops):
                await scene.control.say(self.utterance)
        except (
            FetchFailed
        ) as failure:  # no voice can speak it: the rest of the document is still worth running
            scene.report_failure(failure)


def parse_say(element: etree._Element, notices: NoticeBook) -> Say:
    values = AttributeReader(element, ATTRIBUTES, notices)
    text = _spoken_text(element)
    ssml = inner_ssml(element, notices).strip() if len(element) else None
    voice = values[VOICE]
    family = voice.partition(".")[0].lower()
    limit = _FAMILY_LIMITS.get(family, SAY_TEXT)
    measured = len(ssml) if ssml is not None and family == "google" else len(text)
    if not text and ssml is None:
        notices.warn(13520, "<Say> has no text; nothing is spoken")
    if measured > limit:
        notices.warn(
            13521, f"<Say> has {measured} characters, the voice {voice} speaks {limit}; the rest is left out"
        )
        text, ssml = text[:limit], None
    if ssml is not None and not text:
        text = " "  # nothing but a break is still something to speak
    return Say(Utterance(text, voice, values[LANGUAGE_OF], ssml), min(values[LOOP] or LOOPS, LOOPS))


def _spoken_text(element: etree._Element) -> str:
    """All text inside, white space run together; `<sub>` counts by its alias, as that is what is spoken."""
    return " ".join("".join(_pieces(element)).split())


def _pieces(element: etree._Element) -> list[str]:
    if not isinstance(element.tag, str):
        return []
    if element.tag == "sub" and element.get("alias"):
        return [str(element.get("alias"))]
    pieces = [element.text or ""]
    for child in element:
        pieces.extend([*_pieces(child), child.tail or ""])
    parts_words = element.tag in ("p", "s", "break")
    return [" ", *pieces, " "] if parts_words else pieces
