"""What the store gives and takes: plain frozen records. Every time is UTC and says so (`tzinfo`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from townhall.ids import new_sid


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Number:
    """A number whose calls run a webhook's TwiML. `number` is what is dialled: 1000, +15551234, alice."""

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


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """A line of the error log. `resource_sid`: the call or conference it is about."""

    resource_sid: str
    code: int
    level: str
    message: str
    url: str = ""
    sid: str = field(default_factory=lambda: new_sid("NO"))
    at: datetime = field(default_factory=_now)
