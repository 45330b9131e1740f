"""The moderator leaves: how soon everybody is hung up, and who heard the goodbye before."""

import asyncio
import time
from collections.abc import Sequence

import msgspec
import numpy as np

from townhall.audio import ULAW_DECODE
from townhall.bench.courses import Progress, Row
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.calling import Answered
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.voices import RATE, frequency
from townhall.media.shapes import Bools, Int64s

RELEASE_AIM_S = 5.0
_WITHIN_S = 20.0
_RECORDED_S = 20.0
_LEAST_WORDS = 20
"""Packets of the last second that are not silence: a goodbye was said."""
_LEAST_OWN = 0.5
"""Of their energy, what is at no talker's frequency: it was not the conference that was heard."""
_BLOCK = 128


class ReleaseFigures(msgspec.Struct, frozen=True):
    callers: int
    released: int
    """Who was hung up by the server, the moderator not being among the callers."""
    goodbyes: int
    """Who heard words after the conference and before the end."""
    half_s: float
    """When half of them had been hung up, seconds after the moderator hung up."""
    last_s: float


async def release_all(
    crowd: CrowdApart, calls: Sequence[Answered], audience: Audience, progress: Progress
) -> ReleaseFigures:
    """Hang up the moderator (the first call) and wait for the others' end."""
    moderator, others = calls[0], calls[1:]
    crowd.begin_recording(_RECORDED_S)
    began = time.monotonic()
    await moderator.session.hang_up()
    ended = 0
    while ended < len(others) and time.monotonic() - began < _WITHIN_S:
        await asyncio.sleep(0.05)
        ended = sum(call.ended_at is not None for call in others)
        progress("The moderator leaves", ended / max(1, len(others)))
    recording = crowd.end_recording()
    times = np.array([call.ended_at - began for call in others if call.ended_at is not None])
    phones = np.array([call.phone for call in others if call.ended_at is not None], np.int64)
    return ReleaseFigures(
        callers=len(others),
        released=len(times),
        goodbyes=int(heard_words(recording, phones, audience).sum()),
        half_s=float(np.median(times)) if len(times) else 0.0,
        last_s=float(times.max()) if len(times) else 0.0,
    )


def release_rows(figures: ReleaseFigures) -> list[Row]:
    everybody = figures.released == figures.callers
    return [
        Row("hung up", f"{figures.released} of {figures.callers}", "all", everybody),
        Row("heard the goodbye", f"{figures.goodbyes}", "all", figures.goodbyes == figures.callers),
        Row("half of them within", f"{figures.half_s:.1f} s"),
        Row(
            "all within",
            f"{figures.last_s:.1f} s",
            f"< {RELEASE_AIM_S:g} s",
            everybody and figures.last_s < RELEASE_AIM_S,
        ),
    ]


def heard_words(recording: Recording, phones: Int64s, audience: Audience) -> Bools:
    """Whether the last second of sound of each phone is somebody else's than the talkers'."""
    tones = np.array([frequency(voice) for voice in audience.voices])
    near = (tones[:, None] + np.arange(-3, 4)).ravel()
    found = [np.zeros(0, np.bool_)]
    for first in range(0, len(phones), _BLOCK):
        sound = recording.sound(phones[first : first + _BLOCK])
        loud = (sound | 0x80 != 0xFF).sum(axis=2) > 40
        last = loud.shape[1] - np.argmax(loud[:, ::-1], axis=1)
        frames = np.clip(last[:, None] + np.arange(-50, 0), 0, None)
        rows = np.arange(len(sound))[:, None]
        words = ULAW_DECODE[sound[rows, frames]].reshape(-1, RATE).astype(np.float32)
        power = np.abs(np.fft.rfft(words, axis=1)) ** 2
        own = 1 - power[:, near].sum(axis=1) / (power.sum(axis=1) + 1e-9)
        said = loud[rows, frames].sum(axis=1) >= _LEAST_WORDS
        found.append(said & (own > _LEAST_OWN))
    return np.concatenate(found)
