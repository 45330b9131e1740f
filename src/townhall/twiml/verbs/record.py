"""`<Record>`: a message from the caller, after a beep.

Twilio's page on the verb. It ends with a key of `finishOnKey`, `timeout` seconds of silence, `maxLength` or
the hang-up; then `action` (the current document where there is none) is requested, also after the hang-up,
though nobody hears its answer then. A caller who said nothing goes on with the next verb. `transcribe` is
recognised and reported: there is nobody who could transcribe.
"""

from dataclasses import dataclass, replace
from typing import Any

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    FetchFailed,
    Method,
    RecordingPlan,
    RecordOutcome,
    RecordPlan,
)
from townhall.twiml.kinds import ANYTHING, BOOLEAN, METHOD, URL, choice, integer, matching, optional, words
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns.recording import RECORDING_EVENTS, recording_callbacks, resolved
from townhall.twiml.scene import Scene

LONGEST_S = 14_400
TRANSCRIBED_LONGEST_S = 120
HANGUP = "hangup"

ACTION = Attribute("action", ANYTHING, "", 11100)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13610)
TIMEOUT = Attribute("timeout", integer(0), 5, 13611)
FINISH_ON_KEY = Attribute(
    "finishOnKey", matching(r"[0-9*#]{0,12}", "keys out of 0-9 * #, or nothing"), "1234567890*#", 13613
)
MAX_LENGTH = Attribute("maxLength", integer(1, LONGEST_S), 3600, 13612)
PLAY_BEEP = Attribute("playBeep", BOOLEAN, True, 13616)
TRIM = Attribute("trim", choice("trim-silence", "do-not-trim"), "trim-silence", 13699)
RECORDING_STATUS_CALLBACK = Attribute[str | None]("recordingStatusCallback", optional(URL), None, 13619)
RECORDING_STATUS_CALLBACK_METHOD = Attribute[Method]("recordingStatusCallbackMethod", METHOD, "POST", 13620)
RECORDING_STATUS_CALLBACK_EVENT = Attribute(
    "recordingStatusCallbackEvent", words(*RECORDING_EVENTS), frozenset({"completed"}), 13621
)
TRANSCRIBE = Attribute("transcribe", BOOLEAN, False, 13614)
TRANSCRIBE_CALLBACK = Attribute[str | None]("transcribeCallback", optional(URL), None, 13257)
RECORDING_CONFIGURATION_ID = Attribute("recordingConfigurationId", ANYTHING, "", 13699)
ATTRIBUTES: tuple[Attribute[Any], ...] = (
    ACTION, METHOD_OF, TIMEOUT, FINISH_ON_KEY, MAX_LENGTH, PLAY_BEEP, TRIM, RECORDING_STATUS_CALLBACK,
    RECORDING_STATUS_CALLBACK_METHOD, RECORDING_STATUS_CALLBACK_EVENT, TRANSCRIBE, TRANSCRIBE_CALLBACK,
    RECORDING_CONFIGURATION_ID,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Record:
    plan: RecordPlan
    """With the URLs as written."""
    action: str = ""
    """As written; empty: the current document."""
    method: Method = "POST"

    async def run(self, scene: Scene) -> DocumentRequest | None:
        await scene.control.answer()
        recording = replace(self.plan.recording, callback=resolved(scene, self.plan.recording.callback))
        outcome = await scene.control.record(replace(self.plan, recording=recording))
        if outcome is None:
            return None
        request = self._request(scene, outcome)
        if outcome.digits != HANGUP:
            return request
        await _tell(scene, request)
        raise CallEnded

    def _request(self, scene: Scene, outcome: RecordOutcome) -> DocumentRequest:
        parameters = (
            ("RecordingUrl", outcome.recording_url),
            ("RecordingSid", outcome.recording_sid),
            ("RecordingDuration", str(outcome.duration_s)),
            ("Digits", outcome.digits),
        )
        return DocumentRequest(scene.absolute(self.action), self.method, parameters)


async def _tell(scene: Scene, request: DocumentRequest) -> None:
    """The caller has hung up: request the action for what it notes, and ignore its answer."""
    try:
        await scene.control.fetch(request)
    except FetchFailed as failure:
        scene.report_failure(failure)
    except (CallEnded, CallRedirected):
        return


def parse_record(element: etree._Element, notices: NoticeBook) -> Record:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(TRANSCRIBE_CALLBACK)
    longest = MAX_LENGTH
    if values[TRANSCRIBE] or values[TRANSCRIBE_CALLBACK]:
        notices.warn(13614, "<Record> transcribe: this server transcribes nothing; the sound is recorded")
        longest = replace(MAX_LENGTH, default=TRANSCRIBED_LONGEST_S)
    for child in element:
        notices.warn(12200, f"<{child.tag}> can't stand inside <Record>; skipped")
    plan = RecordPlan(
        recording=RecordingPlan(
            source="RecordVerb",
            track="inbound",
            trim_silence=values[TRIM] == "trim-silence",
            callback=recording_callbacks(
                values[RECORDING_STATUS_CALLBACK],
                values[RECORDING_STATUS_CALLBACK_METHOD],
                values[RECORDING_STATUS_CALLBACK_EVENT],
            ),
        ),
        timeout_s=values[TIMEOUT],
        finish_on_key=values[FINISH_ON_KEY],
        max_length_s=values[longest],
        play_beep=values[PLAY_BEEP],
    )
    return Record(plan, values[ACTION], values[METHOD_OF])
