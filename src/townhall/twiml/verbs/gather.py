"""`<Gather>`: keys from the caller, with prompts that the first key stops.

Semantics of Twilio's page for DTMF. There is no speech recogniser: `input="speech"` waits out its timeout as
if nothing was said, `dtmf speech` takes keys; both are reported. `bargeIn` concerns speech, a key always
stops the prompt.
"""

from dataclasses import dataclass
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.collecting import Collected, collect_digits
from townhall.twiml.control import DocumentRequest, Method
from townhall.twiml.kinds import (
    ANYTHING,
    BOOLEAN,
    LANGUAGE,
    METHOD,
    URL,
    Kind,
    choice,
    integer,
    matching,
    optional,
)
from townhall.twiml.notices import NoticeBook
from townhall.twiml.scene import Scene
from townhall.twiml.verbs.pause import Pause, parse_pause
from townhall.twiml.verbs.play import Play, parse_play
from townhall.twiml.verbs.say import Say, parse_say


def _read_hints(text: str) -> tuple[str, ...]:
    phrases = tuple(phrase.strip() for phrase in text.split(",")) if text else ()
    if len(phrases) > 500 or any(len(phrase) > 100 for phrase in phrases):
        raise ValueError
    return phrases


INPUT = Attribute("input", choice("dtmf", "speech", "dtmf speech", "speech dtmf"), "dtmf", 13326)
ACTION = Attribute("action", ANYTHING, "", 11100)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13312)
TIMEOUT = Attribute("timeout", integer(1), 5, 13313)
NUM_DIGITS = Attribute[int | None]("numDigits", optional(integer(1)), None, 13314)
FINISH_ON_KEY = Attribute(
    "finishOnKey", matching(r"[0-9*#]?", "one key out of 0-9 * #, or nothing"), "#", 13310
)
ACTION_ON_EMPTY_RESULT = Attribute("actionOnEmptyResult", BOOLEAN, False, 13338)
SPEECH_TIMEOUT = Attribute[str | None](
    "speechTimeout",
    optional(matching(r"auto|0*[1-9][0-9]{0,8}", "a whole number of at least 1, or auto")),
    None,
    13327,
)
HINTS = Attribute(
    "hints", Kind(_read_hints, "at most 500 phrases of at most 100 characters, with commas"), (), 13330
)
LANGUAGE_OF = Attribute("language", LANGUAGE, "en-US", 13331)
PROFANITY_FILTER = Attribute("profanityFilter", BOOLEAN, True, 13329)
PARTIAL_RESULT_CALLBACK = Attribute[str | None]("partialResultCallback", optional(URL), None, 11100)
PARTIAL_RESULT_CALLBACK_METHOD = Attribute[Method]("partialResultCallbackMethod", METHOD, "POST", 13312)
SPEECH_MODEL = Attribute(
    "speechModel", matching(r"[A-Za-z0-9_.-]{1,100}", "the name of a model"), "default", 13334
)
ENHANCED = Attribute("enhanced", BOOLEAN, False, 13335)
BARGE_IN = Attribute("bargeIn", BOOLEAN, True, 13332)
MAX_SPEECH_TIME = Attribute[int | None]("maxSpeechTime", optional(integer(1)), None, 13328)
DEBUG = Attribute("debug", BOOLEAN, False, 13333)
_SPEECH = (
    SPEECH_TIMEOUT, HINTS, LANGUAGE_OF, PROFANITY_FILTER, PARTIAL_RESULT_CALLBACK, SPEECH_MODEL,
    PARTIAL_RESULT_CALLBACK_METHOD, ENHANCED, BARGE_IN, MAX_SPEECH_TIME, DEBUG,
)  # fmt: skip
ATTRIBUTES: tuple[Attribute[Any], ...] = (
    INPUT, ACTION, METHOD_OF, TIMEOUT, NUM_DIGITS, FINISH_ON_KEY, ACTION_ON_EMPTY_RESULT, *_SPEECH,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Gather:
    prompts: tuple[Say | Play | Pause, ...] = ()
    action: str = ""
    """As written; empty: the current document."""
    method: Method = "POST"
    dtmf: bool = True
    timeout_s: int = 5
    num_digits: int | None = None
    finish_on_key: str = "#"
    action_on_empty_result: bool = False

    async def run(self, scene: Scene) -> DocumentRequest | None:
        # Keys from before are no answer to this question; those that come with the call's answer are.
        scene.control.discard_digits()
        await scene.control.answer()
        if not self.dtmf:
            await self._prompt(scene)
            await scene.control.pause(self.timeout_s)
            return self._request(scene, Collected("", "")) if self.action_on_empty_result else None
        collected = await collect_digits(
            scene.control, self._prompt(scene), self.timeout_s, self.num_digits, self.finish_on_key
        )
        if collected.digits or self.action_on_empty_result:
            return self._request(scene, collected)
        return None

    async def _prompt(self, scene: Scene) -> None:
        for prompt in self.prompts:
            await prompt.run(scene)

    def _request(self, scene: Scene, collected: Collected) -> DocumentRequest:
        parameters = (
            ("Digits", collected.digits),
            ("FinishedOnKey", collected.finished_on_key),
            ("msg", "Gather End"),
        )
        return DocumentRequest(scene.absolute(self.action), self.method, parameters)


def parse_gather(element: etree._Element, notices: NoticeBook) -> Gather:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(*_SPEECH)
    kinds = values[INPUT].split()
    if "speech" in kinds:
        notices.warn(
            13326, f'<Gather> input: read "{values[INPUT]}"; speech is not recognised, it counts as silence'
        )
    return Gather(
        prompts=_parse_prompts(element, notices),
        action=values[ACTION],
        method=values[METHOD_OF],
        dtmf="dtmf" in kinds,
        timeout_s=values[TIMEOUT],
        num_digits=values[NUM_DIGITS],
        finish_on_key=values[FINISH_ON_KEY],
        action_on_empty_result=values[ACTION_ON_EMPTY_RESULT],
    )


def _parse_prompts(element: etree._Element, notices: NoticeBook) -> tuple[Say | Play | Pause, ...]:
    prompts: list[Say | Play | Pause] = []
    for child in element:
        if child.tag == "Say":
            prompts.append(parse_say(child, notices))
        elif child.tag == "Pause":
            prompts.append(parse_pause(child, notices))
        elif child.tag == "Play":
            play = parse_play(child, notices)
            if play.digits:
                notices.warn(13322, "<Play digits> can't stand inside <Gather>; skipped")
            else:
                prompts.append(play)
        else:
            notices.warn(
                13320, f"<{child.tag}> can't stand inside <Gather>, only Say, Play and Pause; skipped"
            )
    return tuple(prompts)
