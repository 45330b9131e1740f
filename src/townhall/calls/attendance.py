"""One caller's time in a conference: what he came with, what he hears meanwhile, and how he gets out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from townhall.calls.call import Call
from townhall.calls.control import LiveCall
from townhall.calls.music import Music
from townhall.conference import Conference, ConferenceSettings, ParticipantSettings
from townhall.conference.events import LeftBy, Sound
from townhall.twiml.control import ConferenceDial, RecordingPlan


@dataclass(eq=False)
class Attendance:
    control: LiveCall
    dial: ConferenceDial
    wait: Music
    """What he hears until the conference starts."""
    hold: Music
    """What he hears while he is on hold."""
    released: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when the rules have taken him out."""
    announcement: asyncio.Task[None] | None = None
    """An announcement for him alone."""
    changed_at: datetime | None = None
    """When the API last changed him."""
    next_wait: Music | None = None
    """What he is to hear when he waits next, where `WaitUrl` was changed."""

    @property
    def call(self) -> Call:
        return self.control.call

    async def leaving(self) -> LeftBy:
        """Wait until he leaves, and say how; his release by the rules is told by `released`."""
        star = asyncio.ensure_future(self._star())
        interruption = self.call.interruption
        try:
            ways_out: set[asyncio.Future[Any]] = {star, interruption, self.released, self.call.over}
            time_limit_s = self.dial.time_limit_s
            await asyncio.wait(ways_out, timeout=time_limit_s, return_when=asyncio.FIRST_COMPLETED)
            if self.call.over.done():
                return "completed_via_api" if self.call.ended_by_api else "hung_up"
            if interruption.done():
                return "redirected"
            return "star" if star.done() else "time_limit"
        finally:
            star.cancel()

    async def _star(self) -> None:
        """Keys mean nothing inside a conference, but for `*` with `hangupOnStar`."""
        while await self.call.digits.get() != "*" or not self.dial.hangup_on_star:
            pass

    def start_waiting(self, conference: Conference) -> None:
        if self.next_wait is not None:
            self.wait, self.next_wait = self.next_wait, None
        self.wait.start(conference)

    def stop_sounds(self) -> None:
        """Music and announcements end with his stay."""
        self.wait.stop()
        self.hold.stop()
        if self.announcement is not None:
            self.announcement.cancel()

    async def silent(self) -> None:
        """Wait until nothing of his stay plays any more."""
        await self.wait.ended()
        await self.hold.ended()
        if self.announcement is not None:
            await asyncio.wait({self.announcement})

    def on_speech(self, tell: Callable[[bool], None] | None) -> None:
        self.control.leg.on_speech = tell

    def condition(self, trusted: bool = False) -> None:
        """Have his voice treated as his document says; `trusted`: no sound of his is hold music."""
        guard = False if trusted else self.dial.hold_guard
        self.control.leg.condition(
            auto_gain=self.dial.auto_gain,
            hold_guard=guard,
            noise_suppression=self.dial.noise_suppression,
        )

    def on_held(self, tell: Callable[[Sound | None], None] | None) -> None:
        self.control.leg.on_held = tell


def participant_settings(dial: ConferenceDial) -> ParticipantSettings:
    """What a document says of the participant, in the rules' words."""
    return ParticipantSettings(
        muted=dial.muted,
        beep_on_enter=dial.beep_on_enter,
        beep_on_exit=dial.beep_on_exit,
        start_conference_on_enter=dial.start_conference_on_enter,
        end_conference_on_exit=dial.end_conference_on_exit,
        label=dial.participant_label,
        coach=dial.coach,
        max_participants=dial.max_participants,
        invited=dial.invited,
    )


def conference_settings(dial: ConferenceDial) -> ConferenceSettings:
    """What a document says of the conference as a whole."""
    callback = dial.status_callback
    return ConferenceSettings(
        status_callback_events=callback.events if callback else frozenset(),
        status_callback=callback.url if callback else None,
        record=dial.record,
        trim_silence=dial.trim_silence,
    )


def recording_plan(dial: ConferenceDial) -> RecordingPlan:
    """What a document says of the conference's recording."""
    return RecordingPlan(
        source="Conference",
        channels=dial.recording_channels,
        trim_silence=dial.trim_silence,
        callback=dial.recording_callback,
    )
