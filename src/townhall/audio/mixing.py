"""Sums of talkers, everybody's sum without themselves, and the limiter behind both.

Rows are legs. A bus's rows stand together (rows sorted by bus), so a sum is one `np.add.reduceat`. Sums are
int32: 65,536 talkers at full scale fit. Levels of single talkers are left alone here; automatic gain is in
`gain`.
"""

import numpy as np

from townhall.audio.shapes import Float32, Int16, Int32, Slots

LIMIT_THRESHOLD = 23197
"""-3 dBFS: below it samples pass unchanged."""

_CEILING = 32767
_HEADROOM = _CEILING - LIMIT_THRESHOLD
_RELEASE = 1.02
"""Gain may rise by this factor a frame, 9 dB a second. Ten loud talkers then move it by 0.6 dB a frame (at
three times the speed by 1.0), and their sum comes out 3 dB nearer to what it was.
"""


def bus_sums(frames: Int16, buses: Slots) -> tuple[Slots, Int32, Slots]:
    """Sum the talkers of every bus.

    `frames` is int16 `(rows, samples)`, `buses` int `(rows,)` in ascending order. Returns the distinct buses
    `(n,)`, their sums int32 `(n, samples)`, and for every row the index of its bus in those `(rows,)`.
    """
    if len(buses) == 0:
        return buses, np.zeros((0, frames.shape[1]), np.int32), np.zeros(0, np.intp)
    changes = np.concatenate(([True], buses[1:] != buses[:-1]))
    starts = np.flatnonzero(changes)
    sums = np.add.reduceat(frames, starts, axis=0, dtype=np.int32)
    return buses[starts], sums, np.cumsum(changes) - 1


def mix_minus(sums: Int32, frames: Int16, bus_index: Slots) -> Int32:
    """What each talker hears: its bus's sum without itself.

    `sums` int32 `(buses, samples)`, `frames` int16 `(rows, samples)`, `bus_index` `(rows,)` into `sums`; the
    result is int32 `(rows, samples)`.
    """
    return sums[bus_index] - frames


def add_private(mixes: Int32, receivers: Slots, frames: Int16) -> None:
    """Add whispers in place: `frames[i]` is heard by row `receivers[i]` of `mixes`; a receiver may occur
    repeatedly.
    """
    np.add.at(mixes, receivers, frames)


def limit(mixes: Int32, gain: Float32 | None = None) -> Int16:
    """Bring sums into 16 bits without wrapping and without hard edges.

    `mixes` is int32 `(rows, samples)`; the result int16 of the same shape. Rows that stay below
    `LIMIT_THRESHOLD` pass unchanged (unless their gain is still recovering). `gain` is the limiter's memory,
    float32 `(rows,)`, ones at first, changed in place: a loud row is turned down within the frame and comes
    back slowly. Without it each frame stands alone. What the gain does not catch is bent smoothly below full
    scale.
    """
    loudest = max(int(mixes.max(initial=0)), -int(mixes.min(initial=0)))
    if loudest <= LIMIT_THRESHOLD and (gain is None or (gain >= 1.0).all()):
        return mixes.astype(np.int16)  # nearly always, and four times as fast as to ask row by row
    peak = np.abs(mixes).max(axis=1)
    loud = peak > LIMIT_THRESHOLD
    if gain is not None:
        loud |= gain < 1.0
    rows = np.flatnonzero(loud)
    result = mixes.astype(np.int16)
    signal = mixes[rows].astype(np.float32)
    if gain is not None:
        signal *= _gain_ramp(gain, rows, peak[rows], signal.shape[1])
    result[rows] = _bend(signal)
    return result


def _gain_ramp(gain: Float32, rows: Slots, peak: Int32, samples: int) -> Float32:
    """Gains `(rows, samples)` that glide from the last frame's to this frame's; updates `gain`."""
    before = gain[rows]
    wanted = np.minimum(LIMIT_THRESHOLD / np.maximum(peak, 1), 1.0).astype(np.float32)
    after = np.minimum(wanted, before * np.float32(_RELEASE))
    gain[rows] = after
    glide = np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)
    ramp: Float32 = before[:, None] + (after - before)[:, None] * glide
    return ramp


def _bend(signal: Float32) -> Int16:
    """A curve that is the identity below the threshold and approaches full scale above, with no corner."""
    size = np.abs(signal)
    if size.max(initial=0.0) <= LIMIT_THRESHOLD:  # the gain has caught everything
        return np.rint(signal).astype(np.int16)
    over = np.maximum(size - LIMIT_THRESHOLD, 0.0) / _HEADROOM
    bent = np.where(size > LIMIT_THRESHOLD, LIMIT_THRESHOLD + _HEADROOM * np.tanh(over), size)
    return np.copysign(np.rint(bent), signal).astype(np.int16)
