"""In progress: everybody is mixed, until it ends, even when one is left or the starter has gone."""

from typing import TYPE_CHECKING

from townhall.conference.commands import Beep, Command
from townhall.conference.events import (
    AnnouncementEnded,
    GuestLost,
    LockChanged,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    SoundChanged,
    SpeechChanged,
)
from townhall.conference.reasons import REASON_LEFT, reason_ended
from townhall.conference.states import completed, steps
from townhall.conference.states.base import Rule, State

if TYPE_CHECKING:
    from townhall.conference.conference import Conference


class InProgress(State):
    name = "in-progress"
    status = "in-progress"
    started = True
    rules = (
        Rule(
            "ParticipantJoined",
            "",
            "in-progress",
            "mixed at once, whatever his flags; entry beep for the others",
        ),
        Rule(
            "ParticipantLeft",
            "others remain",
            "in-progress",
            "exit beep; music does not come back for the last one",
        ),
        Rule("ParticipantLeft", "he was the last", "completed", "`last-participant-left` or `-kicked`"),
        Rule(
            "ParticipantLeft",
            "he has endConferenceOnExit",
            "completed",
            "no beep; the others are released: `moderator_ended_conference` "
            "(not if a dial-out never reached him)",
        ),
        Rule("GuestLost", "", "in-progress", "`participant-leave` with `participant_add_failed`"),
        Rule("ParticipantChanged", "", "in-progress", "what changed in who hears whom is mixed anew"),
        Rule(
            "SoundChanged",
            "",
            "in-progress",
            "whose telephone plays music is muted with `MuteReason`, and unmuted when he speaks",
        ),
        Rule("SpeechChanged", "", "in-progress", "told of those who are heard"),
        Rule("AnnouncementEnded", "", "in-progress", "`announcement-end` or `-fail`"),
        Rule("LockChanged", "", "in-progress", "`conference-lock` or `-unlock`; whoever is in it stays"),
        Rule("EndRequested", "", "completed", "all are released: `conference_ended_via_api`"),
    )

    def joined(self, conference: "Conference", event: ParticipantJoined, now: float) -> list[Command]:
        hint = steps.callback_hint(conference, event)
        newcomer = steps.let_in(conference, event, now)
        # A coach whose target comes back with the same call is heard by him again.
        touched = [newcomer.call_sid, *conference.coaches_of(newcomer.call_sid)]
        sound = conference.settle(touched) + steps.beep_in(newcomer)
        return [*sound, steps.notify_join(conference, newcomer), *hint]

    def left(self, conference: "Conference", event: ParticipantLeft, now: float) -> list[Command]:
        leaver = conference.participants.get(event.call_sid)
        if leaver is None:
            return []
        coaches = [sid for sid in conference.coaches_of(event.call_sid) if sid != event.call_sid]
        commands = steps.take_out(conference, event.call_sid)
        leave = steps.notify_leave(conference, leaver, event.call_status, REASON_LEFT[event.by])
        reason = reason_ended(leaver, event.by, len(conference.participants))
        if reason is not None:
            conference.become(completed.COMPLETED, now)
            return [*commands, leave, *steps.end(conference, reason, leaver, now)]
        if leaver.beep_on_exit and event.by != "add_failed":
            commands.append(Beep("exit"))
        return [*commands, leave, *steps.hush(conference, coaches)]

    def guest_lost(self, conference: "Conference", event: GuestLost, now: float) -> list[Command]:
        return steps.guest_lost(conference, event, now)

    def changed(self, conference: "Conference", event: ParticipantChanged) -> list[Command]:
        return steps.change(conference, event)

    def sound_changed(self, conference: "Conference", event: SoundChanged) -> list[Command]:
        return steps.sound(conference, event)

    def speech_changed(self, conference: "Conference", event: SpeechChanged) -> list[Command]:
        return steps.speech(conference, event)

    def announcement_ended(self, conference: "Conference", event: AnnouncementEnded) -> list[Command]:
        return steps.announced(conference, event)

    def lock_changed(self, conference: "Conference", event: LockChanged) -> list[Command]:
        return steps.lock(conference, event)

    def end_requested(self, conference: "Conference", now: float) -> list[Command]:
        conference.become(completed.COMPLETED, now)
        return steps.end(conference, "conference-ended-via-api", None, now)

    def starts_with(self, conference: "Conference", settings: ParticipantSettings) -> bool:
        return True


IN_PROGRESS = InProgress()
