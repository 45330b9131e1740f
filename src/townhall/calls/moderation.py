"""Moderating from outside the call: what the REST API does to conferences and their participants, at once.

Each change goes through the rules (`townhall.conference`), so it is valid in every state of the participant:
waiting, on hold, coaching, muted.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from townhall.calls.announcing import Audience, ConferenceVoice, announce_to_all, announce_to_one
from townhall.calls.attendance import Attendance
from townhall.calls.clips import ClipLibrary
from townhall.calls.hall import ConferenceHall
from townhall.calls.music import Music
from townhall.calls.sounds import NoticeBoard
from townhall.conference import (
    Conference,
    EndRequested,
    LockChanged,
    Participant,
    ParticipantChanged,
    ParticipantLeft,
)
from townhall.errors import TownhallError
from townhall.media import Media
from townhall.twiml.control import DocumentRequest, Method
from townhall.webhooks import WebhookClient

MOST_ANNOUNCEMENTS = 8
"""So many may run in one conference at a time; they are heard on top of each other."""


class ModerationError(TownhallError):
    """What was asked of a conference cannot be done; `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Sound:
    """A `HoldUrl` or `WaitUrl`: None is the default music, an empty URL silence."""

    url: str | None
    method: Method


class Moderation:
    """What can be done to live conferences; every method acts before it returns."""

    def __init__(
        self,
        hall: ConferenceHall,
        account_sid: str,
        media: Media,
        clips: ClipLibrary,
        webhooks: WebhookClient,
        notices: NoticeBoard,
    ) -> None:
        self._hall = hall
        self._account_sid = account_sid
        self._media = media
        self._clips = clips
        self._webhooks = webhooks
        self._notices = notices
        self._announcements: dict[str, set[asyncio.Task[None]]] = {}
        hall.on_close = self._close

    def conference(self, sid: str) -> Conference:
        """The live conference; raises `ModerationError` 16022."""
        conference = self._hall.conferences.get(sid)
        if conference is None:
            raise ModerationError(16022, f"conference {sid} does not exist or is over")
        return conference

    def participant(self, conference_sid: str, who: str) -> Participant:
        """The participant of this Call SID or label; raises `ModerationError` 16022 or 16028."""
        participants = self.conference(conference_sid).participants
        found = participants.get(who) or next((p for p in participants.values() if p.label == who), None)
        if found is None:
            raise ModerationError(16028, f"{who} is not in conference {conference_sid}, or has just left")
        return found

    def update(
        self,
        conference_sid: str,
        who: str,
        change: ParticipantChanged,
        *,
        hold: Sound | None = None,
        wait: Sound | None = None,
    ) -> Participant:
        """Change a participant; returns him as he is now. `change.call_sid` is filled in here."""
        conference = self.conference(conference_sid)
        participant = self.participant(conference_sid, who)
        if change.coach:
            self._check_coach(conference, participant, change.coach)
        attendance = self._attendance(participant)
        if hold is not None:
            self._set_hold_music(conference, participant, attendance, hold)
        if wait is not None:
            # The music that plays is stopped by the rules, before the new one starts.
            attendance.next_wait = Music(attendance.control, self._clips, wait.url, wait.method)
        change = replace(change, call_sid=participant.call_sid, wait_url_changed=wait is not None)
        self._hall.handle(conference, change)
        attendance.changed_at = datetime.now(UTC)
        return self.participant(conference_sid, participant.call_sid)

    def kick(self, conference_sid: str, who: str) -> None:
        """Take a participant out; his call goes on with his document."""
        participant = self.participant(conference_sid, who)
        left = ParticipantLeft(participant.call_sid, "kicked", "in-progress")
        self._hall.handle(self.conference(conference_sid), left)

    def lock(self, conference_sid: str, locked: bool) -> None:
        """Let nobody in but those whom the API calls, or everybody again."""
        self._hall.handle(self.conference(conference_sid), LockChanged(locked))

    def end(self, conference_sid: str) -> None:
        """End the conference; its callers' documents go on."""
        self._hall.handle(self.conference(conference_sid), EndRequested())

    def announce(self, conference_sid: str, request: DocumentRequest, who: str | None = None) -> None:
        """Start an announcement, for all or for one; how it ended is told by the conference's callback."""
        conference = self.conference(conference_sid)
        running = self._announcements.setdefault(conference.sid, set())
        if len(running) >= MOST_ANNOUNCEMENTS:
            raise ModerationError(
                16001, f"{MOST_ANNOUNCEMENTS} announcements run in this conference; wait for one to end"
            )
        if who is None:
            task = self._announce_to_all(conference, request)
        else:
            task = self._announce_to_one(conference, request, self.participant(conference_sid, who))
        running.add(task)
        task.add_done_callback(running.discard)

    def _announce_to_all(self, conference: Conference, request: DocumentRequest) -> asyncio.Task[None]:
        audience = Audience(conference, self._account_sid)
        voice = ConferenceVoice(audience, self._media, self._clips, self._webhooks, self._notices)
        work = announce_to_all(voice, request, lambda ended: self._hall.handle(conference, ended))
        return asyncio.create_task(work, name=f"announcement to {conference.sid}")

    def _announce_to_one(
        self, conference: Conference, request: DocumentRequest, participant: Participant
    ) -> asyncio.Task[None]:
        attendance = self._attendance(participant)
        if attendance.announcement is not None:
            attendance.announcement.cancel()
        work = announce_to_one(
            attendance, conference, request, lambda ended: self._hall.handle(conference, ended)
        )
        attendance.announcement = asyncio.create_task(work, name=f"announcement to {participant.call_sid}")
        return attendance.announcement

    def _set_hold_music(
        self, conference: Conference, participant: Participant, attendance: Attendance, sound: Sound
    ) -> None:
        attendance.hold.stop()
        attendance.hold = Music(attendance.control, self._clips, sound.url, sound.method, loop_audio=False)
        if participant.hold:
            attendance.hold.start(conference)

    def _check_coach(self, conference: Conference, participant: Participant, coach: str) -> None:
        target = conference.participants.get(coach)
        if conference.status != "in-progress":
            raise ModerationError(16001, "nobody can be coached before the conference has started")
        if target is None or coach == participant.call_sid:
            raise ModerationError(16028, f"{coach} is not another participant of this conference")
        if target.hold:
            raise ModerationError(16027, f"{coach} is on hold and hears no coach")

    def _attendance(self, participant: Participant) -> Attendance:
        attendance = self._hall.attendance(participant.call_sid)
        if attendance is None:
            raise ModerationError(16028, f"{participant.call_sid} has just left")
        return attendance

    def _close(self, conference: Conference) -> None:
        """The conference is over, and so are its announcements."""
        for task in self._announcements.pop(conference.sid, set()):
            task.cancel()
