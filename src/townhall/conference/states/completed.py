"""Completed: final. What still arrives about it crossed its end and changes nothing."""

from typing import TYPE_CHECKING

from townhall.conference.commands import Command, Release
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
from townhall.conference.states.base import Rule, State

if TYPE_CHECKING:
    from townhall.conference.conference import Conference


class Completed(State):
    name = "completed"
    status = "completed"
    rules = (
        Rule("ParticipantJoined", "", "completed", "too late: he is released at once and was never in it"),
        Rule("ParticipantLeft", "", "completed", "crossed the end: he has been released"),
        Rule("GuestLost", "", "completed", "crossed the end"),
        Rule("ParticipantChanged", "", "completed", "crossed the end"),
        Rule("SoundChanged", "", "completed", "crossed the end"),
        Rule("SpeechChanged", "", "completed", "crossed the end"),
        Rule("AnnouncementEnded", "", "completed", "crossed the end; nothing is sent after `conference-end`"),
        Rule("LockChanged", "", "completed", "crossed the end"),
        Rule("EndRequested", "", "completed", "ended already, which is what was asked for"),
    )

    def joined(self, conference: "Conference", event: ParticipantJoined, now: float) -> list[Command]:
        return [Release(event.call_sid)]

    def left(self, conference: "Conference", event: ParticipantLeft, now: float) -> list[Command]:
        return []

    def guest_lost(self, conference: "Conference", event: GuestLost, now: float) -> list[Command]:
        return []

    def changed(self, conference: "Conference", event: ParticipantChanged) -> list[Command]:
        return []

    def sound_changed(self, conference: "Conference", event: SoundChanged) -> list[Command]:
        return []

    def speech_changed(self, conference: "Conference", event: SpeechChanged) -> list[Command]:
        return []

    def announcement_ended(self, conference: "Conference", event: AnnouncementEnded) -> list[Command]:
        return []

    def lock_changed(self, conference: "Conference", event: LockChanged) -> list[Command]:
        return []

    def end_requested(self, conference: "Conference", now: float) -> list[Command]:
        return []

    def starts_with(self, conference: "Conference", settings: ParticipantSettings) -> bool:
        return False


COMPLETED = Completed()
