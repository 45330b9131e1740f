"""The shape of a state: one abstract method per event, so that no (state, event) pair stays undecided."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

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

if TYPE_CHECKING:
    from townhall.conference.conference import Conference

Name = Literal["empty", "waiting", "in-progress", "completed"]
Status = Literal["init", "in-progress", "completed"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the documented table: in its state, this event under this guard leads to `target`."""

    event: str
    """Name of the event's class."""
    guard: str
    target: Name
    notes: str


class State(ABC):
    """A state without data of its own; the conference carries all of it."""

    name: ClassVar[Name]
    status: ClassVar[Status]
    started: ClassVar[bool] = False
    rules: ClassVar[tuple[Rule, ...]]

    @abstractmethod
    def joined(self, conference: "Conference", event: ParticipantJoined, now: float) -> list[Command]: ...

    @abstractmethod
    def left(self, conference: "Conference", event: ParticipantLeft, now: float) -> list[Command]: ...

    @abstractmethod
    def guest_lost(self, conference: "Conference", event: GuestLost, now: float) -> list[Command]: ...

    @abstractmethod
    def changed(self, conference: "Conference", event: ParticipantChanged) -> list[Command]: ...

    @abstractmethod
    def sound_changed(self, conference: "Conference", event: SoundChanged) -> list[Command]: ...

    @abstractmethod
    def speech_changed(self, conference: "Conference", event: SpeechChanged) -> list[Command]: ...

    @abstractmethod
    def announcement_ended(self, conference: "Conference", event: AnnouncementEnded) -> list[Command]: ...

    @abstractmethod
    def lock_changed(self, conference: "Conference", event: LockChanged) -> list[Command]: ...

    @abstractmethod
    def end_requested(self, conference: "Conference", now: float) -> list[Command]: ...

    @abstractmethod
    def starts_with(self, conference: "Conference", settings: ParticipantSettings) -> bool:
        """Whether a newcomer with these settings would be mixed at once."""
