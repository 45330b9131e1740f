"""Where conferences are held: carries out what the rules (`townhall.conference`) command.

The rules decide, this room acts: on the media process (mixes, music, beeps), on the waiting callers' tasks,
on the journal and the callbacks. Nothing is awaited between an event and the last of its commands, so the
rules see one event at a time.
"""

import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

from townhall.calls.attendance import (
    Attendance,
    conference_settings,
    participant_settings,
    recording_plan,
)
from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.calls.music import Music
from townhall.calls.recording import RecordingDesk, RecordingError
from townhall.conference import (
    Beep,
    Close,
    Command,
    Conference,
    Conferences,
    Event,
    Hint,
    Mix,
    Notify,
    ParticipantJoined,
    ParticipantLeft,
    Refusal,
    Release,
    SoundChanged,
    SpeechChanged,
    StartHold,
    StartRecording,
    StartWaiting,
    StopHold,
    StopRecording,
    StopWaiting,
    TrustSound,
)
from townhall.conference.events import CallStatus, LeftBy
from townhall.ids import new_sid
from townhall.media import Media
from townhall.twiml.control import (
    CallEnded,
    ConferenceCallbacks,
    ConferenceDial,
    ConferenceOutcome,
    FetchFailed,
    Notice,
    RecordingPlan,
)
from townhall.webhooks import CallbackSender

log = logging.getLogger(__name__)

HINT = 16011
"""Twilio's number for trouble with a conference's status callback."""


class ConferenceJournal(Protocol):
    """Where the course of conferences is written down (`townhall.calls.journal`)."""

    def created(self, conference: Conference) -> None: ...

    def happened(self, conference: Conference, notify: Notify) -> None: ...

    def closed(self, conference: Conference, close: Close) -> None: ...


class ConferenceHall:
    """All live conferences of the server."""

    def __init__(
        self,
        *,
        account_sid: str,
        media: Media,
        clips: ClipLibrary,
        callbacks: CallbackSender,
        journal: ConferenceJournal,
        recordings: RecordingDesk,
    ) -> None:
        self._account_sid = account_sid
        self._media = media
        self._clips = clips
        self._callbacks = callbacks
        self._journal = journal
        self._recordings = recordings
        self._recording_plans: dict[str, RecordingPlan] = {}
        self.conferences = Conferences(lambda: new_sid("CF"))
        self._attendances: dict[str, Attendance] = {}
        self._subscriptions: dict[str, ConferenceCallbacks] = {}
        self.on_close: Callable[[Conference], None] = lambda conference: None
        """Told of every conference that has ended."""

    # ---- a caller's way through ----

    async def attend(self, control: LiveCall, dial: ConferenceDial) -> ConferenceOutcome:
        """Be in a conference until the caller leaves or is released.

        Raises `CallEnded` when his call is over and `CallRedirected` when it was given another document.
        """
        attendance = Attendance(
            control,
            dial,
            wait=Music(control, self._clips, dial.wait_url, dial.wait_method),
            hold=Music(control, self._clips, None, "GET", loop_audio=False),
        )
        try:
            conference = await self._enter(attendance)
        except FetchFailed as error:
            return ConferenceOutcome(
                "failed", Notice(error.code, "error", f"waitUrl: {error.message}", error.url)
            )
        if isinstance(conference, Refusal):
            return ConferenceOutcome("failed", Notice(conference.code, "error", conference.message))
        await self._stay(conference, attendance)
        return ConferenceOutcome("answered")

    async def _enter(self, attendance: Attendance) -> Conference | Refusal:
        call, dial = attendance.call, attendance.dial
        settings = participant_settings(dial)
        reservation = self.conferences.reserve(dial.name, time.monotonic())
        if isinstance(reservation, Refusal):
            return reservation
        with reservation:
            if not reservation.conference.starts_now(settings):
                await attendance.wait.prepare(reservation.conference)
            if call.over.done():
                raise CallEnded
            event = ParticipantJoined(call.sid, settings, conference_settings(dial))
            # The commands name him, so he must be known before they are carried out.
            self._attendances[call.sid] = attendance
            admission = reservation.enter(event, time.monotonic())
        if isinstance(admission, Refusal):
            del self._attendances[call.sid]
            return admission
        conference = admission.conference
        if admission.created:
            self._journal.created(conference)
            if dial.status_callback is not None:
                # The first participant's callback is the conference's; later ones bring none (Twilio's rule).
                self._subscriptions[conference.sid] = dial.status_callback
        if dial.record:
            # Whoever asks for it first says how; later ones change nothing.
            self._recording_plans.setdefault(conference.sid, recording_plan(dial))
        attendance.on_speech(lambda speaking: self.handle(conference, SpeechChanged(call.sid, speaking)))
        attendance.on_held(lambda sound: self.handle(conference, SoundChanged(call.sid, sound)))
        attendance.condition()
        call.discard_digits()
        self._carry_out(conference, admission.commands)
        return conference

    async def _stay(self, conference: Conference, attendance: Attendance) -> None:
        call, interruption = attendance.call, attendance.call.interruption
        by: LeftBy = "hung_up"
        try:
            by = await attendance.leaving()
        finally:
            if not attendance.released.done():
                status: CallStatus = "completed" if call.over.done() else "in-progress"
                self.handle(conference, ParticipantLeft(call.sid, by, status))
        await attendance.silent()
        if call.over.done():
            raise CallEnded
        if by == "redirected":
            raise attendance.control.obey(interruption)

    def attendance(self, call_sid: str) -> Attendance | None:
        """A caller's stay, while he is in a conference."""
        return self._attendances.get(call_sid)

    # ---- the rules' commands ----

    def handle(self, conference: Conference, event: Event) -> None:
        """Tell the rules what happened and carry out what they command, in order."""
        self._carry_out(conference, conference.handle(event, time.monotonic()))

    def _carry_out(self, conference: Conference, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case StartWaiting() | StopWaiting() | StartHold() | StopHold():
                    self._play_music(conference, command)
                case Mix():
                    self._mix(conference, command)
                case TrustSound(call_sid):
                    self._attendances[call_sid].condition(trusted=True)
                case Beep():
                    self._beep(conference, command)
                case Release(call_sid):
                    self._release(call_sid)
                case Notify():
                    self._notify(conference, command)
                case Hint(call_sid, message):
                    self._attendances[call_sid].control.report(Notice(HINT, "warning", message))
                case Close():
                    self._subscriptions.pop(conference.sid, None)
                    self._recording_plans.pop(conference.sid, None)
                    self._recordings.stop_conference(conference.sid)  # also what was begun from outside
                    self._journal.closed(conference, command)
                    self.on_close(conference)
                case StartRecording():
                    self._start_recording(conference)
                case StopRecording():
                    self._recordings.stop_conference(conference.sid)

    def _play_music(
        self, conference: Conference, command: StartWaiting | StopWaiting | StartHold | StopHold
    ) -> None:
        attendance = self._attendances[command.call_sid]
        match command:
            case StartWaiting():
                attendance.start_waiting(conference)
            case StopWaiting():
                attendance.wait.stop()
            case StartHold():
                attendance.hold.start(conference)
            case StopHold():
                attendance.hold.stop()

    def _mix(self, conference: Conference, mix: Mix) -> None:
        target = self._attendances.get(mix.whisper_to) if mix.whisper_to else None
        self._attendances[mix.call_sid].control.leg.set_mix(
            conference.sid,
            hears=mix.hears,
            heard=mix.heard,
            whisper_to=target.control.leg if target else None,
        )

    def _beep(self, conference: Conference, beep: Beep) -> None:
        clip = self._clips.beep_enter if beep.kind == "enter" else self._clips.beep_exit
        owner = self._attendances[beep.owner].control.leg if beep.owner else None
        self._media.play_to_bus(conference.sid, [clip], owner=owner)

    def _start_recording(self, conference: Conference) -> None:
        first = next(iter(conference.participants))
        try:
            self._recordings.start_conference(
                conference.sid,
                self._recording_plans.get(conference.sid) or RecordingPlan("Conference"),
                first=(first, self._attendances[first].control.leg),
                name_of=lambda leg: self._name_of(conference, leg),
                about={"conference_sid": conference.sid, "friendly_name": conference.name},
            )
        except RecordingError as error:
            self._attendances[first].control.report(Notice(error.code, "error", error.message))

    def _name_of(self, conference: Conference, leg: int) -> dict[str, str | None]:
        """Who has this leg, for the list of a recording's talkers."""
        for sid, participant in conference.participants.items():
            attendance = self._attendances.get(sid)
            if attendance is not None and attendance.control.leg.number == leg:
                return {"call_sid": sid, "label": participant.label, "from": attendance.call.from_}
        return {}

    def _release(self, call_sid: str) -> None:
        attendance = self._attendances.pop(call_sid)
        attendance.on_speech(None)
        attendance.on_held(None)
        attendance.stop_sounds()
        attendance.control.leg.set_mix(None)
        attendance.released.set_result(None)

    def _notify(self, conference: Conference, notify: Notify) -> None:
        level = logging.DEBUG if "speech" in notify.event else logging.INFO
        log.log(
            level, "%s %r: %s %s", conference.sid, conference.name, notify.event, _subject(notify.parameters)
        )
        self._journal.happened(conference, notify)
        subscription = self._subscriptions.get(conference.sid)
        if subscription is None or not notify.subscribed:
            return
        parameters = [
            ("ConferenceSid", conference.sid),
            ("FriendlyName", conference.name),
            ("AccountSid", self._account_sid),
            ("SequenceNumber", str(notify.sequence_number)),
            ("Timestamp", format_datetime(datetime.now(UTC))),
            ("StatusCallbackEvent", notify.event),
            *notify.parameters,
        ]
        self._callbacks.send(conference.sid, subscription.url, subscription.method, tuple(parameters))


def _subject(parameters: Iterable[tuple[str, str]]) -> str:
    """What a line of the log says of an event: whom it is about and why."""
    telling = ("CallSid", "ParticipantLabel", "ReasonParticipantLeft", "ReasonConferenceEnded", "MuteReason")
    return " ".join(value for name, value in parameters if name in telling)
