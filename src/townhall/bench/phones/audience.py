"""Who is in which conference, who of them talks, and so what everybody has to hear."""

from dataclasses import dataclass

import numpy as np

from townhall.bench.phones.voices import VOICES, payloads
from townhall.media.shapes import Bools, Bytes, Int64s


@dataclass(frozen=True, slots=True)
class Audience:
    """`callers` in each of some conferences, of whom the first `talkers` talk and the very first moderates.

    Phones are numbered through: 0 is the first conference's moderator. His sweep is the beacon that the
    others of his conference are timed by.
    """

    conferences: int
    callers: int
    talkers: int

    def __post_init__(self) -> None:
        if not 0 < self.talkers <= self.callers or self.conferences < 1:
            raise ValueError(f"{self} has no talker, or more talkers than callers")
        if self.conferences * self.talkers > VOICES:
            raise ValueError(f"{self} needs {self.conferences * self.talkers} voices; there are {VOICES}")

    @property
    def phones(self) -> int:
        return self.conferences * self.callers

    @property
    def voices(self) -> range:
        """Those there are; voice `i` is talker `i % talkers` of conference `i // talkers`."""
        return range(self.conferences * self.talkers)

    def conference(self, phone: int) -> int:
        return phone // self.callers

    def moderates(self, phone: int) -> bool:
        return phone % self.callers == 0

    def talks(self, phone: int) -> bool:
        return phone % self.callers < self.talkers

    def said(self) -> dict[int, Bytes]:
        """What each talker says, see `Crowd`."""
        voices = np.array(self.voices)
        phones = voices // self.talkers * self.callers + voices % self.talkers
        return dict(zip(phones.tolist(), payloads(voices, voices % self.talkers == 0), strict=True))

    def started(self, phones: Int64s) -> Int64s:
        """Those of `phones` whose moderator is among them, and anybody else; the others wait, with music."""
        conferences = phones // self.callers
        company = np.bincount(conferences, minlength=self.conferences)[conferences] > 1
        return phones[np.isin(self.beacons(phones), phones) & company]

    def expected(self, phones: Int64s) -> Bools:
        """Whom each of `phones`, those who are there, has to hear, `(phones, voices)`: the talkers of its
        conference but itself.
        """
        phone, voice = phones[:, None], np.array(self.voices)[None, :]
        speaker = voice // self.talkers * self.callers + voice % self.talkers
        there: Bools = (phone // self.callers == voice // self.talkers) & (phone != speaker)
        there &= np.isin(speaker, phones)
        return there

    def beacons(self, phones: Int64s) -> Int64s:
        """The phone that each one is timed by."""
        return phones // self.callers * self.callers
