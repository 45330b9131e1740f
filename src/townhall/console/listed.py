"""What the REST API lists, as the console needs it: rows of the official package made into data. No I/O."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from townhall.console.facts import Flags, Recorded


@dataclass(frozen=True, slots=True)
class ListedConference:
    sid: str
    name: str
    started: bool
    created_at_ms: int | None
    ended_by: str | None = None
    call_sid_ending: str = ""
    ended_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class ListedParticipant:
    call_sid: str
    flags: Flags
    connected: bool
    joined_at_ms: int | None


@dataclass(frozen=True, slots=True)
class ListedCall:
    call_sid: str
    from_: str
    to: str
    outbound: bool
    caller_name: str


def conference_of(row: Any) -> ListedConference:
    return ListedConference(
        sid=row.sid,
        name=row.friendly_name or "",
        started=_word(row.status) != "init",
        created_at_ms=_ms(row.date_created),
        ended_by=_word(row.reason_conference_ended) if _word(row.status) == "completed" else None,
        call_sid_ending=row.call_sid_ending_conference or "",
        ended_at_ms=_ms(row.date_updated) if _word(row.status) == "completed" else None,
    )


def participant_of(row: Any) -> ListedParticipant:
    return ListedParticipant(
        call_sid=row.call_sid,
        flags=flags_of(row),
        connected=_word(row.status) not in ("queued", "connecting", "ringing", "complete", "failed"),
        joined_at_ms=_ms(row.date_created),
    )


def flags_of(row: Any) -> Flags:
    return Flags(
        muted=bool(row.muted),
        hold=bool(row.hold),
        coaching=bool(row.coaching),
        coach=row.call_sid_to_coach or "",
        starts=bool(row.start_conference_on_enter),
        ends=bool(row.end_conference_on_exit),
        label=row.label or "",
    )


def recording_of(row: Any) -> Recorded:
    since = _ms(row.start_time) or _ms(row.date_created) or 0
    duration = str(row.duration or "")
    return Recorded(
        at_ms=since,
        sid=row.sid,
        status=_word(row.status) or "in-progress",
        since_ms=since,
        duration_ms=int(duration) * 1000 if duration.isdecimal() else None,
        channels=int(row.channels or 1),
    )


def _word(value: Any) -> str:
    """The package gives words, or enumerations of them."""
    return str(getattr(value, "value", value) or "")


def _ms(at: Any) -> int | None:
    return int(at.timestamp() * 1000) if isinstance(at, datetime) else None
