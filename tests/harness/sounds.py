"""Sound files and judgements that stories share."""

from collections.abc import Sequence

from townhall.audio import sine, write_wav
from townhall.phone.hearing import Samples
from townhall.phone.listening import amplitude_at

WAIT_HZ = 2345.0
"""Far from every phone's tone: what a wait document plays."""


def tone_file(hz: float | Sequence[float], seconds: float, rate: int = 8000) -> bytes:
    """A WAV file, mono, of one tone or several."""
    tones = [hz] if isinstance(hz, int | float) else hz
    return write_wav(sum(sine(one, seconds, rate) for one in tones), rate)


def is_beep(samples: Samples) -> bool:
    """Whether a note of an entry or exit beep (D5 or G5) is in it, shape (samples,) at 8 kHz.

    A note stands out at its frequency; the splatter of a tone that begins or ends lies everywhere alike.
    """
    for hz in (587.33, 783.99):
        aside = max(amplitude_at(samples, hz - 45), amplitude_at(samples, hz + 45))
        if amplitude_at(samples, hz) > max(500.0, 3 * aside):
            return True
    return False


def moments_of(samples: Samples, hz: float, step: int = 400) -> list[int]:
    """Where, in steps of 50 ms, a tone is heard in all of what was received."""
    return [
        start
        for start in range(0, len(samples) - step + 1, step)
        if amplitude_at(samples[start : start + step], hz) > 1000
    ]
