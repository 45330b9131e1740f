"""Who hears whom: every phone's last half second is searched for every phone's tone, for music and for
silence.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.harness.music import is_hold_music
from tests.harness.tones import ever_heard, heard, is_silent

from townhall.phone import NotHeard
from townhall.phone.hearing import RATE, Samples

MUSIC = "music"
SILENCE = "silence"
Expected = str | Sequence[str]
"""What one phone hears: `music`, `silence`, or the names of those it hears (in one string, or several)."""
WINDOW_S = 0.5


class Ear(Protocol):
    """What a phone of any make must have to be asked what it hears; samples are int16 at 8 kHz."""

    @property
    def received(self) -> Samples: ...

    async def listen(self, seconds: float) -> Samples: ...


@dataclass(frozen=True)
class Seat:
    """A phone in a story: its name, the tone it sends, its call."""

    name: str
    tone_hz: float
    call: Ear


@dataclass(frozen=True)
class Heard:
    """What one phone heard within a window."""

    names: frozenset[str]
    music: bool
    silent: bool

    @classmethod
    def expected(cls, what: Expected) -> "Heard":
        names = frozenset(what.split() if isinstance(what, str) else what)
        if names == {MUSIC}:
            return cls(frozenset(), True, False)
        if names == {SILENCE} or not names:
            return cls(frozenset(), False, True)
        return cls(names, False, False)

    def exceeds(self, wanted: "Heard") -> bool:
        """Whether more was heard than should be: somebody, music, or anything where silence belongs."""
        return bool(
            self.names - wanted.names
            or (self.music and not wanted.music)
            or (wanted.silent and not self.silent)
        )


def what_is_heard(samples: Samples, seats: Sequence[Seat]) -> Heard:
    """Search samples at 8 kHz, shape (samples,), for the tones of all seats, the listener's own (an echo)
    included.
    """
    names = frozenset(heard(samples, {seat.name: seat.tone_hz for seat in seats}))
    return Heard(names, is_hold_music(samples), is_silent(samples))


async def assert_hearing(seats: Sequence[Seat], expected: Mapping[str, Expected], within_s: float) -> None:
    """Wait until everybody hears what is expected, then assert the whole matrix over another half second.

    Every phone that is on the line must be in `expected`: a story says everything, not only what it is about.
    """
    names = {seat.name for seat in seats}
    assert names == set(expected), f"on the line are {sorted(names)}, expected was {sorted(expected)}"
    wanted = {name: Heard.expected(what) for name, what in expected.items()}
    deadline = time.monotonic() + within_s
    # Every measurement is looked at, however long it took: a busy machine is no reason to fail. Nor is a tone
    # that such a machine let break off for a moment; but whoever hears more than he may is never excused.
    while True:
        found = await _measure(seats, WINDOW_S / 2)
        if found == wanted:
            found = await _measure(seats, WINDOW_S)
            if found == wanted:
                return
            too_much = any(found[name].exceeds(wanted[name]) for name in names)
            if too_much or time.monotonic() > deadline:
                raise AssertionError(f"heard otherwise than expected\n{drawn(seats, found, wanted)}")
        elif time.monotonic() > deadline:
            raise AssertionError(
                f"not heard as expected within {within_s:g} s\n{drawn(seats, found, wanted)}"
            )


def assert_never_heard(name: str, seats: Sequence[Seat]) -> None:
    """Assert that nobody has heard this phone's tone at any moment of his call so far."""
    tones = {seat.name: seat.tone_hz for seat in seats if seat.name == name}
    for seat in seats:
        received = seat.call.received
        if len(received) >= WINDOW_S * RATE:
            assert not ever_heard(received, tones), f"{seat.name} heard {name}"


async def _measure(seats: Sequence[Seat], seconds: float) -> dict[str, Heard]:
    heard_by_all = await asyncio.gather(*(_listen(seat, seconds) for seat in seats))
    # In threads, since the phones share the loop's time.
    judged = [asyncio.to_thread(what_is_heard, samples, seats) for samples in heard_by_all]
    return {seat.name: what for seat, what in zip(seats, await asyncio.gather(*judged), strict=True)}


async def _listen(seat: Seat, seconds: float) -> Samples:
    try:
        return await seat.call.listen(seconds)
    except NotHeard as error:
        raise AssertionError(str(error)) from error


def drawn(seats: Sequence[Seat], found: Mapping[str, Heard], wanted: Mapping[str, Heard]) -> str:
    """The matrix as text: rows hear columns; `x` heard, `M` music, `.` not; `!` what was not expected."""
    names = [seat.name for seat in seats]
    width = max(len(name) for name in [*names, MUSIC]) + 2
    rows = ["rows hear columns".ljust(width) + "".join(name.rjust(width) for name in [*names, MUSIC])]
    for name in names:
        was = found[name]
        cells = [_cell("x", other in was.names, other in wanted[name].names) for other in names]
        cells.append(_cell("M", was.music, wanted[name].music))
        quiet = (
            ""
            if was.silent == wanted[name].silent
            else f"  (silent: {was.silent}, expected {wanted[name].silent})"
        )
        rows.append(name.ljust(width) + "".join(cell.rjust(width) for cell in cells) + quiet)
    return "\n".join(rows)


def _cell(sign: str, is_so: bool, should_be: bool) -> str:
    return (sign if is_so else ".") + ("" if is_so == should_be else "!")
