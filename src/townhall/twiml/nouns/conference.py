"""`<Conference>`: the room's name and this caller's part in it.

Twilio's page and the conference sheet's section 1. Relative URLs become absolute when the dial runs, because
inline TwiML has no base. A bad `coach` fails the dial (13240): a coach who joined as an ordinary participant
would be heard by all. A bad name fails it, too (13237). `region` and `recordingConfigurationId` are checked
or accepted, and ignored; `eventCallbackUrl` is deprecated and never called. `townhallRecordingChannels` is
ours: a recording with the first participant apart, or with a channel for every talker. So are
`townhallAutoGain`, `townhallHoldGuard` and `townhallNoiseSuppression`: whether this caller's voice is brought
to the level of the others, whether he is muted when his telephone plays hold music, and whether the noise
behind him is turned down.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from lxml import etree

from townhall.ids import is_sid
from townhall.twiml.attributes import Attribute, AttributeReader
from townhall.twiml.control import (
    ConferenceDial,
    FetchFailed,
    Method,
    Notice,
    RecordingChannels,
)
from townhall.twiml.kinds import ANYTHING, BOOLEAN, METHOD, URL, Kind, choice, integer, optional, words
from townhall.twiml.limits import CONFERENCE_NAME, CONFERENCE_PARTICIPANTS, PARTICIPANT_LABEL
from townhall.twiml.notices import NoticeBook, quoted
from townhall.twiml.nouns.recording import RECORDING_EVENTS, recording_callbacks, resolved
from townhall.twiml.scene import Scene

REGIONS = ("us1", "us2", "ie1", "de1", "sg1", "br1", "au1", "jp1")
EVENTS = ("start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement", "lock")


def _read_label(text: str) -> str:
    looks_like_a_sid = text.startswith("CA") and len(text) == 34
    if not 1 <= len(text) <= PARTICIPANT_LABEL or "/" in text or "%2f" in text.lower() or looks_like_a_sid:
        raise ValueError
    return text


def _read_coach(text: str) -> str:
    if not is_sid(text, "CA"):
        raise ValueError
    return text


def _read_channels(text: str) -> RecordingChannels:
    if text not in ("mono", "dual", "per-talker"):
        raise ValueError
    return cast(RecordingChannels, text)


CHANNELS = Kind(_read_channels, "one of mono, dual, per-talker")
LABEL = Kind(_read_label, f"1 to {PARTICIPANT_LABEL} characters, no /, not like a Call SID")
COACH_SID = Kind(_read_coach, "a Call SID: CA and 32 hexadecimal digits")

MUTED = Attribute("muted", BOOLEAN, False, 13230)
BEEP = Attribute("beep", choice("true", "false", "onEnter", "onExit"), "true", 13235)
START_ON_ENTER = Attribute("startConferenceOnEnter", BOOLEAN, True, 13232)
END_ON_EXIT = Attribute("endConferenceOnExit", BOOLEAN, False, 13231, "error")
PARTICIPANT_LABEL_OF = Attribute[str | None]("participantLabel", optional(LABEL), None, 16023)
JITTER_BUFFER_SIZE = Attribute("jitterBufferSize", choice("off", "small", "medium", "large"), "large", 13299)
WAIT_URL = Attribute[str | None]("waitUrl", optional(URL), None, 13233)
WAIT_METHOD = Attribute[Method]("waitMethod", METHOD, "POST", 13234)
COACH = Attribute[str | None]("coach", optional(COACH_SID), None, 13240, "error")
MAX_PARTICIPANTS = Attribute(
    "maxParticipants", integer(1, CONFERENCE_PARTICIPANTS), CONFERENCE_PARTICIPANTS, 13299
)
RECORD = Attribute("record", choice("do-not-record", "record-from-start"), "do-not-record", 13217)
TRIM = Attribute("trim", choice("trim-silence", "do-not-trim"), "trim-silence", 13239)
RECORDING_CHANNELS = Attribute[RecordingChannels]("townhallRecordingChannels", CHANNELS, "mono", 13217)
AUTO_GAIN = Attribute[bool | None]("townhallAutoGain", optional(BOOLEAN), None, 13299)
HOLD_GUARD = Attribute[bool | None]("townhallHoldGuard", optional(BOOLEAN), None, 13299)
NOISE_SUPPRESSION = Attribute[bool | None]("townhallNoiseSuppression", optional(BOOLEAN), None, 13299)
REGION = Attribute[str | None]("region", optional(choice(*REGIONS)), None, 13299)
STATUS_CALLBACK = Attribute[str | None]("statusCallback", optional(URL), None, 13299)
STATUS_CALLBACK_METHOD = Attribute[Method]("statusCallbackMethod", METHOD, "POST", 13299)
STATUS_CALLBACK_EVENT = Attribute("statusCallbackEvent", words(*EVENTS), frozenset[str](), 13299)
RECORDING_STATUS_CALLBACK = Attribute[str | None]("recordingStatusCallback", optional(URL), None, 13256)
RECORDING_STATUS_CALLBACK_METHOD = Attribute[Method]("recordingStatusCallbackMethod", METHOD, "POST", 13256)
RECORDING_STATUS_CALLBACK_EVENT = Attribute(
    "recordingStatusCallbackEvent", words(*RECORDING_EVENTS), frozenset({"completed"}), 13256
)
EVENT_CALLBACK_URL = Attribute[str | None]("eventCallbackUrl", optional(URL), None, 13299)
RECORDING_CONFIGURATION_ID = Attribute("recordingConfigurationId", ANYTHING, "", 13299)
ATTRIBUTES: tuple[Attribute[Any], ...] = (
    MUTED, BEEP, START_ON_ENTER, END_ON_EXIT, PARTICIPANT_LABEL_OF, JITTER_BUFFER_SIZE, WAIT_URL, WAIT_METHOD,
    COACH, MAX_PARTICIPANTS, RECORD, TRIM, RECORDING_CHANNELS, AUTO_GAIN, HOLD_GUARD,
    NOISE_SUPPRESSION, REGION, STATUS_CALLBACK, STATUS_CALLBACK_METHOD, STATUS_CALLBACK_EVENT,
    RECORDING_STATUS_CALLBACK, RECORDING_STATUS_CALLBACK_METHOD, RECORDING_STATUS_CALLBACK_EVENT,
    EVENT_CALLBACK_URL, RECORDING_CONFIGURATION_ID,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConferenceNoun:
    dial: ConferenceDial
    """With the URLs as written."""
    refused: Notice | None = None
    """Why nobody can join by this element, if so."""

    def resolve(self, scene: Scene) -> ConferenceDial | Notice:
        """What to join, with absolute URLs; a URL that can't become one is reported and left out."""
        if self.refused is not None:
            return self.refused
        wait_url = self.dial.wait_url
        return replace(
            self.dial,
            wait_url=wait_url and _absolute(scene, wait_url),
            status_callback=resolved(scene, self.dial.status_callback),
            recording_callback=resolved(scene, self.dial.recording_callback),
        )


def _absolute(scene: Scene, url: str) -> str | None:
    try:
        return scene.absolute(url)
    except FetchFailed as failure:
        scene.report_failure(failure)
        return None


def parse_conference(
    element: etree._Element, notices: NoticeBook, participants_limit: int = CONFERENCE_PARTICIPANTS
) -> ConferenceNoun:
    values = AttributeReader(element, ATTRIBUTES, notices)
    values.check(REGION, EVENT_CALLBACK_URL)
    most = replace(MAX_PARTICIPANTS, kind=integer(1, participants_limit), default=participants_limit)
    name = "".join(str(part) for part in element.itertext()).strip()
    for child in element:
        notices.warn(13215, f"<{child.tag}> can't stand inside <Conference>; skipped")
    dial = ConferenceDial(
        name=name,
        muted=values[MUTED],
        beep_on_enter=values[BEEP] in ("true", "onEnter"),
        beep_on_exit=values[BEEP] in ("true", "onExit"),
        start_conference_on_enter=values[START_ON_ENTER],
        end_conference_on_exit=values[END_ON_EXIT],
        participant_label=values[PARTICIPANT_LABEL_OF],
        jitter_buffer_size=cast(Literal["off", "small", "medium", "large"], values[JITTER_BUFFER_SIZE]),
        wait_url=values[WAIT_URL],
        wait_method=values[WAIT_METHOD],
        coach=values[COACH],
        max_participants=values[most],
        record=values[RECORD] == "record-from-start",
        trim_silence=values[TRIM] == "trim-silence",
        recording_channels=values[RECORDING_CHANNELS],
        auto_gain=values[AUTO_GAIN],
        hold_guard=values[HOLD_GUARD],
        noise_suppression=values[NOISE_SUPPRESSION],
        status_callback=recording_callbacks(
            values[STATUS_CALLBACK], values[STATUS_CALLBACK_METHOD], values[STATUS_CALLBACK_EVENT]
        ),
        recording_callback=recording_callbacks(
            values[RECORDING_STATUS_CALLBACK],
            values[RECORDING_STATUS_CALLBACK_METHOD],
            values[RECORDING_STATUS_CALLBACK_EVENT],
        ),
    )
    return ConferenceNoun(dial, _refusal(values, name))


def _refusal(values: AttributeReader, name: str) -> Notice | None:
    if not 1 <= len(name) <= CONFERENCE_NAME:
        return Notice(
            13237,
            "warning",
            f"<Conference> name: read {quoted(name)}, expected 1 to {CONFERENCE_NAME} characters",
        )
    if values.bad(COACH):
        return Notice(13240, "error", "<Conference> coach names no call; the caller is not let in")
    return None
