"""Who hears whom in any constellation of codecs, by tones, against a definition written out leg by leg."""

from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.harness.media_rig import Rig
from tests.harness.opus_phone import TonePhone, call_tones, tones

from townhall.audio.clips import write_wav
from townhall.media.protocol import PlayToBus

TONES = (440.0, 740.0, 1090.0, 1530.0, 2130.0)
LEGS = len(TONES)
BEEP = 2700.0
SETTLE_TICKS, LISTEN_TICKS = 20, 26


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
    bus=st.sampled_from(["a", "a", "a", "b", None]),
    hears=st.booleans(),
    heard=st.booleans(),
    whisper_to=st.one_of(st.none(), st.integers(1, LEGS)),
    codec=st.sampled_from(["opus", "G722", "PCMU", "PCMA"]),
    send=st.sampled_from([True, True, True, False]),
    receive=st.sampled_from([True, True, True, False]),
)


def expected(listener: int, places: dict[int, Place], beep_owner: int) -> set[float]:
    """The tones that a leg hears, by the rules of `SetMix` and `PlayToBus`."""
    me = places[listener]
    if me.bus is None or not me.hears:
        return set()
    heard = {
        TONES[leg - 1]
        for leg, other in places.items()
        if leg != listener
        and other.bus == me.bus
        and other.receive
        and (other.heard or other.whisper_to == listener)
    }
    return heard | ({BEEP} if me.bus == "a" and listener != beep_owner else set())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(places, min_size=LEGS, max_size=LEGS), min_size=1, max_size=2),
    st.integers(1, LEGS),
)
def test_everybody_hears_exactly_whom_the_mix_says_whatever_they_speak(
    tmp_path: Path, constellations: list[list[Place]], beep_owner: int
) -> None:
    beep = tmp_path / "beep.wav"
    beep.write_bytes(write_wav(tones((BEEP,), 16000, 0, 16000 * 10), 16000))
    rig = Rig()
    try:
        # The second constellation follows on the first: legs keep what they speak and change their places.
        first = constellations[0]
        for leg, place in enumerate(first, 1):
            call_tones(rig, leg, (TONES[leg - 1],), place.codec, send=place.send, receive=place.receive)
        for turn, constellation in enumerate(constellations):
            check(rig, constellation, first, str(beep), beep_owner, turn)
    finally:
        rig.close()


def check(
    rig: Rig, constellation: list[Place], first: list[Place], beep: str, beep_owner: int, turn: int
) -> None:
    held = {
        leg: Place(p.bus, p.hears, p.heard, p.whisper_to, f.codec, f.send, f.receive)
        for leg, (p, f) in enumerate(zip(constellation, first, strict=True), 1)
    }
    for leg, place in held.items():
        fields = {} if place.whisper_to is None else {"whisper_to": place.whisper_to}
        rig.mix(leg, place.bus, place.hears, place.heard, **fields)
    rig.handle(PlayToBus("a", turn, [beep], beep_owner))
    rig.load()
    rig.tick(SETTLE_TICKS + LISTEN_TICKS)
    rig.engine.players.stop(rig.engine.players.row_of(turn))
    for leg, place in held.items():
        phone = rig.phones[leg]
        assert isinstance(phone, TonePhone)
        if not place.send:
            assert phone.heard == []
        else:
            assert phone.hears_hz((*TONES, BEEP)) == expected(leg, held, beep_owner), leg
