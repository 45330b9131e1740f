"""Waiting: people are there, each with his music, and the conference has not started.

It starts when at least two are present and at least one of those present entered with startConferenceOnEnter.
Whoever arrived first, and whether the starter is muted or on hold, makes no difference.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from townhall.conference.commands import Command, StartRecording
from townhall.conference.events import (
    AnnouncementEnded,
    ConferenceSettings,
    GuestLost,
    LockChanged,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    SoundChanged,
    SpeechChanged,
)
from townhall.conference.participant import Participant
from townhall.conference.reasons import REASON_LEFT, reason_ended
from townhall.conference.states import completed, in_progress, steps
from townhall.conference.states.base import Rule, State

if TYPE_CHECKING:
    from townhall.conference.conference import Conference


class Waiting(State):
    name = "waiting"
    status = "init"
    rules = (
        Rule(
            "ParticipantJoined",
            "nobody present has startConferenceOnEnter",
            "waiting",
            "wait music for him, no beep; `record` of a later participant still counts",
        ),
        Rule(
            "ParticipantJoined",
            "he or one who waits has startConferenceOnEnter",
            "in-progress",
            "all wait music stops, all are mixed, his entry beep, recording if asked for, "
            "`participant-join` before `conference-start`",
        ),
        Rule("ParticipantLeft", "others remain", "waiting", "no beep"),
        Rule("ParticipantLeft", "he was the last", "completed", "`last-participant-left` or `-kicked`"),
        Rule(
            "ParticipantLeft",
            "he has endConferenceOnExit",
            "completed",
            "the others are released: `moderator_ended_conference` (not if a dial-out never reached him)",
        ),
        Rule("GuestLost", "", "waiting", "`participant-leave` with `participant_add_failed`"),
        Rule(
            "ParticipantChanged",
            "",
            "waiting",
            "flags are kept for the start; hold music goes before wait music",
        ),
        Rule("SoundChanged", "", "waiting", "nobody is heard, so nobody disturbs"),
        Rule("SpeechChanged", "", "waiting", "nobody is heard, so nobody speaks"),
        Rule("AnnouncementEnded", "", "waiting", "`announcement-end` or `-fail`"),
        Rule("LockChanged", "", "waiting", "`conference-lock` or `-unlock`; whoever waits stays"),
        Rule("EndRequested", "", "completed", "all are released: `conference_ended_via_api`"),
    )

    def joined(self, conference: "Conference", event: ParticipantJoined, now: float) -> list[Command]:
        hint = steps.callback_hint(conference, event)
        self._honour_record(conference, event.conference)
        starts = self.starts_with(conference, event.settings)
        newcomer = steps.let_in(conference, event, now)
        if starts:
            conference.become(in_progress.IN_PROGRESS, now)
            sound = self._start(conference, newcomer)
        else:
            sound = conference.settle([newcomer.call_sid])  # and no beep: nobody would hear it
        join = steps.notify_join(conference, newcomer)
        start = [conference.notify("conference-start")] if starts else []
        return [*sound, join, *start, *hint]

    def _honour_record(self, conference: "Conference", settings: ConferenceSettings | None) -> None:
        """Recording may still be asked for by whoever comes before the start."""
        if settings is None or not settings.record or conference.settings.record:
            return
        conference.settings = replace(conference.settings, record=True, trim_silence=settings.trim_silence)

    def _start(self, conference: "Conference", newcomer: Participant) -> list[Command]:
        commands = conference.settle(list(conference.participants)) + steps.beep_in(newcomer)
        if conference.settings.record:
            conference.recording = True
            commands.append(StartRecording())
        return commands

    def left(self, conference: "Conference", event: ParticipantLeft, now: float) -> list[Command]:
        leaver = conference.participants.get(event.call_sid)
        if leaver is None:
            return []
        commands = steps.take_out(conference, event.call_sid)
        commands.append(steps.notify_leave(conference, leaver, event.call_status, REASON_LEFT[event.by]))
        reason = reason_ended(leaver, event.by, len(conference.participants))
        if reason is None:
            return commands
        conference.become(completed.COMPLETED, now)
        return commands + steps.end(conference, reason, leaver, now)

    def guest_lost(self, conference: "Conference", event: GuestLost, now: float) -> list[Command]:
        return steps.guest_lost(conference, event, now)

    def changed(self, conference: "Conference", event: ParticipantChanged) -> list[Command]:
        return steps.change(conference, event)

    def sound_changed(self, conference: "Conference", event: SoundChanged) -> list[Command]:
        return []

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
        return settings.start_conference_on_enter or any(
            participant.start_conference_on_enter for participant in conference.participants.values()
        )


WAITING = Waiting()
