"""G.711 against the Recommendation's own tables, every code and every sample."""

import io

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from townhall.audio import (
    ALAW_DECODE,
    ALAW_SILENCE,
    ALAW_TO_ULAW,
    ULAW_DECODE,
    ULAW_SILENCE,
    ULAW_TO_ALAW,
    encode_alaw,
    encode_ulaw,
)
from townhall.audio.g711 import decode_alaw, decode_ulaw

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = np.arange(256, dtype=np.uint8)

# G.711 table 2a: decision values of the µ-law at the segments' ends and the step between them, 14-bit scale.
ULAW_SEGMENTS = [(0, 1), (31, 4), (95, 8), (223, 16), (479, 32), (991, 64), (2015, 128), (4063, 256)]
# G.711 table 1a: the same of the A-law, 13-bit scale; its first two segments share a step.
ALAW_SEGMENTS = [(0, 2), (64, 4), (128, 8), (256, 16), (512, 32), (1024, 64), (2048, 128)]


def _ulaw_decisions() -> list[int]:
    """Magnitudes, 16-bit scale, at which the next µ-law code begins."""
    decisions = [1, *range(3, 31, 2)]
    for start, step in ULAW_SEGMENTS[1:]:
        decisions += range(start, start + 16 * step, step)
    return [4 * value for value in decisions]


def _alaw_decisions() -> list[int]:
    decisions = list(range(2, 64, 2))
    for start, step in ALAW_SEGMENTS[1:]:
        decisions += range(start, start + 16 * step, step)
    return [8 * value for value in decisions]


def test_ulaw_every_sample_has_the_code_between_its_decision_values() -> None:
    decisions = np.array(_ulaw_decisions())
    assert len(decisions) == 127
    positive = EVERY_SAMPLE[EVERY_SAMPLE >= 0]
    level = np.searchsorted(decisions, positive, side="right")
    assert np.array_equal(encode_ulaw(positive), 255 - level)
    negative = EVERY_SAMPLE[EVERY_SAMPLE < 0]
    level = np.searchsorted(decisions, -negative.astype(int), side="left")
    assert np.array_equal(encode_ulaw(negative), 127 - level)


def test_alaw_every_sample_has_the_code_between_its_decision_values() -> None:
    decisions = np.array(_alaw_decisions())
    assert len(decisions) == 127
    positive = EVERY_SAMPLE[EVERY_SAMPLE >= 0]
    level = np.searchsorted(decisions, positive, side="right")
    assert np.array_equal(encode_alaw(positive), (level | 0x80) ^ 0x55)
    negative = EVERY_SAMPLE[EVERY_SAMPLE < 0]
    level = np.searchsorted(decisions, -negative.astype(int), side="left")
    assert np.array_equal(encode_alaw(negative), level ^ 0x55)


@pytest.mark.parametrize(("subtype", "table"), [("ULAW", ULAW_DECODE), ("ALAW", ALAW_DECODE)])
def test_decode_every_code_agrees_with_another_decoder(subtype: str, table: NDArray[np.int16]) -> None:
    raw = io.BytesIO(EVERY_CODE.tobytes())
    theirs, _ = soundfile.read(raw, dtype="int16", format="RAW", subtype=subtype, samplerate=8000, channels=1)
    assert np.array_equal(table, theirs)


def test_encode_of_decoded_code_is_the_code() -> None:
    assert np.array_equal(encode_alaw(ALAW_DECODE), EVERY_CODE)
    expected = EVERY_CODE.copy()
    expected[0x7F] = 0xFF  # the two zeros of the µ-law are one value
    assert np.array_equal(encode_ulaw(ULAW_DECODE), expected)


def test_silence_codes_are_those_of_zero() -> None:
    zero = np.zeros(1, np.int16)
    assert encode_ulaw(zero)[0] == ULAW_SILENCE == 0xFF
    assert encode_alaw(zero)[0] == ALAW_SILENCE == 0xD5


@pytest.mark.parametrize("encode", [encode_ulaw, encode_alaw])
def test_encode_keeps_any_shape(encode) -> None:  # type: ignore[no-untyped-def]
    samples = np.arange(-12, 12, dtype=np.int16).reshape(2, 3, 4) * 1000
    assert encode(samples).shape == (2, 3, 4)
    assert encode(samples).dtype == np.uint8
    assert np.array_equal(encode(samples[:, ::2]), encode(samples)[:, ::2])
    assert encode(np.zeros((0, 160), np.int16)).shape == (0, 160)


def test_transcoding_tables_are_decode_then_encode() -> None:
    assert np.array_equal(ULAW_TO_ALAW, encode_alaw(ULAW_DECODE))
    assert np.array_equal(ALAW_TO_ULAW, encode_ulaw(ALAW_DECODE))


def test_tables_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ULAW_DECODE[0] = 1


@pytest.mark.parametrize(("decode", "table"), [(decode_ulaw, ULAW_DECODE), (decode_alaw, ALAW_DECODE)])
@pytest.mark.parametrize("length", [1, 2, 79, 160])
def test_payloads_of_any_length_decode_as_the_table_says(decode, table, length: int) -> None:
    codes = np.random.default_rng(length).integers(0, 256, (7, length), np.uint8)
    assert np.array_equal(decode(codes), table[codes])
    assert np.array_equal(decode(codes[::2]), table[codes[::2]])
