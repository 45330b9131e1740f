"""What is done to talkers' voices before they are mixed, and what is told of them.

In every tick: who talks (`audio.talking`), how loud he comes out (`audio.gain`), whether he is a person at
all (`audio.holding`), and, where only so many may be heard at once, who they are (`loudest`). Frames are
changed in place, so everybody hears the same voice: the mixes in both bands, recordings, meters. Voices that
are not in a bus's sum, plays and music are left alone. Legs whose speech is told though nobody hears them
leave a message: there every sound counts.

A leg caught with hold music falls silent at once and goes on being listened to (`held`), whatever control
makes of it, until it is let go: by a voice, by silence, or by being heard anew.
"""

from collections.abc import Callable

import numpy as np

from townhall.audio.gain import AutomaticGain, amplify
from townhall.audio.holding import MUSIC, QUIETEST_DBFS, HoldGuard
from townhall.audio.levels import SoundDetector, level_dbfs
from townhall.audio.shapes import Bool, Float32
from townhall.audio.talking import LOOK_EVERY, Heard, SpeechDetector
from townhall.audio.voicing import PARTIALS
from townhall.media.legs import Legs
from townhall.media.loudest import Loudest
from townhall.media.plan import Plan
from townhall.media.protocol import ConditionLeg, Event, LegHeld, LegResumed, SpeechStarted, SpeechStopped
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Int16s, Int64s, Rows, Slots, rows_of
from townhall.media.suppressing import Suppressing


class Conditioner:
    """Of all legs; remembers what it has learnt of each voice until its leg closes."""

    def __init__(self, legs: Legs, settings: MediaSettings, emit: Callable[[Event], None]) -> None:
        self._legs = legs
        self._emit = emit
        self._settings = settings
        self._sounds = SoundDetector(legs.capacity)
        self._speech = SpeechDetector(legs.capacity, max(1, round(settings.speech_pause_ms / 1000 / TICK_S)))
        self._gain = AutomaticGain(legs.capacity)
        self._gains = np.full(legs.capacity, settings.auto_gain)
        self._guard = HoldGuard(legs.capacity, 1 / (TICK_S * LOOK_EVERY), max(settings.hold_music_s, 1.0))
        self._guards = np.full(legs.capacity, settings.hold_music_s > 0)
        self._suppressing = Suppressing(legs.capacity, settings.noise_suppression)
        self._loudest = Loudest(legs.capacity, settings.loudest_talkers)
        self._speaking = np.zeros(legs.capacity, np.bool_)
        self._talked = np.zeros(legs.capacity, np.bool_)
        self._listened: Rows = slice(0, 0)
        """Places in `Plan.reading` of all whom the detectors look at: talkers, then who is held."""

    # ---- commands and plans ----

    def forget_leg(self, slot: int) -> None:
        """The leg is closed, or new: nothing is known of its voice."""
        slots = np.array([slot])
        self._gain.forget(slots)
        self._guard.reset(slots)
        self._suppressing.set_leg(slot, None)
        self._suppressing.reset(slots)
        self._gains[slot] = self._settings.auto_gain
        self._guards[slot] = self._settings.hold_music_s > 0
        self._speaking[slot] = self._talked[slot] = False

    def set_leg(self, slot: int, command: ConditionLeg) -> None:
        """What control wants for one leg."""
        self._gains[slot] = _either(command.auto_gain, self._settings.auto_gain)
        if not self._gains[slot]:
            self._gain.forget(np.array([slot]))
        self._suppressing.set_leg(slot, command.noise_suppression)
        guarded = self._settings.hold_music_s > 0
        self._guards[slot] = guarded and _either(command.hold_guard, guarded)
        self._guard.reset(np.array([slot]))

    def held(self) -> Int64s:
        """Slots that must be read though nobody may hear them."""
        return np.flatnonzero(self._guard.kind)

    def follow(self, plan: Plan, fresh: Int64s) -> None:
        """A new plan; `fresh` are newly read."""
        talks = np.zeros(self._legs.capacity, np.bool_)
        talks[plan.reading[: plan.talkers]] = True
        attends = np.zeros(self._legs.capacity, np.bool_)
        attends[plan.reading[: plan.attended]] = True
        for slot in np.flatnonzero(self._speaking & (~attends | (talks != self._talked))).tolist():
            self._tell_stopped(slot)
        heard = np.flatnonzero(talks & ~self._talked)
        new = np.union1d(fresh, heard)
        self._speech.reset(new)
        # A re-INVITE of somebody who is held does not let him go: his speech does, or who unmutes him.
        self._guard.reset(np.union1d(fresh[self._guard.kind[fresh] == 0], heard))
        self._loudest.reset(new)
        self._suppressing.reset(new)
        self._sounds.reset(np.union1d(fresh, np.flatnonzero(self._talked & ~talks)))
        self._talked = talks
        held = np.flatnonzero(self._guard.kind[plan.reading[plan.talkers :]]) + plan.talkers
        self._listened = rows_of(np.concatenate((np.arange(plan.talkers), held)))

    # ---- the tick ----

    def apply(self, plan: Plan, frames: Int16s, wide_frames: Int16s) -> bool:
        """Change this tick's frames in place: `frames` `(reading, 160)`, and what wide legs said,
        `wide_frames` `(len(plan.wide.places), 320)`. Returns whether the plan must be made anew.
        """
        if plan.attended > plan.talkers:
            messages = slice(plan.talkers, plan.attended)
            self._tell(*self._sounds.update(plan.reading[messages], frames[messages]))
        slots, said = plan.reading[self._listened], frames[self._listened]
        if not len(slots):
            return False
        level = level_dbfs(said)
        judged = self._guards[slots] & self._speech.due(slots)
        heard = self._speech.update(slots, said, level, judged & (level > QUIETEST_DBFS))
        changed = self._judge(slots, level, heard, judged)
        self._tell_talking(heard)
        self._follow_gain(slots, level, heard)
        talkers = plan.reading[: plan.talkers]
        voices = _Voices(plan, frames, wide_frames)
        voices.suppress(self._suppressing, talkers)
        voices.scale(*self._gain.glide(talkers, frames[: plan.talkers]))
        if self._settings.loudest_talkers:
            talking = heard.speech[: plan.talkers]
            buses = self._legs.bus[talkers]
            voices.scale(*self._loudest.choose(talkers, buses, frames[: plan.talkers], talking))
        voices.silence(self._guard.kind[talkers].nonzero()[0])
        return changed

    def _judge(self, slots: Int64s, level: Float32, heard: Heard, asked: Bool) -> bool:
        """Catch whoever plays music, let go whoever speaks again."""
        due = asked.nonzero()[0]
        if not len(due):
            return False
        seen = np.full(len(slots), -1, np.int64)
        seen[heard.looked] = np.arange(len(heard.looked))
        row = seen[due]
        there = row >= 0
        partials = np.zeros((len(due), PARTIALS), np.float32)
        partials[there] = heard.looks.partials(row[there])
        concentration = np.zeros(len(due), np.float32)
        concentration[there] = heard.looks.concentration[row[there]]
        loudness = np.where(there, level[due], np.float32(-100.0))
        judged = self._guard.judge(slots[due], loudness, concentration, partials)
        for slot in judged.caught.tolist():
            if self._speaking[slot]:
                self._tell_stopped(slot)
            music = self._guard.kind[slot] == MUSIC
            self._emit(LegHeld(int(self._legs.number[slot]), "music" if music else "tone"))
        for slot in judged.let_go.tolist():
            self._emit(LegResumed(int(self._legs.number[slot])))
        self._speech.reset(judged.let_go)
        return bool(len(judged.caught) or len(judged.let_go))

    def _follow_gain(self, slots: Int64s, level: Float32, heard: Heard) -> None:
        speaks = (heard.speech & self._gains[slots] & (self._guard.kind[slots] == 0)).nonzero()[0]
        if len(speaks):
            chosen = slots[speaks]
            self._gain.follow(chosen, level[speaks], self._speech.floor.db[chosen])

    # ---- what is told ----

    def _tell_talking(self, heard: Heard) -> None:
        if len(heard.started) or len(heard.stopped):
            free = self._guard.kind[heard.started] == 0
            told = self._speaking[heard.stopped]
            self._tell(heard.started[free], heard.stopped[told])

    def _tell(self, started: Slots, stopped: Slots) -> None:
        for slot in started.tolist():
            self._speaking[slot] = True
            self._emit(SpeechStarted(int(self._legs.number[slot])))
        for slot in stopped.tolist():
            self._tell_stopped(slot)

    def _tell_stopped(self, slot: int) -> None:
        self._speaking[slot] = False
        self._emit(SpeechStopped(int(self._legs.number[slot])))


def _either(chosen: bool | None, usual: bool) -> bool:
    return usual if chosen is None else chosen


class _Voices:
    """The talkers' frames of a tick in both bands, to be changed in place."""

    def __init__(self, plan: Plan, frames: Int16s, wide_frames: Int16s) -> None:
        self._frames = frames
        self._wide = wide_frames
        self._wide_of: Int64s | None = None
        if plan.wide is not None and len(wide_frames):
            self._wide_of = np.full(len(plan.reading), -1, np.int64)
            self._wide_of[plan.wide.places] = np.arange(len(plan.wide.places))

    def scale(self, places: Slots, before: Float32, after: Float32) -> None:
        """Gains that glide from `before` to `after`, `(places,)`."""
        if not len(places):
            return
        self._frames[places] = amplify(self._frames[places], before, after)
        if self._wide_of is not None:
            rows = self._wide_of[places]
            wide = np.flatnonzero(rows >= 0)
            self._wide[rows[wide]] = amplify(self._wide[rows[wide]], before[wide], after[wide])

    def suppress(self, suppressing: Suppressing, slots: Int64s) -> None:
        """Take the noise from those talkers who are to have it so; `slots` are all of them."""
        places = suppressing.among(slots)
        if not len(places):
            return
        self._frames[places] = suppressing.narrow(slots[places], self._frames[places])
        if self._wide_of is not None:
            rows = self._wide_of[places]
            wide, rows = slots[places[rows >= 0]], rows[rows >= 0]
            if len(rows):
                self._wide[rows] = suppressing.wide(wide, self._wide[rows])

    def silence(self, places: Int64s) -> None:
        if len(places):
            self._frames[places] = 0
            if self._wide_of is not None:
                rows = self._wide_of[places]
                self._wide[rows[rows >= 0]] = 0
