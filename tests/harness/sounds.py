"""Sound files and judgements that stories share."""

from townhall.audio import sine, write_wav
from townhall.phone.hearing import Samples
from townhall.phone.listening import amplitude_at

WAIT_HZ = 2345.0
"""Far from every phone's tone: what a wait document plays."""


def tone_file(hz: float, seconds: float) -> bytes:
    """A WAV file, 8 kHz mono, of one tone."""
    return write_wav(sine(hz, seconds), 8000)


def is_beep(samples: Samples) -> bool:
    """Whether the first or second note of an entry or exit beep is in it (D5 or G5), shape (samples,) at 8
    kHz.
    """
    return max(amplitude_at(samples, 587.33), amplitude_at(samples, 783.99)) > 500


def moments_of(samples: Samples, hz: float, step: int = 400) -> list[int]:
    """Where, in steps of 50 ms, a tone is heard in all of what was received."""
    return [
        start
        for start in range(0, len(samples) - step + 1, step)
        if amplitude_at(samples[start : start + step], hz) > 1000
    ]
