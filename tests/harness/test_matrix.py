"""The matrix must be able to fail: whoever hears more, less or something else than the story says is found
out.
"""

from collections.abc import Callable

import numpy as np
import pytest
from tests.harness.matrix import Seat, assert_hearing, assert_never_heard, drawn, what_is_heard
from tests.harness.tones import tone_for

from townhall.audio import comfort, hold_music, limit, sine
from townhall.phone import NotHeard
from townhall.phone.hearing import RATE, Samples

NAMES = ("ann", "ben", "cat")
TONES = {name: float(tone_for(index)) for index, name in enumerate(NAMES)}
SECONDS = 4.0
TRUE = {"ann": "ben cat", "ben": "ann", "cat": "ann ben"}
"""What the three phones of most tests hear."""


class Recorded:
    """An ear that hears what was prepared, from its beginning on."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._at = 0

    @property
    def received(self) -> Samples:
        return self._samples[: self._at]

    async def listen(self, seconds: float) -> Samples:
        began, self._at = self._at, self._at + round(seconds * RATE)
        if self._at > len(self._samples):
            raise NotHeard("the recording is over")
        return self._samples[began : self._at]


def talk(names: str, seconds: float = SECONDS) -> Samples:
    """The sum of these phones' tones, shape (samples,), over the noise of a telephone line."""
    parts = [sine(TONES[name], seconds, RATE, -20.0).astype(np.int32) for name in names.split()]
    noise = comfort(round(seconds * RATE), -60.0).astype(np.int32)
    return limit(np.sum([noise, *parts], axis=0)[None])[0]


def music(seconds: float = SECONDS) -> Samples:
    return hold_music(RATE)[: round(seconds * RATE)]


def silence(seconds: float = SECONDS) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


def seats(**heard: Samples) -> list[Seat]:
    return [Seat(name, TONES[name], Recorded(samples)) for name, samples in heard.items()]


def three_talking() -> list[Seat]:
    return seats(**{name: talk(names) for name, names in TRUE.items()})


async def test_true_matrix_holds() -> None:
    await assert_hearing(three_talking(), TRUE, within_s=5)
    await assert_hearing(
        seats(ann=music(), ben=silence(), cat=talk("ben")),
        {"ann": "music", "ben": "silence", "cat": "ben"},
        within_s=5,
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ann", "ben"),
        ("ben", "ann cat"),
        ("ben", "cat"),
        ("cat", "ann ben cat"),
        ("ben", "silence"),
        ("ben", "music"),
    ],
    ids=["hears-one-more", "misses-one", "hears-another", "misses-its-echo", "is-not-silent", "has-no-music"],
)
async def test_matrix_with_one_wrong_row_fails(name: str, said: str) -> None:
    with pytest.raises(AssertionError) as failed:
        await assert_hearing(three_talking(), {**TRUE, name: said}, within_s=0)
    assert "!" in str(failed.value), "the drawing marks what is wrong"


@pytest.mark.parametrize(
    ("sound", "said"),
    [
        (lambda: talk("ben cat ann"), "ben cat"),
        (music, "silence"),
        (music, "ben"),
        (silence, "music"),
        (silence, "ben"),
        (lambda: comfort(round(SECONDS * RATE), -30.0), "silence"),
        (lambda: limit((music().astype(np.int32) + talk("ben"))[None])[0], "music"),
        (lambda: limit((music().astype(np.int32) + talk("ben"))[None])[0], "ben"),
    ],
    ids=[
        "own-echo",
        "music-for-silence",
        "music-for-a-talker",
        "silence-for-music",
        "silence-for-a-talker",
        "noise-for-silence",
        "talker-in-the-music",
        "music-under-the-talker",
    ],
)
async def test_wrong_sound_fails(sound: Callable[[], Samples], said: str) -> None:
    phones = seats(ann=sound(), ben=talk("ann"), cat=talk("ann ben"))
    with pytest.raises(AssertionError):
        await assert_hearing(phones, {"ann": said, "ben": "ann", "cat": "ann ben"}, within_s=0)


async def test_matrix_that_is_true_only_for_a_moment_fails() -> None:
    changing = np.concatenate((talk("ben", 0.25), talk("ben cat", SECONDS)))
    phones = seats(ann=changing, ben=talk("ann"), cat=talk("ann ben"))
    with pytest.raises(AssertionError, match="otherwise than expected"):
        await assert_hearing(phones, {"ann": "ben", "ben": "ann", "cat": "ann ben"}, within_s=5)


async def test_tone_that_breaks_off_for_a_moment_is_waited_for() -> None:
    broken = np.concatenate((talk("ben", 0.25), silence(0.5), talk("ben", SECONDS)))
    phones = seats(ann=broken, ben=talk("ann"), cat=talk("ann ben"))
    await assert_hearing(phones, {"ann": "ben", "ben": "ann", "cat": "ann ben"}, within_s=5)


async def test_tone_that_stays_away_fails() -> None:
    broken = np.concatenate((talk("ben", 0.25), silence(SECONDS)))
    phones = seats(ann=broken, ben=talk("ann"), cat=talk("ann ben"))
    with pytest.raises(AssertionError, match="otherwise than expected"):
        await assert_hearing(phones, {"ann": "ben", "ben": "ann", "cat": "ann ben"}, within_s=0)


@pytest.mark.parametrize("left_out", NAMES)
async def test_phone_that_the_story_forgets_fails(left_out: str) -> None:
    expected = {name: heard for name, heard in TRUE.items() if name != left_out}
    with pytest.raises(AssertionError, match=left_out):
        await assert_hearing(three_talking(), expected, within_s=5)


async def test_phone_that_is_expected_and_not_on_the_line_fails() -> None:
    with pytest.raises(AssertionError, match="dan"):
        await assert_hearing(three_talking(), {**TRUE, "dan": "ann"}, within_s=5)


async def test_call_that_ends_while_it_is_measured_fails() -> None:
    with pytest.raises(AssertionError, match="the recording is over"):
        await assert_hearing(seats(ann=silence(0.1)), {"ann": "silence"}, within_s=5)


async def test_one_quarter_second_of_a_muted_phone_is_found() -> None:
    slip = np.concatenate((talk("ben", 1.5), talk("ben cat", 0.25), talk("ben", 1.5)))
    phones = seats(ann=slip, ben=talk("ann"), cat=talk("ann ben"))
    for phone in phones:
        await phone.call.listen(3.0)
    with pytest.raises(AssertionError, match="ann heard cat"):
        assert_never_heard("cat", phones)
    assert_never_heard("cat", phones[1:])


def test_drawing_says_who_hears_whom() -> None:
    phones = three_talking()
    found = {seat.name: what_is_heard(talk(TRUE[seat.name], 0.5), phones) for seat in phones}
    picture = drawn(phones, found, found)
    assert [line.split()[1:] for line in picture.splitlines()[1:]] == [
        [".", "x", "x", "."],
        ["x", ".", ".", "."],
        ["x", "x", ".", "."],
    ]
