"""What a running document may do to its call: the seam between the verbs and the world.

The verbs are coroutines that read like blocking code against this protocol; `calls` implements it with real
media, signalling and webhooks, the tests with a script. Every coroutine may raise `CallEnded` (the caller
hung up) or `CallRedirected` (a REST update replaced the document): both end the running document wherever it
is. Cancelling a coroutine stops what it does to the caller's ear at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from townhall.errors import TownhallError

if TYPE_CHECKING:
    from townhall.twiml.dial_plan import DialPlan

Method = Literal["GET", "POST"]
Parameters = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    """A TwiML document to ask for. `parameters` come on top of the standard voice parameters (CallSid, From,
    …).
    """

    url: str
    method: Method = "POST"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A webhook's answer with a 2xx status. `url` is the final one, after redirects: the base of relative
    URLs.

    It does not hold the parameters that a GET request added, so that it can be asked for again.
    """

    url: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of the error log, as in Twilio's Notifications: number, what was read, what was expected."""

    code: int
    level: Literal["error", "warning"]
    message: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class ConferenceCallbacks:
    url: str
    method: Method
    events: frozenset[str]


RecordingChannels = Literal["mono", "dual", "per-talker"]
RecordingTrack = Literal["inbound", "outbound", "both"]
"""Of a call: what its caller says, what he hears, or both."""
RecordingSource = Literal[
    "DialVerb", "Conference", "OutboundAPI", "Trunking", "RecordVerb", "StartCallRecordingAPI",
    "StartConferenceRecordingAPI",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RecordingPlan:
    """How a call or a conference is recorded, and who is told of it."""

    source: RecordingSource
    channels: RecordingChannels = "mono"
    """`per-talker` is for conferences only, and ours."""
    track: RecordingTrack = "both"
    """Means nothing to conferences; `dual` needs both."""
    trim_silence: bool = False
    callback: ConferenceCallbacks | None = None


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """`<Record>` with its defaults applied."""

    recording: RecordingPlan
    timeout_s: int = 5
    """Seconds of silence that end it; 0: none do."""
    finish_on_key: str = "1234567890*#"
    max_length_s: int = 3600
    play_beep: bool = True


@dataclass(frozen=True, slots=True)
class RecordOutcome:
    recording_sid: str
    recording_url: str
    duration_s: int
    digits: str
    """The key that ended it, `hangup`, or empty."""


@dataclass(frozen=True, slots=True)
class CallCallbacks:
    """Who is told of a call's progress. `events` out of `initiated ringing answered completed`."""

    url: str
    method: Method = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True)
class ConferenceDial:
    """`<Dial><Conference>` with its defaults applied and every URL absolute. See the conference sheet's
    attributes.
    """

    name: str
    muted: bool = False
    beep_on_enter: bool = True
    beep_on_exit: bool = True
    start_conference_on_enter: bool = True
    end_conference_on_exit: bool = False
    participant_label: str | None = None
    invited: bool = False
    """The API called him for this conference; no document says so."""
    jitter_buffer_size: Literal["off", "small", "medium", "large"] = "large"
    wait_url: str | None = None
    """None: the default music. Empty: silence."""
    wait_method: Method = "POST"
    coach: str | None = None
    max_participants: int = 250
    record: bool = False
    trim_silence: bool = True
    recording_channels: RecordingChannels = "mono"
    auto_gain: bool | None = None
    hold_guard: bool | None = None
    noise_suppression: bool | None = None
    """Whether his voice is levelled, his hold music noticed, and the noise behind him turned down; None: as
    the server's settings say.
    """
    status_callback: ConferenceCallbacks | None = None
    recording_callback: ConferenceCallbacks | None = None
    hangup_on_star: bool = False
    time_limit_s: int = 14400


@dataclass(frozen=True, slots=True)
class ConferenceOutcome:
    """How the caller came out of the conference. `error`: why he was never admitted (13236, 13240, 16020,
    16025 …).
    """

    dial_call_status: Literal["answered", "failed"]
    error: Notice | None = None


QueueResult = Literal[
    "bridged", "bridging-in-process", "error", "hangup", "leave", "redirected", "redirected-from-bridged",
    "queue-full", "system-error",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class EnqueuePlan:
    """`<Enqueue>` with its defaults applied and every URL absolute."""

    name: str
    wait_url: str | None = None
    """None: the default music. Empty: silence."""
    wait_method: Method = "POST"


@dataclass(frozen=True, slots=True)
class EnqueueOutcome:
    """How the caller came out of the queue, or why he never got in."""

    result: QueueResult
    queue_sid: str | None = None
    """None for one who was never in it, and so the time."""
    queue_time_s: int | None = None
    error: Notice | None = None
    interruption: "CallEnded | CallRedirected | None" = None
    """What ended the document while he was in the queue or its bridge; the verb raises it when its `action`
    has been told."""


@dataclass(frozen=True, slots=True)
class QueueTarget:
    """`<Dial><Queue>`: `url` is the absolute URL of what the queued caller hears before the two talk."""

    name: str
    url: str | None = None
    method: Method = "POST"


DialCallStatus = Literal["completed", "answered", "busy", "no-answer", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class DialOutcome:
    """What became of a `<Dial>`, as its `action` is told."""

    dial_call_status: DialCallStatus
    dial_call_sid: str | None = None
    """Of the call that was talked to."""
    dial_call_duration_s: int | None = None
    bridged: bool = False
    error: Notice | None = None
    interruption: "CallEnded | CallRedirected | None" = None
    """What ended the document meanwhile; the verb raises it when its `action` has been told."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What the action is told on top: `DialSipCallId`, `RecordingUrl` …"""


class FetchFailed(TownhallError):
    """A document or audio file could not be had: Twilio's error number, the URL, and what happened."""

    def __init__(self, code: int, url: str, message: str) -> None:
        super().__init__(f"{code}: {message} ({url})")
        self.code = code
        self.url = url
        self.message = message


class CallEnded(Exception):
    """The call is over; no verb can do anything more for its caller."""


class CallRedirected(Exception):
    """The REST API gave the call another document; the running one ends without its action."""

    def __init__(self, request: DocumentRequest | None = None, inline: str | None = None) -> None:
        super().__init__(request.url if request else "inline TwiML")
        self.request = request
        self.inline = inline


@dataclass(frozen=True, slots=True)
class Utterance:
    """Words to be spoken. `ssml` is the inner XML of `<Say>` when it has child elements, else the plain
    text.
    """

    text: str
    voice: str = "man"
    language: str = "en-US"
    ssml: str | None = field(default=None)


class Speaker(Protocol):
    """What wait, hold and announcement documents may do: be heard, by one caller or a whole conference."""

    @property
    def answered(self) -> bool:
        """Whether the call has been answered (SIP 200); a conference always has."""

    async def answer(self) -> None:
        """Answer the call; returns at once if it is answered already."""

    async def fetch(self, request: DocumentRequest) -> Page:
        """Request a document, signed, with the call's cookies and the standard parameters; raises
        `FetchFailed`.

        Works after the call has ended, too: `<Dial>` still requests its `action` then.
        """

    async def say(self, utterance: Utterance) -> None:
        """Speak to the caller; returns when the words have ended. Raises `FetchFailed` when no voice can."""

    async def play(self, url: str, loops: int = 1) -> None:
        """Play an audio file `loops` times without a seam; returns when it has ended.

        Raises `FetchFailed` when it can't be had or decoded.
        """

    async def play_page(self, page: Page, loops: int = 1) -> None:
        """Play an audio answer that was already fetched; raises `FetchFailed` (12300) when it can't be
        decoded.
        """

    async def pause(self, seconds: float) -> None: ...

    def report(self, notice: Notice) -> None:
        """Write to the call's error log."""


class CallControl(Speaker, Protocol):
    """What any document may do to its call."""

    async def ring(self) -> None:
        """Let the caller hear ringing (SIP 180), if the call is not answered yet."""

    async def reject(self, reason: Literal["rejected", "busy"]) -> None:
        """Refuse an unanswered call (SIP 404 or 486); hang up an answered one. The call is over
        afterwards.
        """

    async def hang_up(self) -> None:
        """End the call (BYE, or an error response when it was never answered)."""

    async def play_digits(self, digits: str) -> None:
        """Send DTMF to the caller: `0-9 A-D * #`, `w` 0.5 s, `W` 1 s."""

    def discard_digits(self) -> None:
        """Forget keys pressed until now."""

    async def read_digit(self, timeout_s: float | None) -> str | None:
        """The next key pressed, or None after `timeout_s` seconds without one (None: wait for ever)."""

    def tell(self, request: DocumentRequest) -> None:
        """Make a request in the background; what it answers is not read, what goes wrong is reported."""

    async def enqueue(self, plan: EnqueuePlan) -> EnqueueOutcome:
        """Wait in the queue and talk to who takes the caller out of it; returns when that is over, too.

        Raises nothing when the call ends or is redirected meanwhile: the outcome says it.
        """

    async def dial_queue(
        self, target: QueueTarget, *, timeout_s: float, hangup_on_star: bool, time_limit_s: float
    ) -> DialOutcome:
        """Wait for the queue's head, for at most `timeout_s` seconds, and talk to him.

        Raises nothing when the call ends or is redirected meanwhile: the outcome says it.
        """

    def start_recording(self, plan: RecordingPlan) -> str | None:
        """Record the call's own leg beside what its document does; its URL, or None with a notice."""

    def stop_recording(self, url: str) -> None:
        """End what `start_recording` began; nothing when it has ended."""

    async def record(self, plan: RecordPlan) -> RecordOutcome | None:
        """Record what the caller says, after a beep, until a key, silence, the greatest length or his
        hang-up (which ends it with `hangup`, not with `CallEnded`). None: he said nothing.
        """

    async def dial(self, plan: "DialPlan") -> DialOutcome:
        """Ring others for the caller and have him talk to the first who answers; answers the call when that
        one is there.

        Raises nothing when the call ends or is redirected meanwhile: the outcome says it.
        """

    async def join_conference(self, dial: ConferenceDial) -> ConferenceOutcome:
        """Be in the conference until it ends, the caller leaves by `*`, his time is up or he is taken out."""
