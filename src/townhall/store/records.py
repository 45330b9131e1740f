"""What the store gives and takes: plain frozen records. Every time is UTC and says so (`tzinfo`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from townhall.ids import new_sid


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Number:
    """A number whose calls run a webhook's TwiML. `number` is what is dialled: 1000, +15551234, alice.

    `voice_application_sid`: the application whose URLs count instead of the number's own.
    """

    number: str
    voice_url: str
    friendly_name: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str | None = None
    voice_fallback_method: str = "POST"
    status_callback: str | None = None
    status_callback_method: str = "POST"
    sid: str = field(default_factory=lambda: new_sid("PN"))
    created_at: datetime = field(default_factory=_now)
    voice_application_sid: str | None = None
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class Line:
    """A number that reaches our own conference application, and the conference behind it."""

    number: str
    conference_name: str
    welcome: str | None = None
    """Spoken first; None: the application's own welcome."""
    speaker_pin: str | None = field(default=None, repr=False)
    moderator_pin: str | None = field(default=None, repr=False)
    voice: str | None = None
    language: str = "en-US"
    music: str | None = None
    """Wait URL; None: the default music, empty: silence."""
    max_participants: int | None = None
    created_at: datetime = field(default_factory=_now)
    when_full: str = "busy"
    """What callers get when the server is full: `busy`, or `spoken`, which tells some of them in words."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    sid: str
    account_sid: str
    from_: str
    to: str
    direction: str
    status: str
    started_at: datetime
    sip_call_id: str = ""
    parent_call_sid: str | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    duration_s: int | None = None
    """Whole seconds since the answer; None: not ended, or not known because the server stopped."""
    cause: str | None = None
    """Why the call ended, in words."""
    media: Mapping[str, object] | None = None
    """Codec and packet figures, as far as they are known."""
    updated_at: datetime = field(default_factory=_now)
    queue_time_ms: int = 0
    """How long an outbound call waited for its turn."""
    phone_number_sid: str | None = None
    """The number that took an inbound call."""
    forwarded_from: str | None = None
    caller_name: str | None = None
    trunk_sid: str | None = None
    sip_response_code: int | None = None
    """The SIP status that ended the call."""


@dataclass(frozen=True, slots=True)
class ConferenceRecord:
    sid: str
    friendly_name: str
    created_at: datetime
    status: str = "init"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason_ended: str | None = None
    call_sid_ending: str | None = None
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class ParticipantRecord:
    """One stay of one call in a conference; who comes back has another. The flags are those he came with."""

    conference_sid: str
    call_sid: str
    joined_at: datetime
    label: str | None = None
    muted: bool = False
    start_conference_on_enter: bool = True
    end_conference_on_exit: bool = False
    coaching: bool = False
    left_at: datetime | None = None
    reason_left: str | None = None
    updated_at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A line of the error log. `resource_sid`: the call or conference it is about; `url`: what was requested.

    The request's fields tell what was asked and answered when it went wrong, cut to what is worth keeping.
    """

    resource_sid: str
    code: int
    level: str
    message: str
    url: str = ""
    sid: str = field(default_factory=lambda: new_sid("NO"))
    at: datetime = field(default_factory=_now)
    request_method: str | None = None
    request_variables: str | None = None
    """Form-encoded."""
    response_headers: str | None = None
    response_body: str | None = None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One webhook request made for a call, and what came back. `parameters` are in the order of sending."""

    call_sid: str
    method: str
    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    status: int | None = None
    """The HTTP status; None: there was no answer."""
    content_type: str = ""
    body: str = ""
    error: str | None = None
    duration_ms: int = 0
    at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class OutboxRecord:
    """A callback that is not delivered yet. `number` is the order of sending."""

    number: int
    resource_sid: str
    url: str
    method: str
    parameters: tuple[tuple[str, str], ...]
    consented: bool = False
    """Whether the URL's origin may have any address (the operator configured it)."""
    attempts: int = 0
    at: datetime = field(default_factory=_now)


@dataclass(frozen=True, slots=True)
class RecordingRecord:
    """A recording of a call or of a conference; `path` is where its sound is, inside the recordings' folder.

    `status` is one of `RECORDING_STATUSES`, `source` a Twilio RecordingSource such as `DialVerb`.
    """

    account_sid: str
    source: str
    call_sid: str | None = None
    conference_sid: str | None = None
    status: str = "in-progress"
    channels: int = 1
    track: str = "both"
    start_time: datetime | None = field(default_factory=_now)
    duration_s: int | None = None
    path: str = ""
    error_code: int | None = None
    sid: str = field(default_factory=lambda: new_sid("RE"))
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)
