"""Any order of arrivals, updates, leaves and ends: nobody hears whom he must not, nothing is left behind."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from townhall.conference import (
    Admission,
    Close,
    Command,
    Conference,
    Conferences,
    ConferenceSettings,
    EndRequested,
    GuestLost,
    LockChanged,
    Mix,
    Notify,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    Place,
    Refusal,
    Release,
    Reservation,
    SpeechChanged,
    StartHold,
    StartRecording,
    StartWaiting,
    StopHold,
    StopRecording,
    StopWaiting,
    Transition,
    pairs,
)
from townhall.conference.callbacks import SUBSCRIPTION
from townhall.conference.events import LeftBy
from townhall.conference.states import STATES

CALLS = st.sampled_from([f"call{number}" for number in range(5)])
NAMES = st.sampled_from(["room", "room", "other"])
FLAG = st.booleans()
MAYBE = st.none() | st.booleans()
COACH = st.none() | st.just("") | CALLS
WAYS: list[LeftBy] = [
    "hung_up",
    "star",
    "time_limit",
    "kicked",
    "redirected",
    "completed_via_api",
    "add_failed",
]
SETTINGS = st.builds(
    ParticipantSettings,
    muted=FLAG,
    beep_on_enter=FLAG,
    start_conference_on_enter=FLAG,
    end_conference_on_exit=st.sampled_from([*[False] * 7, True]),
    coach=st.none() | CALLS,
    max_participants=st.sampled_from([2, *[250] * 7]),
    invited=st.sampled_from([*[False] * 3, True]),
)
CONFERENCE = st.none() | st.builds(
    ConferenceSettings,
    status_callback_events=st.frozensets(st.sampled_from(sorted(set(SUBSCRIPTION.values())))),
    record=FLAG,
)


class World:
    """Carries a conference's commands out in a few dictionaries and holds them to what makes sense."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.music: dict[str, str] = {}
        self.released: Counter[str] = Counter()
        self.numbers: list[int] = []
        self.recording = False
        self.closed = 0

    def carry_out(self, commands: list[Command]) -> None:
        for command in commands:
            assert not self.closed, "nothing comes after Close"
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case StartWaiting(sid) | StartHold(sid):
                assert sid not in self.music
                assert self.places.get(sid, Place()) == Place(), "music to one who is mixed"
                self.music[sid] = "wait" if isinstance(command, StartWaiting) else "hold"
            case StopWaiting(sid) | StopHold(sid):
                assert self.music.pop(sid) == ("wait" if isinstance(command, StopWaiting) else "hold")
            case Mix(sid, hears, heard, whisper_to):
                place = Place(hears, heard, whisper_to)
                assert place != self.places.get(sid, Place()), "a Mix that changes nothing"
                self.places[sid] = place
            case Release(sid):
                assert sid not in self.music, "released in mid-music"
                self.places.pop(sid, None)
                self.released[sid] += 1
            case Notify(_, number, True):
                self.numbers.append(number)
            case StartRecording():
                assert not self.recording
                self.recording = True
            case StopRecording():
                assert self.recording
                self.recording = False
            case Close():
                self.closed += 1


class Rooms(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.made = 0
        self.now = 0.0
        self.transitions: list[Transition] = []
        self.conferences = Conferences(self._new_sid, self.transitions.append)
        self.worlds: dict[str, World] = {}
        self.all: dict[str, Conference] = {}
        self.where: dict[str, Conference] = {}
        self.joins: dict[str, Counter[str]] = {}
        self.reservations: dict[str, Reservation] = {}

    def _new_sid(self) -> str:
        self.made += 1
        return f"CF{self.made:032x}"

    def _handle(self, conference: Conference, event: object) -> None:
        self.now += 1.0
        before, seen = conference.state, len(self.transitions)
        self._carry_out(conference, conference.handle(event, self.now))  # type: ignore[arg-type]
        targets = {
            documented.target
            for state in STATES
            if state.name == before
            for documented in state.rules
            if documented.event == type(event).__name__
        }
        assert conference.state in targets, "a transition that the documentation does not have"
        assert len(self.transitions) - seen == (before != conference.state)

    def _carry_out(self, conference: Conference, commands: list[Command]) -> None:
        world = self.worlds.setdefault(conference.sid, World())
        world.carry_out(commands)
        for sid in [sid for sid, home in self.where.items() if home is conference]:
            if sid not in conference.participants:
                del self.where[sid]

    @rule(sid=CALLS, name=NAMES)
    def reserve(self, sid: str, name: str) -> None:
        if sid in self.where or sid in self.reservations:
            return
        reservation = self.conferences.reserve(name, self.now)
        assert isinstance(reservation, Reservation)
        self.reservations[sid] = reservation

    @rule(sid=CALLS, name=NAMES, settings=SETTINGS, conference=CONFERENCE)
    def join(
        self, sid: str, name: str, settings: ParticipantSettings, conference: ConferenceSettings | None
    ) -> None:
        self.reserve(sid, name)
        if sid in self.reservations:
            self._enter(sid, ParticipantJoined(sid, settings, conference))

    @precondition(lambda self: self.reservations)
    @rule(data=st.data(), settings=SETTINGS)
    def enter(self, data: st.DataObject, settings: ParticipantSettings) -> None:
        sid = data.draw(st.sampled_from(sorted(self.reservations)))
        self._enter(sid, ParticipantJoined(sid, settings))

    def _enter(self, sid: str, event: ParticipantJoined) -> None:
        reservation = self.reservations.pop(sid)
        admission = reservation.enter(event, self.now)
        if isinstance(admission, Refusal):
            return
        assert event.settings.invited or not admission.conference.locked, "let into a locked conference"
        assert isinstance(admission, Admission)
        self.all[admission.conference.sid] = admission.conference
        self.where[sid] = admission.conference
        self.joins.setdefault(admission.conference.sid, Counter())[sid] += 1
        self._carry_out(admission.conference, admission.commands)

    @precondition(lambda self: self.reservations)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        sid = data.draw(st.sampled_from(sorted(self.reservations)))
        self.reservations.pop(sid).cancel()

    @precondition(lambda self: self.all)
    @rule(data=st.data(), sid=CALLS, by=st.sampled_from(WAYS))
    def leave(self, data: st.DataObject, sid: str, by: LeftBy) -> None:
        conference = self.where.get(sid) or data.draw(st.sampled_from(list(self.all.values())))
        self._handle(conference, ParticipantLeft(sid, by, "in-progress"))
        assert sid not in conference.participants

    @precondition(lambda self: self.where)
    @rule(
        data=st.data(),
        muted=MAYBE,
        hold=MAYBE,
        coach=COACH,
        end=MAYBE,
        wait_url=FLAG,
    )
    def change(
        self,
        data: st.DataObject,
        muted: bool | None,
        hold: bool | None,
        coach: str | None,
        end: bool | None,
        wait_url: bool,
    ) -> None:
        sid = data.draw(st.sampled_from(sorted(self.where)))
        event = ParticipantChanged(sid, muted, hold, coach, end, wait_url_changed=wait_url)
        self._handle(self.where[sid], event)

    @precondition(lambda self: self.where)
    @rule(data=st.data())
    def coach_one_who_is_there(self, data: st.DataObject) -> None:
        sid = data.draw(st.sampled_from(sorted(self.where)))
        target = data.draw(st.sampled_from(sorted(self.where[sid].participants)))
        self._handle(self.where[sid], ParticipantChanged(sid, coach=target))

    @precondition(lambda self: self.where)
    @rule(data=st.data(), speaking=FLAG)
    def speak(self, data: st.DataObject, speaking: bool) -> None:
        sid = data.draw(st.sampled_from(sorted(self.where)))
        self._handle(self.where[sid], SpeechChanged(sid, speaking))

    @precondition(lambda self: self.all)
    @rule(data=st.data(), locked=FLAG)
    def lock(self, data: st.DataObject, locked: bool) -> None:
        conference = data.draw(st.sampled_from(list(self.all.values())))
        before = list(conference.participants)
        self._handle(conference, LockChanged(locked))
        assert list(conference.participants) == before
        assert conference.locked == locked or conference.status == "completed"

    @precondition(lambda self: self.all)
    @rule(data=st.data(), settings=SETTINGS)
    def lose_a_guest(self, data: st.DataObject, settings: ParticipantSettings) -> None:
        conference = data.draw(st.sampled_from(list(self.all.values())))
        before = conference.hearing()
        self._handle(conference, GuestLost("guest", settings, "busy"))
        assert conference.hearing() == before

    @precondition(lambda self: len(self.where) > 3)
    @rule(data=st.data())
    def end(self, data: st.DataObject) -> None:
        conference = data.draw(st.sampled_from(list(self.all.values())))
        self._handle(conference, EndRequested())
        assert conference.status == "completed"

    @invariant()
    def commands_replayed_give_the_places(self) -> None:
        for sid, conference in self.all.items():
            replayed = {p: self.worlds[sid].places.get(p, Place()) for p in conference.participants}
            assert replayed == conference.hearing()
            assert set(self.worlds[sid].places) <= set(conference.participants)

    @invariant()
    def nobody_hears_whom_he_must_not(self) -> None:
        """Said anew, from the sheet's table and not from `hearing`."""
        for conference in self.all.values():
            people = conference.participants
            for listener, speaker in pairs(self.worlds[conference.sid].places):
                assert conference.status == "in-progress"
                assert listener != speaker
                assert not people[listener].hold
                assert not people[speaker].hold
                assert not people[speaker].muted
                assert not people[speaker].coaching or people[speaker].coach == listener

    @invariant()
    def everybody_hears_whom_he_should(self) -> None:
        for conference in self.all.values():
            if conference.status != "in-progress":
                continue
            here = [p for p in conference.participants.values() if not p.hold]
            matrix = pairs(self.worlds[conference.sid].places)
            for listener in here:
                for speaker in here:
                    if listener is speaker or speaker.muted:
                        continue
                    expected = not speaker.coaching or speaker.coach == listener.call_sid
                    assert ((listener.call_sid, speaker.call_sid) in matrix) == expected

    @invariant()
    def music_is_for_those_who_wait_or_are_on_hold(self) -> None:
        for sid, conference in self.all.items():
            waits = conference.status == "init"
            expected = {
                call_sid: "hold" if participant.hold else "wait"
                for call_sid, participant in conference.participants.items()
                if participant.hold or waits
            }
            assert self.worlds[sid].music == expected

    @invariant()
    def conference_waits_exactly_while_it_must(self) -> None:
        for conference in self.all.values():
            if conference.state == "waiting":
                present = list(conference.participants.values())
                assert len(present) == 1 or not any(p.start_conference_on_enter for p in present)

    @invariant()
    def only_those_who_are_heard_speak(self) -> None:
        for conference in self.all.values():
            places = conference.hearing()
            for sid, participant in conference.participants.items():
                assert not participant.speaking or places[sid].heard or places[sid].whisper_to

    @invariant()
    def everybody_who_joined_is_there_or_was_released_once(self) -> None:
        for sid, joins in self.joins.items():
            present = Counter(list(self.all[sid].participants))
            assert self.worlds[sid].released + present == joins

    @invariant()
    def callbacks_are_numbered_without_a_gap(self) -> None:
        for world in self.worlds.values():
            assert world.numbers == list(range(1, len(world.numbers) + 1))

    @invariant()
    def no_conference_is_left_behind(self) -> None:
        live = {conference.sid for conference in self.all.values() if conference.status != "completed"}
        assert live == {conference.sid for conference in self.conferences}
        reserved = {
            r.conference.sid for r in self.reservations.values() if r.conference.status != "completed"
        }
        assert len(self.conferences) == len(live | reserved)
        for sid, conference in self.all.items():
            assert self.worlds[sid].closed == (conference.status == "completed")
            assert bool(conference.participants) == (conference.status != "completed")
            assert not self.worlds[sid].recording or conference.status == "in-progress"


Rooms.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestRooms = Rooms.TestCase
