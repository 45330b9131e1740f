"""Who hears whom in any constellation, against a definition written out leg by leg."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.media_rig import Rig, heard_in

LEGS = 6


@dataclass(frozen=True)
class Place:
    """One leg's part in a constellation."""

    bus: str | None
    hears: bool
    heard: bool
    whisper_to: int | None
    codec: str
    send: bool
    receive: bool


places = st.builds(
    Place,
    bus=st.sampled_from(["a", "a", "b", None]),
    hears=st.booleans(),
    heard=st.booleans(),
    whisper_to=st.one_of(st.none(), st.integers(1, LEGS)),
    codec=st.sampled_from(["PCMU", "PCMA"]),
    send=st.sampled_from([True, True, False]),
    receive=st.sampled_from([True, True, False]),
)


def level_of(leg: int, places: dict[int, Place]) -> int:
    """What comes out of a leg's decoder: powers of two, so that every sum tells who is in it."""
    return heard_in(places[leg].codec, 64 * 2**leg)


def expected(listener: int, places: dict[int, Place]) -> int:
    """The sum a leg hears, by the rules of `SetMix`."""
    me = places[listener]
    if me.bus is None or not me.hears:
        return 0
    total = 0
    for leg, other in places.items():
        if leg == listener or other.bus != me.bus or not other.receive:
            continue
        if other.heard or other.whisper_to == listener:
            total += level_of(leg, places)
    return total


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(places, min_size=LEGS, max_size=LEGS), min_size=1, max_size=2))
def test_everybody_hears_exactly_whom_the_mix_says(constellations: list[list[Place]]) -> None:
    rig = Rig()
    try:
        for constellation in constellations:
            check(rig, dict(enumerate(constellation, 1)))
            for leg in list(rig.phones):
                rig.mix(leg, None)
    finally:
        rig.close()


def check(rig: Rig, constellation: dict[int, Place]) -> None:
    from townhall.media.protocol import CloseLeg

    for leg in list(rig.phones):
        rig.handle(CloseLeg(leg))
    rig.phones.clear()
    for leg, place in constellation.items():
        rig.call(leg, 64 * 2**leg, place.codec, send=place.send, receive=place.receive)
    for leg, place in constellation.items():
        fields = {} if place.whisper_to is None else {"whisper_to": place.whisper_to}
        rig.mix(leg, place.bus, place.hears, place.heard, **fields)
    rig.settle()
    for leg, place in constellation.items():
        phone = rig.phones[leg]
        if not place.send:
            assert phone.heard == []
        else:
            assert phone.hears() == heard_in(place.codec, expected(leg, constellation))


def test_plan_of_no_legs_sends_nothing() -> None:
    rig = Rig()
    assert rig.engine.tick(rig.now) == []
    assert len(rig.engine.uplinks.narrow.read(np.zeros(0, np.int64))) == 0
    rig.close()
