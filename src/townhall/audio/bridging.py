"""A hole whose both ends are known: the voice before it goes on, the voice after it goes back, and they meet.

At 20 ms of delay the packet after a lone loss is there when the loss is due, so most holes are of this kind.
What goes on from before is stretched or squeezed until it is in step with what follows; what goes back from
there covers as many periods, so the two are in step all the way and can be cross-faded without cancelling
each other. What nothing speaks for (a hiss, a beginning) is kept a little lower: guessed sound that is too
loud is heard more than sound that is too soft.
"""

import numpy as np

from townhall.audio.periods import FARTHEST, Periods, alignment, pitch_near, repeat
from townhall.audio.shapes import Float32, Int32

FADED_AFTER = 640
"""Samples of a hole after which its concealment is silent: 80 ms."""

_HOLD = 160
"""Samples at full level before the fade begins."""

_GUESSED = np.float32(0.5)
"""Level in the middle of a hole whose sides have nothing in common."""
_EDGE = np.float32(40)


def faded(position: Float32 | Int32) -> Float32:
    """The level of what is repeated, by the samples since its hole began."""
    span = np.float32(FADED_AFTER - _HOLD)
    level: Float32 = np.clip((FADED_AFTER - position) / span, 0.0, 1.0).astype(np.float32)
    return level


def bridge(past: Periods, gap: Int32, length: Int32, future: Float32, known: Int32) -> Float32:
    """What fills holes of `length` samples `(n,)`, float32 `(n, longest)`; what is beyond a row's is void.

    `past` has gone on for `gap` samples already. `future` float32 `(n, FUTURE)` follows the hole: its first
    `known` samples are real, the others zero.
    """
    most = np.minimum(np.minimum(past.pitch, length) // 2, FARTHEST)
    shift, alike = alignment(past, gap + length, future, known, most)
    pitch = pitch_near(future, known, past.pitch, alike)
    back = repeat(np.ascontiguousarray(future[:, ::-1]), pitch, np.ones_like(pitch), known)

    step = np.arange(int(length.max()), dtype=np.float32)
    left = np.maximum(length[:, None] - 1 - step, 0)
    ratio = ((length + shift) / length).astype(np.float32)[:, None]
    before = past.at(gap[:, None] + step * ratio) * faded(gap[:, None] + step)
    after = back.at(left * ratio * (pitch / past.pitch).astype(np.float32)[:, None])
    weight = np.minimum((step + 0.5) / length[:, None].astype(np.float32), 1)
    inside = np.clip(np.minimum(step + 1, left + 1) / _EDGE, 0, 1)
    level = 1 - (1 - _GUESSED) * inside * (1 - alike[:, None])
    filled: Float32 = (before + (after - before) * weight) * level
    return filled
