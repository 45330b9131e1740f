"""The grid of ticks, and the figures by which new legs are refused."""

import numpy as np
import pytest
from tests.harness.media_rig import Rig, heard_in
from tests.harness.opus_phone import call_tones

from townhall.media.loop import TICKS_JUDGED_FROM, TICKS_REMEMBERED, TickFigures, beat_at
from townhall.media.protocol import TICK_EDGES_MS, CloseLeg, Codec, Command, ConnectLeg
from townhall.media.shapes import TICK_S


def test_a_beat_begins_at_its_multiple_of_20_ms_whatever_the_clock_says() -> None:
    for beat in (0, 1, 7, 49, 12_345_678, 4_000_000_001):
        assert beat_at(beat * TICK_S) == beat
        assert beat_at(beat * TICK_S + 0.0199) == beat
        assert beat_at(beat * TICK_S - 0.0001) == beat - 1


def test_few_ticks_refuse_nobody() -> None:
    figures = TickFigures()
    for _ in range(TICKS_JUDGED_FROM - 1):
        figures.add(1.0, 1.0)
    assert figures.refusal(0.8) == ""


def test_ticks_that_fill_their_time_refuse_with_a_reason_until_they_are_past() -> None:
    figures = TickFigures()
    for _ in range(TICKS_JUDGED_FROM):
        figures.add(0.017, 0.017)
    assert "17.0 of its 20 ms" in figures.refusal(0.8)
    assert figures.refusal(0.9) == ""
    for _ in range(TICKS_REMEMBERED):
        figures.add(0.001, 0.001)
    assert figures.refusal(0.8) == ""


def test_time_taken_by_other_processes_refuses_nobody() -> None:
    figures = TickFigures()
    for _ in range(TICKS_JUDGED_FROM):
        figures.add(0.100, 0.001)
    assert figures.refusal(0.8) == ""
    assert figures.wall_ms() == (100.0, 100.0, 100.0)


def test_ticks_are_counted_by_how_long_they_took() -> None:
    figures = TickFigures()
    for took_s in (0.0001, 0.0199, 0.0201, 3.0):
        figures.add(took_s, took_s)
    at_20_ms = TICK_EDGES_MS.index(20.0)
    assert len(figures.counts) == len(TICK_EDGES_MS) + 1
    assert [place for place, count in enumerate(figures.counts) if count] == [
        0,
        at_20_ms,
        at_20_ms + 1,
        len(TICK_EDGES_MS),
    ]


def test_stall_whose_packets_are_all_there_leaves_no_hole_in_a_voice() -> None:
    rig = Rig()
    talker, listener = rig.call(1, 1000), rig.call(2)
    rig.mix(1, "bus", heard=True)
    rig.mix(2, "bus", hears=True)
    rig.settle()
    concealed = rig.engine.uplinks.narrow.concealed.sum()
    for _ in range(4):
        rig.send(talker, talker.say())
        rig.now += TICK_S
    rig.engine.skip(4)
    for _ in range(5):
        rig.tick()
        assert listener.hears() == heard_in("PCMU", 1000)
    assert rig.engine.uplinks.narrow.concealed.sum() == concealed
    rig.close()


def test_wait_after_a_stall_is_what_it_was_before() -> None:
    rig = Rig()
    talker = rig.call(1, 1000)
    rig.mix(1, "bus", heard=True)
    rig.mix(rig.call(2).leg, "bus", hears=True)
    rig.tick(200)
    narrow, slot = rig.engine.uplinks.narrow, np.array([rig.engine.legs.slot_of[1]])
    before = float(narrow.delay_ms(slot)[0])
    for _ in range(5):
        rig.send(talker, talker.say())
        rig.now += TICK_S
    rig.engine.skip(5)
    rig.tick(50)
    assert abs(float(narrow.delay_ms(slot)[0]) - before) < 10
    rig.close()


@pytest.mark.parametrize("codec", ["G722", "opus"])
@pytest.mark.parametrize("gone", [CloseLeg(1), ConnectLeg(1, "PCMU", 0, ("10.0.0.1", 30002))])
def test_ticks_that_are_missed_when_a_wide_leg_has_gone_are_passed_over(codec: Codec, gone: Command) -> None:
    rig = Rig()
    for leg in (1, 2):
        call_tones(rig, leg, (1000.0,), codec)
        rig.mix(leg, "bus", hears=True, heard=True)
    rig.tick(20)
    rig.handle(gone)
    rig.engine.skip(2)
    rig.tick(5)
    assert 2 in rig.engine.legs.slot_of
    rig.close()
