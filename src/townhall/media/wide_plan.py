"""The part of a plan that wide legs (Opus, G.722) need, made only when there is one.

They have a payload table of their own, one row per packet: silence, the mix of each bus for its common
listeners (once for each codec and quality that they agreed on), one for everybody who must not hear the same
as the rest, one per play. What they say is in the narrow frames as well, brought down to 8 kHz, so that
everything else (G.711's sums, digits, recorders) needs to know nothing of them.
"""

from dataclasses import dataclass

import numpy as np

from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.shapes import Bools, Int64s

SILENCE_ROW = {Form.OPUS: 0, Form.G722: 1}
WIDE_SILENCE_ROWS = 2


@dataclass(slots=True)
class WidePlan:
    """Everything is in the order of the rows that it makes."""

    places: Int64s
    """Places in `Plan.reading` of the wide legs."""
    narrow_places: Int64s
    """Of all others."""
    buses: Int64s
    """Buses that a wide leg hears, ascending; the wide sums are made for these."""
    voices: Int64s
    """Wide frames (by place in `places`) of the talkers in those buses, sorted by bus."""
    sum_starts: Int64s
    """Where each bus begins among the voices, for `np.add.reduceat`."""
    sum_rows: Int64s
    """Row in `buses` of each of those sums."""
    mixed_rows: Int64s
    """Row in `buses` of every common mix; a bus occurs once per quality."""
    mixed_quality: Int64s
    single: Int64s
    """Slots with a mix of their own."""
    single_rows: Int64s
    """Row in `buses` of each."""
    single_quality: Int64s
    single_own: Int64s
    """Wide frame of a single's own voice in its bus's sum, -1: not in it."""
    whisper_targets: Int64s
    """Places in `single` of those who are whispered to by a wide leg, one per whisper."""
    whisper_voices: Int64s
    """Wide frames of the whisperers."""
    private: Int64s
    """Places in `single` of those who hear something of their own that is narrow."""
    private_targets: Int64s
    """Places in `private`, one per whisper of a narrow leg."""
    private_voices: Int64s
    """Places in `Plan.reading`, or behind it, of those whisperers."""
    owned_plays: Int64s
    """Places in the bus plays whose owner is a wide leg in the bus; `owning` are places in `private`."""
    owning: Int64s
    plays: Int64s
    """Running plays to wide legs (rows of `Players`)."""
    streams: Int64s
    """What each slot is sent, `(legs,)`: a bus (its number), a play (`-2 -` its row), silence (-1)."""
    table_rows: int


@dataclass(slots=True)
class Hearing:
    """What the narrow and the wide part of a plan have in common; slots, or masks over slots."""

    reading: Int64s
    talkers: int
    common: Bools
    """Hear the same as others of their bus."""
    single: Bools
    """Hear the bus, with a mix of their own."""
    talks: Bools
    whisperers: Int64s
    remote_targets: Int64s
    """Slots of those who are whispered to from another process, and where that voice is in the frames."""
    remote_voices: Int64s
    playing: Int64s
    plays_owned: Int64s
    """Places in the bus plays whose owner hears the bus."""
    owners: Int64s
    """Slots of these owners."""


def make_wide_plan(legs: Legs, hearing: Hearing, sources: Int64s) -> WidePlan:
    """The wide part; writes the rows that wide legs are sent into `sources` `(legs,)`."""
    wide_legs = legs.wide
    is_wide = wide_legs[hearing.reading]
    places = np.flatnonzero(is_wide)
    wide_of = _places(hearing.reading[places], legs.capacity)
    for form, silence in SILENCE_ROW.items():
        sources[legs.form == form] = silence

    common = np.flatnonzero(hearing.common & wide_legs)
    single = np.flatnonzero(hearing.single & wide_legs)
    single_place = _places(single, legs.capacity)
    buses = np.unique(legs.bus[np.concatenate((common, single))]).astype(np.int64)

    talkers = hearing.reading[: hearing.talkers]
    voices = talkers[wide_legs[talkers] & np.isin(legs.bus[talkers], buses)]
    sum_buses, sum_starts = np.unique(legs.bus[voices].astype(np.int64), return_index=True)

    mix = legs.bus[common].astype(np.int64) << 8 | legs.quality[common]
    mixes, which = np.unique(mix, return_inverse=True)
    row = WIDE_SILENCE_ROWS
    sources[common] = row + which
    row += len(mixes)
    sources[single] = row + np.arange(len(single))
    row += len(single)
    playing = hearing.playing[wide_legs[hearing.playing]]
    sources[playing] = row + np.arange(len(playing))
    row += len(playing)
    streams = np.full(legs.capacity, -1, np.int64)
    heard = np.concatenate((common, single))
    streams[heard], streams[playing] = legs.bus[heard], -2 - legs.play[playing]

    whisperers = hearing.whisperers[wide_legs[legs.whisper_to[hearing.whisperers]]]
    targets = legs.whisper_to[whisperers]
    wide = wide_legs[whisperers]
    owned = wide_legs[hearing.owners]
    remote = wide_legs[hearing.remote_targets]
    narrow_targets = np.concatenate((targets[~wide], hearing.remote_targets[remote]))
    private = np.unique(single_place[np.concatenate((narrow_targets, hearing.owners[owned]))])
    private_place = _places(private, len(single))
    return WidePlan(
        places=places,
        narrow_places=np.flatnonzero(~is_wide),
        buses=buses,
        voices=wide_of[voices],
        sum_starts=sum_starts,
        sum_rows=np.searchsorted(buses, sum_buses),
        mixed_rows=np.searchsorted(buses, mixes >> 8),
        mixed_quality=mixes & 0xFF,
        single=single,
        single_rows=np.searchsorted(buses, legs.bus[single].astype(np.int64)),
        single_quality=legs.quality[single].astype(np.int64),
        single_own=np.where(hearing.talks[single], wide_of[single], -1),
        whisper_targets=single_place[targets[wide]],
        whisper_voices=wide_of[whisperers[wide]],
        private=private,
        private_targets=private_place[single_place[narrow_targets]],
        private_voices=np.concatenate(
            (
                _places(hearing.reading, legs.capacity)[whisperers[~wide]],
                hearing.remote_voices[remote],
            )
        ),
        owned_plays=hearing.plays_owned[owned],
        owning=private_place[single_place[hearing.owners[owned]]],
        plays=legs.play[playing].astype(np.int64),
        streams=streams,
        table_rows=row,
    )


def _places(things: Int64s, size: int) -> Int64s:
    """Where each of `size` things stands among `things`, -1: nowhere."""
    place = np.full(size, -1, np.int64)
    place[things] = np.arange(len(things))
    return place
