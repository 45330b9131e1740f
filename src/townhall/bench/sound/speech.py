"""Recorded speech to measure sound with: utterances of four people, cut from Debian's packages.

`scripts/install-sound-measures` unpacks them beside PESQ: prompts of asterisk-core-sounds (for each language
another person; 8 kHz, some at 16 kHz in G.722 as well) and readings from LibriVox (pocketsphinx-testdata,
16 kHz). Nothing of them is part of Townhall.
"""

import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import G722
import numpy as np
import soundfile
import soxr

from townhall.audio.shapes import Int16
from townhall.errors import TownhallError
from townhall.media.shapes import Floats

TOOLS = Path(sys.prefix).parent / ".venv-sound"
WIDE_RATE, NARROW_RATE = 16_000, 8_000
LEAD_S = 3.0
"""Said before what is scored, so that a playout knows its network as in a call that is under way."""
PAUSE_S = 0.4
"""Between the two, and at the end."""
SCORED_S = 10.0
LEVEL_DB = -26.0
"""Active speech level, pauses left out, below overload: what telephony calls nominal (ITU-T P.56, P.830)."""
_NARROW = {"it_IT_m_Carlo": 3, "ru_RU_f_IvrvoiceRU": 3, "fr_CA_f_June": 2}
_WIDE = {"it_IT_m_Carlo": 3, "ru_RU_f_IvrvoiceRU": 3}
"""How many utterances of whom."""
_READ = 2
_BREATH_S = 1.0
"""Between phrases: with it people speak for two thirds of the time, as P.862 asks of what it is given."""
_PHRASE_ENDS_S, _FRAME_S = 0.2, 0.02
_QUIET = 0.03
"""Of the loudest frames: below it nobody speaks."""
_PROMPT = "usr/share/asterisk/sounds/{}/demo-instruct.{}"
_READINGS = "usr/share/pocketsphinx/test/data/librivox/*.wav"


class SoundMissing(TownhallError):
    """Sound can't be measured here; the message says what is missing."""


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One person's words: a lead, a pause, what is scored, a pause. int16 `(samples,)` at `rate`."""

    name: str
    samples: Int16
    rate: int


def load_utterances(rate: int, tools: Path = TOOLS) -> list[Utterance]:
    """Utterances at 8 or 16 kHz, people taking turns; raises `SoundMissing`."""
    if (tools / "missing").exists():
        raise SoundMissing((tools / "missing").read_text().strip())
    if not (tools / ".ready").exists():
        raise SoundMissing("PESQ and recorded speech are not installed; `make bench` installs them")
    read = _read if rate == NARROW_RATE else _read_wide
    voices = _NARROW if rate == NARROW_RATE else _WIDE
    said = [(voice, count, phrases(read(tools / "speech", voice), rate)) for voice, count in voices.items()]
    said.append(("LibriVox", _READ, _readings(tools / "speech", rate)))
    people = [cut(voice, with_breaths(parts, rate), rate, count) for voice, count, parts in said]
    turns = itertools.zip_longest(*people)
    return [utterance for turn in turns for utterance in turn if utterance is not None]


def _read(folder: Path, voice: str) -> Int16:
    try:
        samples, rate = soundfile.read(folder / _PROMPT.format(voice, "wav"), dtype="int16")
    except (OSError, soundfile.SoundFileError) as error:
        raise SoundMissing(f"no recorded speech: {error}") from error
    if rate != NARROW_RATE:
        raise SoundMissing(f"no recorded speech: the prompts of {voice} are of {rate} Hz, not {NARROW_RATE}")
    return np.asarray(samples, np.int16)


def _read_wide(folder: Path, voice: str) -> Int16:
    try:
        coded = (folder / _PROMPT.format(voice, "g722")).read_bytes()
    except OSError as error:
        raise SoundMissing(f"no recorded speech: {error}") from error
    return np.asarray(G722.G722(WIDE_RATE, 64_000).decode(coded), np.int16)


def _readings(folder: Path, rate: int) -> list[Int16]:
    try:
        parts = [soundfile.read(file, dtype="int16") for file in sorted(folder.glob(_READINGS))]
    except (OSError, soundfile.SoundFileError) as error:
        raise SoundMissing(f"no recorded speech: {error}") from error
    if not parts or any(found != WIDE_RATE for _, found in parts):
        raise SoundMissing(f"no recorded speech of 16 kHz: {folder}/{_READINGS}")
    return [
        _levelled(soxr.resample(samples.astype(np.float64), WIDE_RATE, rate, "VHQ"), rate)
        for samples, _ in parts
    ]


def phrases(speech: Int16, rate: int) -> list[Int16]:
    """Speech `(samples,)` without its pauses, cut where they were."""
    size = round(rate * _FRAME_S)
    level = _levels(speech.astype(np.float64), rate)
    spoken = np.flatnonzero(level > _QUIET * np.percentile(level, 95))
    ends = np.flatnonzero(np.diff(spoken) > round(_PHRASE_ENDS_S / _FRAME_S))
    return [
        speech[part[0] * size : (part[-1] + 1) * size] for part in np.split(spoken, ends + 1) if len(part)
    ]


def _levels(samples: Floats, rate: int) -> Floats:
    """RMS of each frame."""
    size = round(rate * _FRAME_S)
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)), np.float64)


def _levelled(samples: Floats, rate: int) -> Int16:
    """Brought to `LEVEL_DB`."""
    level = _levels(samples, rate)
    active = level[level > _QUIET * np.percentile(level, 95)]
    gain = 32768 * 10 ** (LEVEL_DB / 20) / max(1.0, float(np.sqrt((active**2).mean())))
    return np.clip(np.rint(samples * gain), -32768, 32767).astype(np.int16)


def with_breaths(parts: list[Int16], rate: int) -> Int16:
    """Phrases one after the other, with silence between them."""
    breath = np.zeros(round(rate * _BREATH_S), np.int16)
    return np.concatenate([piece for part in parts for piece in (part, breath)])


def cut(name: str, speech: Int16, rate: int, count: int) -> list[Utterance]:
    """The first `count` utterances of speech `(samples,)`, all of one level.

    Raises `SoundMissing` when it is too short.
    """
    lead, pause, words = (round(rate * seconds) for seconds in (LEAD_S, PAUSE_S, SCORED_S))
    if len(speech) < count * (lead + words):
        raise SoundMissing(f"the speech of {name} has {len(speech) / rate:.1f} s, too few for {count}")
    found = []
    for number, piece in enumerate(speech[: count * (lead + words)].reshape(count, -1).astype(np.float64)):
        silence = np.zeros(pause)
        whole = np.concatenate((piece[:lead], silence, piece[lead:], silence))
        found.append(Utterance(f"{name} {number + 1}", _levelled(whole, rate), rate))
    return found


def scored(rate: int) -> slice:
    """Where in an utterance that is which is scored, with half of the pauses beside it."""
    half = PAUSE_S / 2
    return slice(round(rate * (LEAD_S + half)), round(rate * (LEAD_S + SCORED_S + 3 * half)))
