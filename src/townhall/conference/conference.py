"""The conference: a state machine with events in and commands out; no media, no clock, no I/O.

Its rules are in `states/` (what each event does in each state), in `hearing` (who hears whom) and in
`reasons` (why it ends). This file keeps the data and the three things every rule needs: changing state,
telling the callbacks, and settling the sound, which compares what everybody should hear with what was last
commanded and commands the difference.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from townhall.conference import states
from townhall.conference.callbacks import Numbering, Parameters, participant_parameters
from townhall.conference.commands import Command, Mix, Notify, StartHold, StartWaiting, StopHold, StopWaiting
from townhall.conference.errors import LocalProtocolError
from townhall.conference.events import (
    AnnouncementEnded,
    ConferenceSettings,
    EndRequested,
    Event,
    GuestLost,
    LockChanged,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    SoundChanged,
    SpeechChanged,
)
from townhall.conference.hearing import OUTSIDE, Music, Place, hearing, music_of, place_of
from townhall.conference.participant import Participant
from townhall.conference.reasons import ReasonEnded


@dataclass(frozen=True, slots=True)
class Transition:
    """The conference went from one named state to another, at monotonic second `at`."""

    sid: str
    before: states.Name
    after: states.Name
    at: float


class Conference:
    """One live conference and, once it is `completed`, the little that is left of it.

    `observe` is told of every transition, after it and before the event's commands are carried out.
    """

    def __init__(
        self,
        sid: str,
        name: str,
        settings: ConferenceSettings | None = None,
        now: float = 0.0,
        observe: Callable[[Transition], None] | None = None,
    ) -> None:
        self.sid = sid
        self.name = name
        self.settings = settings or ConferenceSettings()
        self.created_at = now
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.reason_ended: ReasonEnded | None = None
        self.recording = False
        self.locked = False
        """Nobody comes in but those whom the API calls."""
        self.hinted = False
        """Whether somebody was told that only the first participant's statusCallback counts."""
        self._state: states.State = states.EMPTY
        self._participants: dict[str, Participant] = {}
        self._coaching: set[str] = set()
        self._places: dict[str, Place] = {}
        self._music: dict[str, Music] = {}
        self._numbering = Numbering()
        self._observe = observe

    def handle(self, event: Event, now: float) -> list[Command]:
        """What is to be done, in this order, because of `event`. `now` is monotonic seconds."""
        match event:
            case ParticipantJoined():
                if event.call_sid in self._participants:
                    raise LocalProtocolError(f"{event.call_sid} is in conference {self.sid} already")
                return self._state.joined(self, event, now)
            case ParticipantLeft():
                return self._state.left(self, event, now)
            case GuestLost():
                return self._state.guest_lost(self, event, now)
            case ParticipantChanged():
                return self._state.changed(self, event)
            case SoundChanged():
                return self._state.sound_changed(self, event)
            case SpeechChanged():
                return self._state.speech_changed(self, event)
            case AnnouncementEnded():
                return self._state.announcement_ended(self, event)
            case LockChanged():
                return self._state.lock_changed(self, event)
            case EndRequested():
                return self._state.end_requested(self, now)

    # ---- what others may ask ----

    @property
    def state(self) -> states.Name:
        return self._state.name

    @property
    def status(self) -> states.Status:
        """Twilio's status: `init`, `in-progress` or `completed`."""
        return self._state.status

    @property
    def started(self) -> bool:
        """Whether people are mixed; while False, everybody waits."""
        return self._state.started

    @property
    def participants(self) -> Mapping[str, Participant]:
        """Everybody who is in it, by Call SID, in the order of arrival."""
        return MappingProxyType(self._participants)

    def starts_now(self, settings: ParticipantSettings) -> bool:
        """Whether one who came with these settings would be in the talk at once, and need no wait music."""
        return self._state.starts_with(self, settings)

    def hearing(self) -> dict[str, Place]:
        """Everybody's place in the bus, worked out anew; the same as the sum of all `Mix` commands so far."""
        return hearing(self._participants, self.started)

    # ---- what the states do with it ----

    def become(self, state: states.State, now: float) -> None:
        before, self._state = self._state, state
        if state.started:
            self.started_at = now
        if self._observe and before is not state:
            self._observe(Transition(self.sid, before.name, state.name, now))

    def put(self, participant: Participant) -> None:
        """Take in a newcomer, or what an old participant has become."""
        self._participants[participant.call_sid] = participant
        if participant.coach is None:
            self._coaching.discard(participant.call_sid)
        else:
            self._coaching.add(participant.call_sid)

    def remove(self, call_sid: str) -> Participant:
        self._places.pop(call_sid, None)
        self._coaching.discard(call_sid)
        return self._participants.pop(call_sid)

    def coaches_of(self, call_sid: str) -> list[str]:
        if not self._coaching:
            return []  # as a rule; each who comes would look at all who are there
        return [sid for sid, participant in self._participants.items() if participant.coach == call_sid]

    def settle(self, call_sids: Iterable[str]) -> list[Command]:
        """Command what has changed in what these participants hear: stop music, mix, start music, in this
        order.
        """
        stop: list[Command] = []
        mix: list[Command] = []
        start: list[Command] = []
        for sid in call_sids:
            participant = self._participants[sid]
            music = music_of(participant, self.started)
            if music != self._music.get(sid):
                stop += self.stop_music(sid)
                start += self._start_music(sid, music)
            place = place_of(participant, self._participants, self.started)
            if place != self._places.get(sid, OUTSIDE):
                self._places[sid] = place
                mix.append(Mix(sid, place.hears, place.heard, place.whisper_to))
        return stop + mix + start

    def stop_music(self, call_sid: str) -> list[Command]:
        match self._music.pop(call_sid, None):
            case "wait":
                return [StopWaiting(call_sid)]
            case "hold":
                return [StopHold(call_sid)]
            case _:
                return []

    def _start_music(self, call_sid: str, music: Music | None) -> list[Command]:
        if music is None:
            return []
        self._music[call_sid] = music
        return [StartWaiting(call_sid) if music == "wait" else StartHold(call_sid)]

    def notify(self, event: str, parameters: Parameters = ()) -> Notify:
        return self._numbering.notify(event, self.settings.status_callback_events, parameters)

    def set_speaking(self, participant: Participant, speaking: bool) -> Notify:
        """Note and tell that this one, whom others hear, began or ceased to speak."""
        participant = replace(participant, speaking=speaking)
        self.put(participant)
        event = "participant-speech-start" if speaking else "participant-speech-stop"
        return self.notify(event, participant_parameters(participant))

    def is_audible(self, call_sid: str) -> bool:
        """Whether at least one place of the bus takes his voice: all of it, or the one he whispers to."""
        place = place_of(self._participants[call_sid], self._participants, self.started)
        return place.heard or place.whisper_to is not None
