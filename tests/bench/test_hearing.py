"""Who hears whom, when and how steady, told from mixes that were made here."""

import numpy as np
import pytest

from townhall.audio import ULAW_DECODE, encode_ulaw
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.clocked import GROUPS
from townhall.bench.phones.hearing import FRAMES_RECORDED, Heard, compare, listen
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.voices import FRAMES, LOWEST_HZ, VOICES, frequency, payloads, second_of
from townhall.media.shapes import Bools, Floats

STARTED = 1000.0
WORD_ENDS = 7600
"""Sample of a second at which all words are over."""


def spoken(audience: Audience) -> Floats:
    """Some seconds of every voice, `(voices, samples)`."""
    voices = np.array(audience.voices)
    seconds = ULAW_DECODE[payloads(voices, voices % audience.talkers == 0)].reshape(len(voices), -1)
    return np.tile(seconds.astype(np.float64), FRAMES_RECORDED // FRAMES + 2)


def recorded(audience: Audience, hears: Bools, delay: int = 0, said: Floats | None = None) -> Recording:
    """What phones got whose rows of `hears` say whom each one hears, `delay` samples after it was sent.

    All speak and hear in the same instant; packets come every 20 ms.
    """
    mix = hears.astype(np.float64) @ (spoken(audience) if said is None else said)
    mix *= min(1.0, 30000 / np.abs(mix).max())  # as a limiter would
    sound = np.roll(mix, delay, axis=1)[:, : FRAMES_RECORDED * 160].astype(np.int16)
    recording = Recording.of(len(hears), FRAMES_RECORDED)
    recording.turned[:] = ~encode_ulaw(sound).reshape(len(hears), FRAMES_RECORDED, 160)
    recording.at[:] = STARTED + 0.02 * np.arange(FRAMES_RECORDED)
    recording.seconds_at = [STARTED + np.arange(-1.0, 5.0) for _ in range(GROUPS)]
    return recording


def heard_by(audience: Audience, recording: Recording) -> Heard:
    phones = np.arange(len(recording.at))
    return listen(recording, phones, audience.voices, audience.expected(phones), audience.beacons(phones))


@pytest.mark.parametrize(
    "audience", [Audience(1, 12, 10), Audience(6, 5, 2), Audience(1, 60, 60)], ids=["one", "many", "all"]
)
def test_everybody_as_he_ought_to_be_is_heard_by_every_phone(audience: Audience) -> None:
    expected = audience.expected(np.arange(audience.phones))
    heard = heard_by(audience, recorded(audience, expected))
    assert (heard.voices == expected).all()
    assert heard.steady.all()
    found = compare(heard.voices, expected)
    assert (found.pairs, found.unheard, found.wrong) == (int(expected.sum()), 0, 0)
    assert found.phones_right == audience.phones


def test_a_talker_that_is_missing_and_one_of_another_conference_are_both_told() -> None:
    audience = Audience(3, 5, 3)
    expected = audience.expected(np.arange(15))
    real = expected.copy()
    real[4, 1] = False  # a listener of the first conference does not hear the second talker
    real[6, 0] = True  # a talker of the second one hears the first one's moderator
    real[10, 6] = True  # the third one's moderator hears himself
    heard = heard_by(audience, recorded(audience, real))
    assert (heard.voices == real).all()
    found = compare(heard.voices, expected)
    assert (found.unheard, found.wrong, found.phones_right) == (1, 2, 12)


def test_a_talker_who_is_not_there_is_not_missed() -> None:
    audience, phones = Audience(2, 3, 2), np.array([0, 2, 4, 5])
    assert audience.started(phones).tolist() == [0, 2]
    assert audience.started(np.array([0, 3, 5])).tolist() == [3, 5]  # the first moderator is alone
    assert audience.expected(phones).astype(int).tolist() == [
        [0, 0, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 1],
    ]


def test_a_phone_that_hears_nothing_hears_nobody() -> None:
    audience = Audience(1, 4, 2)
    real = audience.expected(np.arange(4))
    real[3] = False
    assert not heard_by(audience, recorded(audience, real)).voices[3].any()


@pytest.mark.parametrize("taken_out", [80, 160, 320])
@pytest.mark.parametrize("delay", [0, 3000, 5500])
def test_delay_that_shrinks_in_every_pause_hides_no_talker_and_makes_up_none(
    delay: int, taken_out: int
) -> None:
    audience = Audience(12, 4, 2)
    said = [
        np.concatenate([second[taken_out if number else 0 :] for number, second in enumerate(voice)])
        for voice in np.roll(spoken(audience).reshape(24, -1, 8000), 8000 - WORD_ENDS, axis=2)
    ]
    expected = audience.expected(np.arange(audience.phones))
    real = expected.copy()
    real[::5] = False
    recording = recorded(audience, real, delay, np.array(said))
    assert (heard_by(audience, recording).voices == real).all()


def test_word_of_which_half_is_lost_to_a_slip_is_one_of_several() -> None:
    audience = Audience(1, 4, 1)
    said = spoken(audience)
    middle = 8000 + 2560 + 2400  # of the second word: what comes after it is half a turn late
    said[:, middle : 8000 + WORD_ENDS] *= -1
    expected = audience.expected(np.arange(4))
    assert (heard_by(audience, recorded(audience, expected, 0, said)).voices == expected).all()


def test_talker_who_is_heard_for_one_second_of_three_is_not_heard() -> None:
    audience = Audience(1, 4, 2)
    expected, said = audience.expected(np.arange(4)), spoken(audience)
    said[1, : 2 * 8000] = 0
    said[1, 3 * 8000 :] = 0
    heard = heard_by(audience, recorded(audience, expected, 0, said)).voices
    assert heard[:, 0].tolist() == [False, True, True, True]
    assert not heard[:, 1].any()


@pytest.mark.parametrize("delay", [7, 160, 333, 1200])
def test_delay_is_found_to_the_sample_by_all_that_hear_the_beacon(delay: int) -> None:
    audience = Audience(2, 4, 2)
    heard = heard_by(audience, recorded(audience, audience.expected(np.arange(8)), delay))
    moderators = np.arange(8) % 4 == 0
    assert np.isnan(heard.delay_ms[moderators]).all()
    assert heard.delay_ms[~moderators] == pytest.approx(delay / 8, abs=0.3)


def test_a_packet_that_is_missing_makes_its_phone_unsteady() -> None:
    audience = Audience(1, 4, 2)
    recording = recorded(audience, audience.expected(np.arange(4)))
    loud = np.flatnonzero((recording.turned[2] != 0).mean(axis=1) > 0.9)
    recording.turned[2, loud[-12]] = 0
    assert heard_by(audience, recording).steady.tolist() == [True, True, False, True]


def test_voices_are_told_apart_exactly_by_a_second_of_them() -> None:
    tones = [frequency(voice) for voice in range(VOICES)]
    assert len(set(tones)) == VOICES
    assert (min(tones), max(tones)) == (LOWEST_HZ, LOWEST_HZ + 5 * (VOICES - 1))
    power = np.abs(np.fft.rfft(second_of(3, beacon=False).astype(float))) ** 2
    others = [tone for tone in tones if tone != frequency(3)]
    assert power[frequency(3)] > 1e6 * power[others].max()
    with pytest.raises(ValueError, match="voices 0 to"):
        frequency(VOICES)


def test_an_audience_expects_its_own_talkers_and_nobody_else() -> None:
    expected = Audience(2, 3, 2).expected(np.arange(6)).astype(int).tolist()
    assert expected == [
        [0, 1, 0, 0],
        [1, 0, 0, 0],
        [1, 1, 0, 0],
        [0, 0, 0, 1],
        [0, 0, 1, 0],
        [0, 0, 1, 1],
    ]
    assert Audience(2, 3, 2).beacons(np.arange(6)).tolist() == [0, 0, 0, 3, 3, 3]
    assert sorted(Audience(2, 3, 2).said()) == [0, 1, 3, 4]


@pytest.mark.parametrize("sizes", [(0, 3, 2), (1, 2, 3), (1, 2, 0), (300, 10, 2)])
def test_an_audience_that_cannot_be_is_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Audience"):
        Audience(*sizes)
