"""Who hears what, worked out once per change: index arrays that the tick then follows blindly.

The tick makes a table of payloads, one row of 160 codes for every different thing that is heard: silence
in both laws, the mix of each bus for all its listeners in each law they use, one for everybody who must
not hear the same as the rest (talkers, the targets of whispers, owners of a bus play), one for each play
to a leg. The plan says how the table is made and which of its rows each leg is sent (`groups`). Wide legs,
of Opus and G.722, have a table of their own (`wide_plan`).
"""

from dataclasses import dataclass, field

import numpy as np

from townhall.audio.sums import RunSums
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.shapes import Bools, Bytes, Int64s, Rows, rows_of
from townhall.media.wide_plan import Hearing, WidePlan, make_wide_plan

ULAW_SILENCE_ROW, ALAW_SILENCE_ROW = 0, 1
SILENCE_ROWS = 2


@dataclass(slots=True)
class BusPlays:
    """The running plays to buses: row of the play, bus, slot of the owner (-1: none)."""

    rows: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    buses: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    owners: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(slots=True)
class Group:
    """Legs that are sent to with one ptime, sorted by socket; each form apart, Opus in packets of 20 ms."""

    ptime: int
    form: Form
    slots: Int64s
    sources: Int64s
    """Row of the payload table (of wide legs: of theirs) for each."""


@dataclass(slots=True)
class Plan:
    """`reading` are the slots whose uplink is read: talkers first, sorted by bus, then those whose speech
    alone is of interest, then whisperers, then the rest.
    """

    reading: Int64s
    talkers: int
    """How many of `reading` are talkers."""
    attended: int
    """How many, the talkers included, have their speech told."""
    in_band: Int64s
    """Places in `reading` of legs whose keys come as tones."""
    sums: RunSums
    """Of the talkers of each talking bus."""
    sum_buses: Int64s
    """Bus of each of those sums, ascending."""
    buses: Int64s
    """Every bus with a leg."""
    mixed_buses: Int64s
    """Buses with common listeners, ascending."""
    mixed_ulaw: Rows
    """Places in `mixed_buses` that are needed in µ-law."""
    mixed_alaw: Rows
    single: Int64s
    """Slots with a mix of their own, µ-law ones first."""
    single_ulaw: int
    """How many of `single` are µ-law."""
    single_talking: Rows
    """Places in `single` of those who are in their bus's sum; `single_own` are their places in `reading`."""
    single_own: Rows
    whisper_targets: Int64s
    """Places in `single`, one per whisper."""
    whisper_voices: Int64s
    """Places in `reading`, or behind it, one per whisper."""
    owned_plays: Int64s
    """Places in the bus plays whose owner hears the bus; `owning` are the owners' places in `single`."""
    owning: Int64s
    plays: Int64s
    """Running plays to legs (rows of `Players`)."""
    play_laws: Bytes
    table_rows: int
    sources: Int64s
    """Row of the payload table (of wide legs: of theirs) for every slot, `(legs,)`."""
    groups: list[Group]
    wide: WidePlan | None
    """None while no leg is wide."""


_NOBODY: Int64s = np.zeros(0, np.int64)


def make_plan(
    legs: Legs,
    running: Bools,
    bus_plays: BusPlays,
    recorded: Int64s = _NOBODY,
    attended: Int64s = _NOBODY,
    whispered_to: tuple[Int64s, Int64s] = (_NOBODY, _NOBODY),
) -> Plan:
    """The plan for the legs as they are; `running` says which play rows sound.

    `recorded`: slots to be read in any case; `attended`: those whose speech is to be told, too.
    `whispered_to`: slots (-1: gone) and their buses, for each voice that stands behind `reading` in the
    frames.
    """
    active = legs.used & legs.connected
    on_bus = active & (legs.bus >= 0)
    speaking = active & legs.receives
    talks = speaking & on_bus & legs.heard
    hears = on_bus & legs.sends & legs.hears & (legs.play < 0)
    target = legs.whisper_to
    whispers = speaking & on_bus & ~legs.heard & (target >= 0)
    whispers &= hears[target] & (legs.bus[target] == legs.bus)
    in_band = speaking & (legs.event_type < 0)

    talker_slots = np.flatnonzero(talks)
    talker_slots = talker_slots[np.argsort(legs.bus[talker_slots], kind="stable")]
    whisperers = np.flatnonzero(whispers)
    attends, others = (_among(slots, legs.capacity) for slots in (attended, recorded))
    attends &= speaking & ~talks
    others = (in_band | (others & speaking)) & ~talks & ~attends
    reading = np.concatenate(
        (
            talker_slots,
            np.flatnonzero(attends),
            np.flatnonzero(whispers & ~attends),
            np.flatnonzero(others & ~whispers),
        )
    )
    place = np.full(legs.capacity, -1, np.int64)
    place[reading] = np.arange(len(reading))
    talker_buses = legs.bus[talker_slots].astype(np.int64)
    sum_buses, sum_starts = np.unique(talker_buses, return_index=True)

    remote = np.flatnonzero(
        (whispered_to[0] >= 0) & hears[whispered_to[0]] & (legs.bus[whispered_to[0]] == whispered_to[1])
    )
    remote_targets, remote_voices = whispered_to[0][remote], len(reading) + remote
    own_mix = hears & talks
    own_mix[target[whisperers]] = True
    own_mix[remote_targets] = True
    owners_hear = (bus_plays.owners >= 0) & hears[bus_plays.owners]
    owners_hear &= legs.bus[bus_plays.owners] == bus_plays.buses
    own_mix[bus_plays.owners[owners_hear]] = True
    plays_owned = np.flatnonzero(owners_hear)
    owners = bus_plays.owners[plays_owned]
    playing = np.flatnonzero(
        active & (legs.play >= 0)
    )  # on hold too: a document's prompts go by in real time
    playing = playing[running[legs.play[playing]]]
    source = _Sources(legs)
    wide = None
    wide_legs = active & legs.wide
    if wide_legs.any():
        hearing = Hearing(
            reading=reading,
            talkers=len(talker_slots),
            common=hears & ~own_mix,
            single=own_mix,
            talks=talks,
            whisperers=whisperers,
            remote_targets=remote_targets,
            remote_voices=remote_voices,
            playing=playing,
            plays_owned=plays_owned,
            owners=owners,
        )
        wide = make_wide_plan(legs, hearing, source.of)
        hears, own_mix = hears & ~wide_legs, own_mix & ~wide_legs
        whisperers = whisperers[~wide_legs[target[whisperers]]]
        remote_voices = remote_voices[~wide_legs[remote_targets]]
        remote_targets = remote_targets[~wide_legs[remote_targets]]
        playing = playing[~wide_legs[playing]]
        plays_owned, owners = plays_owned[~wide_legs[owners]], owners[~wide_legs[owners]]
    single = np.flatnonzero(own_mix)
    single = single[np.lexsort((place[single], legs.law[single]))]
    talking = np.flatnonzero(talks[single])
    single_place = np.full(legs.capacity, -1, np.int64)
    single_place[single] = np.arange(len(single))

    common = np.flatnonzero(hears & ~own_mix)
    mixed_buses, mixed_of = np.unique(legs.bus[common].astype(np.int64), return_inverse=True)
    by_law = [
        source.give_rows(common[legs.law[common] == law], mixed_of[legs.law[common] == law]) for law in (0, 1)
    ]
    source.give_rows(single, np.arange(len(single)))
    source.give_rows(playing, np.arange(len(playing)))
    return Plan(
        reading=reading,
        talkers=len(talker_slots),
        attended=len(talker_slots) + int(np.count_nonzero(attends)),
        in_band=place[np.flatnonzero(in_band)],
        sums=RunSums(sum_starts, len(talker_slots)),
        sum_buses=sum_buses,
        buses=np.unique(legs.bus[on_bus]).astype(np.int64),
        mixed_buses=mixed_buses,
        mixed_ulaw=rows_of(by_law[0]),
        mixed_alaw=rows_of(by_law[1]),
        single=single,
        single_ulaw=int(np.count_nonzero(legs.law[single] == 0)),
        single_talking=rows_of(talking),
        single_own=rows_of(place[single[talking]]),
        whisper_targets=single_place[np.concatenate((target[whisperers], remote_targets))],
        whisper_voices=np.concatenate((place[whisperers], remote_voices)),
        owned_plays=plays_owned,
        owning=single_place[owners],
        plays=legs.play[playing].astype(np.int64),
        play_laws=legs.law[playing],
        table_rows=source.rows,
        sources=source.of,
        groups=_groups(legs, active, source.of),
        wide=wide,
    )


def _among(slots: Int64s, capacity: int) -> Bools:
    mask = np.zeros(capacity, np.bool_)
    mask[slots] = True
    return mask


class _Sources:
    """Which row of the payload table each leg is sent."""

    def __init__(self, legs: Legs) -> None:
        self.of = np.where(legs.law == 0, ULAW_SILENCE_ROW, ALAW_SILENCE_ROW).astype(np.int64)
        self.rows = SILENCE_ROWS

    def give_rows(self, slots: Int64s, things: Int64s) -> Int64s:
        """Rows for the distinct `things` that `slots` hear, in ascending order; returns those things."""
        distinct, which = np.unique(things, return_inverse=True)
        self.of[slots] = self.rows + which
        self.rows += len(distinct)
        return distinct.astype(np.int64)


def _groups(legs: Legs, active: Bools, source: Int64s) -> list[Group]:
    sending = np.flatnonzero(active & legs.sends & legs.has_remote & ~legs.pressing & ~legs.withheld)
    sending = sending[np.argsort(legs.socket[sending], kind="stable")]
    groups = []
    for form in Form:
        alike = sending[legs.form[sending] == form]
        for ptime in np.unique(legs.ptime[alike]).tolist():
            slots = alike[legs.ptime[alike] == ptime]
            groups.append(Group(int(ptime), form, slots, source[slots]))
    return groups
