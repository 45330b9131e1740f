"""Signed status callbacks of conferences and recordings, made into facts.

Twilio's page "Conference status callbacks" has the parameters. Callbacks tell whole seconds; the moment of
arrival is taken instead when it is near, so lanes are as fine as the callbacks are quick.
"""

import hashlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from townhall.app.signed import SignatureCheck
from townhall.console.desk import Desk, clean
from townhall.console.facts import (
    Changed,
    Ended,
    Fact,
    Flags,
    Joined,
    Left,
    Locked,
    Noted,
    Recorded,
    Spoke,
    Started,
)
from townhall.console.phrases import phrase_of_hold
from townhall.console.refusals import Refusal

log = logging.getLogger(__name__)

PATH = "/console/callbacks"
EVENTS = "start end join leave mute hold modify speaker announcement"
NEAR_MS = 3_000
_SID_LENGTH = 34
_LONGEST_WORD = 128
_OVER = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
"""Statuses of calls that are no more."""

Refresh = Callable[[], Awaitable[None]]


def secret_path(auth_token: str) -> str:
    """The callbacks' path, which nobody guesses; the signature is checked besides."""
    key = f"townhall console: callbacks\0{auth_token}"
    return f"{PATH}/{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def callback_routes(
    desk: Desk, auth_token: str, base_url: str, account_sid: str, refresh_lines: Refresh
) -> list[Route]:
    check = SignatureCheck(auth_token, base_url)
    path = secret_path(auth_token)

    async def take(request: Request) -> Response:
        if not hmac.compare_digest(request.path_params["secret"].encode(), path.rpartition("/")[2].encode()):
            raise Refusal("not-found", "There is nothing here.")
        told = await check.parameters(request)
        sid = told.get("ConferenceSid", "")
        if told.get("AccountSid") != account_sid:
            log.warning("a callback of another account was left aside")
            return Response(status_code=204)
        if "RecordingSid" in told:
            _take_recording(desk, told)
        elif _is_sid(sid, "CF"):
            if sid not in desk.hall.rooms:
                await refresh_lines()
            _take_conference(desk, sid, told)
        return Response(status_code=204)

    return [Route(PATH + "/{secret}", take, methods=["POST"])]


def _take_conference(desk: Desk, sid: str, told: Mapping[str, str]) -> None:
    at_ms = happened_ms(told.get("Timestamp", ""), desk.now_ms())
    room = desk.hall.rooms.get(sid) or desk.open(
        sid, clean(told.get("FriendlyName", ""), _LONGEST_WORD), at_ms
    )
    if room is None:
        return
    room.has_callbacks = True
    fact = fact_of(told, at_ms)
    if fact is not None:
        desk.learn(sid, fact)
    if isinstance(fact, Left) and told.get("ParticipantCallStatus") in _OVER and fact.call_sid in room.people:
        desk.hall.forget(fact.call_sid)
    person = room.people.get(told.get("CallSid", ""))
    if person is not None and (text := phrase_of_hold(person.shown, told.get("MuteReason", ""))):
        desk.learn(sid, Noted(at_ms, "fault", text, call_sids=(person.call_sid,)))


def _take_recording(desk: Desk, told: Mapping[str, str]) -> None:
    """A recording of a conference, or of one leg that stands for its conference."""
    now_ms, sid, conference = desk.now_ms(), told["RecordingSid"], told.get("ConferenceSid", "")
    room = desk.hall.rooms.get(conference) or next(
        (room for room in desk.hall.rooms.values() if sid in room.recordings), None
    )
    if room is None or not _is_sid(sid, "RE"):
        return
    duration, channels = told.get("RecordingDuration", ""), told.get("RecordingChannels", "1")
    since_ms = happened_ms(told.get("RecordingStartTime", ""), now_ms)
    fact = Recorded(
        now_ms,
        sid,
        clean(told.get("RecordingStatus", ""), 20),
        since_ms,
        int(duration) * 1000 if _is_number(duration) else None,
        int(channels) if _is_number(channels) else 1,
    )
    desk.learn(room.sid, fact)


def fact_of(told: Mapping[str, str], at_ms: int) -> Fact | None:
    """The fact that a conference's callback tells; None for one that tells nothing."""
    event, call_sid = told.get("StatusCallbackEvent", ""), told.get("CallSid", "")
    seq = told.get("SequenceNumber", "")
    number = int(seq) if _is_number(seq) else 0
    if event.startswith("participant-"):
        return _of_participant(event, call_sid, told, at_ms, number) if _is_sid(call_sid, "CA") else None
    match event:
        case "conference-start":
            return Started(at_ms)
        case "conference-end":
            reason = clean(told.get("ReasonConferenceEnded", ""), _LONGEST_WORD)
            return Ended(at_ms, reason, told.get("CallSidEndingConference", "")[:_SID_LENGTH])
        case "conference-lock" | "conference-unlock":
            return Locked(at_ms, event == "conference-lock")
        case "announcement-end":
            return Noted(at_ms, "announcement", "The announcement is over")
        case "announcement-fail":
            why = clean(told.get("ReasonAnnouncementFailed", ""), 200)
            return Noted(at_ms, "fault", f"The announcement failed{': ' if why else ''}{why}")
    return None


def _of_participant(event: str, call_sid: str, told: Mapping[str, str], at_ms: int, seq: int) -> Fact | None:
    flags = Flags(
        muted=_flag(told, "Muted"),
        hold=_flag(told, "Hold"),
        coaching=_flag(told, "Coaching"),
        coach=told["CallSidToCoach"] if _is_sid(told.get("CallSidToCoach", ""), "CA") else None,
        starts=_flag(told, "StartConferenceOnEnter"),
        ends=_flag(told, "EndConferenceOnExit"),
        label=clean(told.get("ParticipantLabel", ""), _LONGEST_WORD),
    )
    match event:
        case "participant-join":
            return Joined(at_ms, call_sid, flags, seq)
        case "participant-leave":
            reason = clean(told.get("ReasonParticipantLeft", ""), _LONGEST_WORD)
            return Left(at_ms, call_sid, reason, seq)
        case "participant-speech-start" | "participant-speech-stop":
            return Spoke(at_ms, call_sid, event == "participant-speech-start", seq)
        case _:
            return Changed(at_ms, call_sid, flags, seq)


def happened_ms(stamp: str, now_ms: int) -> int:
    """When it was: now, or what the callback says when it comes late."""
    try:
        told_ms = int(parsedate_to_datetime(stamp).timestamp() * 1000)
    except (ValueError, TypeError, OverflowError):
        return now_ms
    return told_ms if NEAR_MS < now_ms - told_ms < 86_400_000 * 7 else now_ms


def _flag(told: Mapping[str, str], name: str) -> bool | None:
    return {"true": True, "false": False}.get(told.get(name, ""))


def _is_sid(word: str, prefix: str) -> bool:
    return len(word) == _SID_LENGTH and word.startswith(prefix) and word.isascii() and word.isalnum()


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10
