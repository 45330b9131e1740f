"""Who hears whom, as exact sums."""

import pytest
from tests.harness.media_rig import Rig, heard_in
from tests.harness.speech import frames_of, speech

from townhall.audio.g711 import encode_ulaw
from townhall.media.protocol import CloseLeg, PlayToBus, SpeechStarted, SpeechStopped


def levels(rig: Rig) -> dict[int, int]:
    rig.settle()
    return {leg: phone.hears() for leg, phone in rig.phones.items()}


def through(*said: int, codec: str = "PCMU") -> int:
    """The sum of levels, each having come through µ-law, as it leaves in `codec`."""
    return heard_in(codec, sum(heard_in("PCMU", level) for level in said))


def test_bus_three_talkers_and_two_listeners_each_hear_all_but_themselves(rig: Rig) -> None:
    for leg, level in ((1, 1000), (2, 2000), (3, 4000)):
        rig.call(leg, level)
        rig.mix(leg, "a", hears=True, heard=True)
    for leg, codec in ((4, "PCMU"), (5, "PCMA")):
        rig.call(leg, 500, codec)
        rig.mix(leg, "a", hears=True)
    assert levels(rig) == {
        1: through(2000, 4000),
        2: through(1000, 4000),
        3: through(1000, 2000),
        4: through(1000, 2000, 4000),
        5: through(1000, 2000, 4000, codec="PCMA"),
    }


def test_two_buses_are_separate(rig: Rig) -> None:
    for leg, bus, level in ((1, "a", 1000), (2, "a", 2000), (3, "b", 4000), (4, "b", 500)):
        rig.call(leg, level)
        rig.mix(leg, bus, hears=True, heard=True)
    assert levels(rig) == {1: through(2000), 2: through(1000), 3: through(500), 4: through(4000)}


def test_leg_without_bus_hears_silence_and_is_not_heard(rig: Rig) -> None:
    for leg in (1, 2):
        rig.call(leg, 1000 * leg)
    rig.mix(1, "a", hears=True, heard=True)
    assert levels(rig) == {1: 0, 2: 0}


def test_muted_leg_hears_and_is_not_heard_until_unmuted(rig: Rig) -> None:
    for leg in (1, 2):
        rig.call(leg, 1000 * leg)
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    assert levels(rig) == {1: 0, 2: through(1000)}
    rig.mix(2, "a", hears=True, heard=True)
    assert levels(rig) == {1: through(2000), 2: through(1000)}
    rig.mix(1, "a", hears=True)
    assert levels(rig) == {1: through(2000), 2: 0}


def test_leg_that_is_heard_but_does_not_hear_gets_silence(rig: Rig) -> None:
    rig.call(1, 1000)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True, heard=True)
    assert levels(rig) == {1: 0, 2: through(1000)}


def test_whisper_is_heard_by_its_target_alone(rig: Rig) -> None:
    for leg, level in ((1, 1000), (2, 2000), (3, 4000)):
        rig.call(leg, level)
    rig.mix(1, "a", hears=True, heard=True)
    rig.mix(2, "a", hears=True, heard=True)
    rig.mix(3, "a", hears=True, whisper_to=2)
    assert levels(rig) == {1: through(2000), 2: through(1000, 4000), 3: through(1000, 2000)}


def test_two_whispers_to_one_target_add_up(rig: Rig) -> None:
    for leg, level in ((1, 1000), (2, 2000), (3, 4000)):
        rig.call(leg, level)
    rig.mix(1, "a", hears=True)
    rig.mix(2, "a", hears=True, whisper_to=1)
    rig.mix(3, "a", hears=True, whisper_to=1)
    assert levels(rig) == {1: through(2000, 4000), 2: 0, 3: 0}


@pytest.mark.parametrize("target", [{"bus": "b", "hears": True}, {"bus": "a", "hears": False}, {"bus": None}])
def test_whisper_to_one_who_does_not_hear_the_same_bus_is_not_heard(rig: Rig, target: dict) -> None:
    rig.call(1, 1000)
    rig.call(2)
    rig.mix(2, **target)
    rig.mix(1, "a", hears=True, whisper_to=2)
    assert levels(rig) == {1: 0, 2: 0}


def test_target_of_a_whisper_closes_and_its_slot_is_used_again_unheard(rig: Rig) -> None:
    rig.call(1, 1000)
    rig.call(2)
    rig.mix(2, "a", hears=True)
    rig.mix(1, "a", hears=True, whisper_to=2)
    rig.handle(CloseLeg(2))
    del rig.phones[2]
    rig.call(3)
    rig.mix(3, "a", hears=True)
    assert levels(rig) == {1: 0, 3: 0}


def test_loud_sum_is_limited_and_never_wraps(rig: Rig) -> None:
    for leg in range(1, 9):
        rig.call(leg, 30000)
        rig.mix(leg, "a", hears=True, heard=True)
    rig.call(9)
    rig.mix(9, "a", hears=True)
    rig.settle()
    heard = rig.phones[9].samples(10)
    assert min(heard) > 20000
    assert max(heard) <= 32767


def test_peer_on_hold_is_sent_nothing_and_is_not_heard(rig: Rig) -> None:
    rig.call(1, 1000, send=False, receive=False)
    rig.call(2)
    for leg in (1, 2):
        rig.mix(leg, "a", hears=True, heard=True)
    rig.settle()
    assert rig.phones[1].heard == []
    assert rig.phones[2].hears() == 0


def test_closed_talker_is_heard_no_more(rig: Rig) -> None:
    rig.call(1, 1000)
    rig.call(2)
    for leg in (1, 2):
        rig.mix(leg, "a", hears=True, heard=True)
    rig.settle()
    rig.handle(CloseLeg(1))
    rig.tick()
    assert rig.phones[2].hears() == 0


def test_leg_heard_late_starts_with_what_it_says_then(rig: Rig) -> None:
    talker = rig.call(1, 3000)
    rig.call(2)
    rig.mix(1, "a", hears=True)
    rig.mix(2, "a", hears=True)
    rig.settle()
    talker.level = 1000
    rig.mix(1, "a", hears=True, heard=True)
    rig.settle()
    assert max(rig.phones[2].samples(25)) == heard_in("PCMU", 1000)


def test_speech_of_a_heard_leg_is_told_and_ends_when_it_is_muted(rig: Rig) -> None:
    phone = rig.call(1)
    rig.mix(1, "a", heard=True)
    for frame in frames_of(speech(1.0)):
        rig.send(phone, phone.packet(encode_ulaw(frame).tobytes()))
        phone.timestamp += 160
        rig.tick()
    assert [event.leg for event in rig.events_of(SpeechStarted)] == [1]
    assert rig.events_of(SpeechStopped) == []
    rig.mix(1, "a", hears=True)
    rig.tick()
    assert [event.leg for event in rig.events_of(SpeechStopped)] == [1]


def test_beep_into_an_empty_bus_ends_at_once(rig: Rig, tmp_path) -> None:
    rig.handle(PlayToBus("nobody", 1, [str(tmp_path / "none.wav")]))
    assert rig.events[-1].outcome == "stopped"
