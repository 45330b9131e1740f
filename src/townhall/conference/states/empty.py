"""Empty: made by a caller who is on his way in. Nobody has been in it yet; Twilio would not show it."""

from typing import TYPE_CHECKING

from townhall.conference.commands import Command
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
from townhall.conference.states import completed, steps, waiting
from townhall.conference.states.base import Rule, State

if TYPE_CHECKING:
    from townhall.conference.conference import Conference


class Empty(State):
    name = "empty"
    status = "init"
    rules = (
        Rule(
            "ParticipantJoined",
            "",
            "waiting",
            "he hears his wait music; his settings count for the conference",
        ),
        Rule("ParticipantLeft", "", "empty", "nobody is in it"),
        Rule("GuestLost", "", "empty", "nobody has subscribed yet"),
        Rule("ParticipantChanged", "", "empty", "nobody is in it"),
        Rule("SoundChanged", "", "empty", "nobody is in it"),
        Rule("SpeechChanged", "", "empty", "nobody is in it"),
        Rule("AnnouncementEnded", "", "empty", "nobody heard it"),
        Rule("LockChanged", "", "empty", "nobody is in it"),
        Rule("EndRequested", "", "completed", "`conference-ended-via-api`"),
    )

    def joined(self, conference: "Conference", event: ParticipantJoined, now: float) -> list[Command]:
        if event.conference is not None:
            conference.settings = event.conference
        newcomer = steps.let_in(conference, event, now)
        conference.become(waiting.WAITING, now)
        return [*conference.settle([newcomer.call_sid]), steps.notify_join(conference, newcomer)]

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
        conference.become(completed.COMPLETED, now)
        return steps.end(conference, "conference-ended-via-api", None, now)

    def starts_with(self, conference: "Conference", settings: ParticipantSettings) -> bool:
        return False


EMPTY = Empty()
