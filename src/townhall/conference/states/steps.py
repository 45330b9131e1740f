"""What several states do: let somebody in, change him, take him out, end the conference."""

from dataclasses import replace
from typing import TYPE_CHECKING

from townhall.conference.callbacks import (
    announcement_parameters,
    end_parameters,
    leave_parameters,
    mute_reason,
    participant_parameters,
)
from townhall.conference.commands import (
    Beep,
    Close,
    Command,
    Hint,
    Notify,
    Release,
    StopRecording,
    TrustSound,
)
from townhall.conference.events import (
    AnnouncementEnded,
    GuestLost,
    LockChanged,
    ParticipantChanged,
    ParticipantJoined,
    SoundChanged,
    SpeechChanged,
)
from townhall.conference.participant import Participant
from townhall.conference.reasons import REASON_LEFT, REASON_LEFT_WITH_THE_REST, ReasonEnded

if TYPE_CHECKING:
    from townhall.conference.conference import Conference


def let_in(conference: "Conference", event: ParticipantJoined, now: float) -> Participant:
    participant = Participant.joining(event, now)
    conference.put(participant)
    return participant


def beep_in(participant: Participant) -> list[Command]:
    return [Beep("enter", owner=participant.call_sid)] if participant.beep_on_enter else []


def notify_join(conference: "Conference", participant: Participant) -> Notify:
    return conference.notify("participant-join", participant_parameters(participant))


def callback_hint(conference: "Conference", event: ParticipantJoined) -> list[Command]:
    """Only the first participant's statusCallback counts; users trip over that, so one is told."""
    later = event.conference.status_callback if event.conference else None
    if conference.hinted or later is None or later == conference.settings.status_callback:
        return []
    conference.hinted = True
    message = (
        f"statusCallback {later} is not used: conference {conference.name!r} takes it from its first "
        f"participant, who gave {conference.settings.status_callback or 'none'}. "
        "Give every participant's <Conference> the same one."
    )
    return [Hint(event.call_sid, message)]


def change(conference: "Conference", event: ParticipantChanged) -> list[Command]:
    """Carry a REST update out; flags hold in every state, whatever the participant hears meanwhile."""
    before = conference.participants.get(event.call_sid)
    if before is None:
        return []
    after = before.changed(event)
    conference.put(after)
    sid = event.call_sid
    restart = conference.stop_music(sid) if event.wait_url_changed and not (before.hold or after.hold) else []
    touched = [sid, *(coach for coach in conference.coaches_of(sid) if coach != sid)]
    sound = restart + conference.settle(touched)
    trust: list[Command] = [TrustSound(sid)] if before.held_with and event.muted is False else []
    return trust + sound + _notify_change(conference, before, after, event) + hush(conference, touched)


def _notify_change(
    conference: "Conference", before: Participant, after: Participant, event: ParticipantChanged
) -> list[Command]:
    parameters = participant_parameters(after)
    told: list[str] = []
    if before.muted != after.muted:
        told.append("participant-mute" if after.muted else "participant-unmute")
    if before.hold != after.hold:
        told.append("participant-hold" if after.hold else "participant-unhold")
    if event.wait_url_changed or _modifiable(before) != _modifiable(after):
        told.append("participant-modify")
    return [conference.notify(name, parameters) for name in told]


def _modifiable(participant: Participant) -> tuple[object, ...]:
    return participant.beep_on_exit, participant.end_conference_on_exit, participant.coach


def hush(conference: "Conference", call_sids: list[str]) -> list[Command]:
    """Whoever of these was speaking and is no longer heard has ceased to speak for everybody."""
    fallen_silent = (
        conference.participants[sid]
        for sid in call_sids
        if conference.participants[sid].speaking and not conference.is_audible(sid)
    )
    return [conference.set_speaking(participant, False) for participant in fallen_silent]


def sound(conference: "Conference", event: SoundChanged) -> list[Command]:
    """Mute him whose telephone plays music, and unmute him when it has ended, unless somebody else did."""
    before = conference.participants.get(event.call_sid)
    if before is None or (before.muted if event.sound else before.held_with is None):
        return []
    after = replace(before, muted=event.sound is not None, held_with=event.sound)
    conference.put(after)
    mixed = conference.settle([event.call_sid])
    name = "participant-mute" if after.muted else "participant-unmute"
    told = conference.notify(name, participant_parameters(after) + mute_reason(event.sound))
    return [*mixed, told, *hush(conference, [event.call_sid])]


def speech(conference: "Conference", event: SpeechChanged) -> list[Command]:
    participant = conference.participants.get(event.call_sid)
    if participant is None or participant.speaking == event.speaking:
        return []
    if not conference.is_audible(event.call_sid):
        return []
    return [conference.set_speaking(participant, event.speaking)]


def announced(conference: "Conference", event: AnnouncementEnded) -> list[Command]:
    participant = conference.participants.get(event.call_sid or "")
    if event.call_sid is not None and participant is None:
        return []
    name = "announcement-end" if event.failure is None else "announcement-fail"
    return [conference.notify(name, announcement_parameters(event, participant))]


def guest_lost(conference: "Conference", event: GuestLost, now: float) -> list[Command]:
    """He was never in it, but who asked for him learns why he does not come."""
    guest = Participant.joining(ParticipantJoined(event.call_sid, event.settings), now)
    return [notify_leave(conference, guest, event.call_status, REASON_LEFT["add_failed"])]


def lock(conference: "Conference", event: LockChanged) -> list[Command]:
    if conference.locked == event.locked:
        return []
    conference.locked = event.locked
    return [conference.notify("conference-lock" if event.locked else "conference-unlock")]


def take_out(conference: "Conference", call_sid: str) -> list[Command]:
    """Stop his music, release him, and quieten those who coached him."""
    commands: list[Command] = [*conference.stop_music(call_sid), Release(call_sid)]
    conference.remove(call_sid)
    return commands + conference.settle(conference.coaches_of(call_sid))


def notify_leave(conference: "Conference", participant: Participant, call_status: str, reason: str) -> Notify:
    return conference.notify("participant-leave", leave_parameters(participant, call_status, reason))


def end(
    conference: "Conference", reason: ReasonEnded, ended_by: Participant | None, now: float
) -> list[Command]:
    """Let everybody who is left go, in the order of arrival, then close: all leaves come before the end."""
    commands: list[Command] = []
    for participant in list(conference.participants.values()):
        commands += [*conference.stop_music(participant.call_sid), Release(participant.call_sid)]
        conference.remove(participant.call_sid)
        why = REASON_LEFT_WITH_THE_REST[reason]
        commands.append(notify_leave(conference, participant, "in-progress", why))
    if conference.recording:
        conference.recording = False
        commands.append(StopRecording())
    conference.ended_at = now
    conference.reason_ended = reason
    commands.append(conference.notify("conference-end", end_parameters(reason, ended_by)))
    return [*commands, Close(reason, ended_by.call_sid if ended_by else None)]
