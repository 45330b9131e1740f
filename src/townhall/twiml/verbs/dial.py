"""`<Dial>`: connects the caller with others: a conference, a queue's head, or whoever of those that are rung
answers first.

After a conference the `action` gets `DialCallStatus` and `DialBridged`, no `DialCallSid` and no
`DialCallDuration`; after a talk all four. It is requested, too, when the caller has hung up, though nobody
hears its answer; not when the REST API redirected the call.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any, cast

from lxml import etree

from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    ConferenceDial,
    DialOutcome,
    DocumentRequest,
    FetchFailed,
    Method,
    Notice,
    RecordingPlan,
    RecordingTrack,
)  # fmt: skip
from townhall.twiml.dial_plan import DialPlan
from townhall.twiml.kinds import (
    ANYTHING,
    BOOLEAN,
    METHOD,
    URL,
    choice,
    integer,
    matching,
    optional,
    text,
    words,
)
from townhall.twiml.limits import DIAL_TIME_LIMIT_S
from townhall.twiml.notices import NoticeBook
from townhall.twiml.nouns.callees import PARSERS, Callees, parse_callees, plain_number
from townhall.twiml.nouns.conference import ConferenceNoun, parse_conference
from townhall.twiml.nouns.others import Unsupported, parse_unsupported
from townhall.twiml.nouns.queue import QueueNoun, parse_queue
from townhall.twiml.nouns.recording import RECORDING_EVENTS, recording_callbacks, resolved
from townhall.twiml.scene import Scene

RING_TONES = (
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu",
    "il", "in", "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se", "sg", "th",
    "uk", "us", "us-old", "tw", "ve", "za",
)  # fmt: skip
RECORD_VALUES = (
    "do-not-record", "record-from-answer", "record-from-ringing", "record-from-answer-dual",
    "record-from-ringing-dual", "true", "false",
)  # fmt: skip

ACTION = Attribute[str | None]("action", optional(ANYTHING), None, 11100)
METHOD_OF = Attribute[Method]("method", METHOD, "POST", 13210)
TIMEOUT = Attribute("timeout", integer(5, 600), 30, 13212)
HANGUP_ON_STAR = Attribute("hangupOnStar", BOOLEAN, False, 13213)
TIME_LIMIT = Attribute("timeLimit", integer(1, DIAL_TIME_LIMIT_S), 14400, 13216)
CALLER_ID = Attribute[str | None](
    "callerId",
    optional(matching(r"[^\s<>\"]{1,256}", "a number, client or SIP user without spaces")),
    None,
    13214,
)
ANSWER_ON_BRIDGE = Attribute("answerOnBridge", BOOLEAN, False, 13219)
RING_TONE = Attribute[str | None]("ringTone", optional(choice(*RING_TONES)), None, 13220)
RECORD = Attribute("record", choice(*RECORD_VALUES), "do-not-record", 13217)
TRIM = Attribute("trim", choice("trim-silence", "do-not-trim"), "do-not-trim", 13299)
RECORDING_STATUS_CALLBACK = Attribute[str | None]("recordingStatusCallback", optional(URL), None, 13256)
RECORDING_STATUS_CALLBACK_METHOD = Attribute[Method]("recordingStatusCallbackMethod", METHOD, "POST", 13256)
RECORDING_STATUS_CALLBACK_EVENT = Attribute(
    "recordingStatusCallbackEvent", words(*RECORDING_EVENTS), frozenset({"completed"}), 13256
)
RECORDING_TRACK = Attribute("recordingTrack", choice("inbound", "outbound", "both"), "both", 13299)
REFER_URL = Attribute[str | None]("referUrl", optional(URL), None, 13299)
REFER_METHOD = Attribute[Method]("referMethod", METHOD, "POST", 13299)
SEQUENTIAL = Attribute("sequential", BOOLEAN, False, 13218)
CALL_REASON = Attribute("callReason", text(50), "", 13299)
IGNORED = tuple(
    Attribute(name, ANYTHING, "", 13299) for name in ("recordingConfigurationId", "events", "passports")
)
_CHECKED: tuple[Attribute[Any], ...] = (
    CALLER_ID, RING_TONE, REFER_URL, REFER_METHOD, SEQUENTIAL, CALL_REASON,
)  # fmt: skip
_RECORDING: tuple[Attribute[Any], ...] = (
    RECORD, TRIM, RECORDING_STATUS_CALLBACK, RECORDING_STATUS_CALLBACK_METHOD,
    RECORDING_STATUS_CALLBACK_EVENT, RECORDING_TRACK,
)  # fmt: skip
ATTRIBUTES: tuple[Attribute[Any], ...] = (
    ACTION, METHOD_OF, TIMEOUT, HANGUP_ON_STAR, TIME_LIMIT, ANSWER_ON_BRIDGE, *_RECORDING, *_CHECKED,
    *IGNORED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dial:
    target: ConferenceNoun | QueueNoun | Callees | Unsupported
    action: str | None = None
    """As written; None: the next verb runs."""
    method: Method = "POST"
    timeout_s: int = 30
    hangup_on_star: bool = False
    time_limit_s: int = 14400
    answer_on_bridge: bool = False
    caller_id: str | None = None
    ring_tone: str | None = None
    sequential: bool = False
    recording: RecordingPlan | None = None
    """Of the caller's own leg; with the callback's URL as written."""
    record_from_ringing: bool = False

    async def run(self, scene: Scene) -> DocumentRequest | None:
        if self.answer_on_bridge and not scene.control.answered:
            await scene.control.ring()
        else:
            await scene.control.answer()
        outcome = await self._connect(scene)
        if outcome.error is not None:
            scene.control.report(outcome.error)
        if outcome.interruption is not None:
            if isinstance(outcome.interruption, CallEnded):
                await self._tell_action(scene, outcome)
            try:
                raise outcome.interruption
            finally:
                del outcome  # the exception knows this frame, which is not to know it
        return None if self.action is None else self._request(scene, self.action, outcome)

    async def _connect(self, scene: Scene) -> DialOutcome:
        if isinstance(self.target, Unsupported):
            error = Notice(13299, "error", self.target.reason, scene.url or "")
            return DialOutcome("failed", error=error)
        if isinstance(self.target, QueueNoun):
            return await self._take(scene, self.target)
        if isinstance(self.target, Callees):
            return await self._ring(scene, self.target)
        return await self._join(scene, self.target)

    async def _take(self, scene: Scene, noun: QueueNoun) -> DialOutcome:
        target = noun.resolve(scene)
        if isinstance(target, Notice):
            return DialOutcome("failed", error=target)
        await scene.control.answer()
        taking = scene.control.dial_queue(
            target,
            timeout_s=self.timeout_s,
            hangup_on_star=self.hangup_on_star,
            time_limit_s=self.time_limit_s,
        )
        return await self._recorded(scene, taking)

    async def _ring(self, scene: Scene, callees: Callees) -> DialOutcome:
        targets = callees.resolve(scene)
        if not targets:
            return DialOutcome("failed")
        from_ringing = self.record_from_ringing and scene.control.answered
        ringing = scene.control.dial(
            DialPlan(
                targets=targets,
                timeout_s=self.timeout_s,
                caller_id=self.caller_id,
                answer_on_bridge=self.answer_on_bridge,
                ring_tone=self.ring_tone,
                hangup_on_star=self.hangup_on_star,
                time_limit_s=self.time_limit_s,
                sequential=self.sequential,
                record=None if from_ringing else self._recording_plan(scene),
            )
        )
        return await (self._recorded(scene, ringing) if from_ringing else ringing)

    async def _join(self, scene: Scene, noun: ConferenceNoun) -> DialOutcome:
        dial = noun.resolve(scene)
        if not isinstance(dial, ConferenceDial):
            return DialOutcome("failed", error=dial)
        dial = replace(dial, hangup_on_star=self.hangup_on_star, time_limit_s=self.time_limit_s)
        await scene.control.answer()
        return await self._recorded(scene, _attend(scene, dial))

    def _recording_plan(self, scene: Scene) -> RecordingPlan | None:
        if self.recording is None:
            return None
        return replace(self.recording, callback=resolved(scene, self.recording.callback))

    async def _recorded(self, scene: Scene, work: Coroutine[Any, Any, DialOutcome]) -> DialOutcome:
        """Record the caller's leg from now on until the dial is over, if `record` says so."""
        plan = self._recording_plan(scene)
        url = None if plan is None else scene.control.start_recording(plan)
        try:
            outcome = await work
        finally:
            if url is not None:
                scene.control.stop_recording(url)
        if url is None:
            return outcome
        return replace(outcome, parameters=(*outcome.parameters, ("RecordingUrl", url)))

    async def _tell_action(self, scene: Scene, outcome: DialOutcome) -> None:
        """The caller has hung up: request the action for what it notes, and ignore its answer."""
        if self.action is None:
            return
        try:
            await scene.control.fetch(self._request(scene, self.action, outcome))
        except FetchFailed as failure:
            scene.report_failure(failure)
        except (CallEnded, CallRedirected):
            return

    def _request(self, scene: Scene, action: str, outcome: DialOutcome) -> DocumentRequest:
        bridged = "true" if outcome.bridged else "false"
        parameters: list[tuple[str, str]] = [
            ("DialCallStatus", outcome.dial_call_status),
            ("DialBridged", bridged),
        ]
        if outcome.dial_call_sid is not None:
            parameters.append(("DialCallSid", outcome.dial_call_sid))
            parameters.append(("DialCallDuration", str(outcome.dial_call_duration_s or 0)))
        parameters += outcome.parameters
        return DocumentRequest(scene.absolute(action), self.method, tuple(parameters))


async def _attend(scene: Scene, dial: ConferenceDial) -> DialOutcome:
    try:
        outcome = await scene.control.join_conference(dial)
    except CallEnded as ended:
        return DialOutcome("answered", bridged=True, interruption=ended)
    joined = outcome.dial_call_status == "answered"
    return DialOutcome(outcome.dial_call_status, bridged=joined, error=outcome.error)


def parse_dial(element: etree._Element, notices: NoticeBook, participants_limit: int) -> Dial:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(*_CHECKED)
    return Dial(
        target=_parse_target(element, notices, participants_limit),
        action=values[ACTION],
        method=values[METHOD_OF],
        timeout_s=values[TIMEOUT],
        hangup_on_star=values[HANGUP_ON_STAR],
        time_limit_s=values[TIME_LIMIT],
        answer_on_bridge=values[ANSWER_ON_BRIDGE],
        caller_id=values[CALLER_ID],
        ring_tone=values[RING_TONE],
        sequential=values[SEQUENTIAL],
        recording=_parse_recording(values),
        record_from_ringing=values[RECORD].startswith("record-from-ringing"),
    )


def _parse_recording(values: AttributeReader) -> RecordingPlan | None:
    values.check(*_RECORDING)
    record = values[RECORD]
    if record in ("do-not-record", "false"):
        return None
    return RecordingPlan(
        source="DialVerb",
        channels="dual" if record.endswith("-dual") else "mono",
        track=cast(RecordingTrack, values[RECORDING_TRACK]),
        trim_silence=values[TRIM] == "trim-silence",
        callback=recording_callbacks(
            values[RECORDING_STATUS_CALLBACK],
            values[RECORDING_STATUS_CALLBACK_METHOD],
            values[RECORDING_STATUS_CALLBACK_EVENT],
        ),
    )


def _parse_target(
    element: etree._Element, notices: NoticeBook, participants_limit: int
) -> ConferenceNoun | QueueNoun | Callees | Unsupported:
    conferences = [child for child in element if child.tag == "Conference"]
    queues = [child for child in element if child.tag == "Queue"]
    called = [child for child in element if child.tag in PARSERS]
    others = [child for child in element if child.tag not in ("Conference", "Queue", *PARSERS)]
    nouns = [noun for noun in (parse_unsupported(child, notices) for child in others) if noun is not None]
    if conferences:
        if nouns or called or queues or len(conferences) > 1:
            notices.warn(
                13000, "<Conference> must be the only noun of <Dial>; the first one is dialled, no other"
            )
        return parse_conference(conferences[0], notices, participants_limit)
    if queues:
        if nouns or called or len(queues) > 1:
            notices.warn(13215, "<Queue> must be the only noun of <Dial>; the first one is dialled, no other")
        return parse_queue(queues[0], notices)
    if called:
        return parse_callees(called, notices)
    if nouns:
        return nouns[0]
    number = (element.text or "").strip()
    if number:
        return plain_number(number)
    return Unsupported("<Dial> has neither a number nor a noun to dial")
