"""Sound that measuring takes for speech, made up."""

import numpy as np


def noise_like_speech(rate: int, seconds: float, seed: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """Noise that swells three times a second, mostly of low frequencies."""
    rng = np.random.default_rng(seed)
    count = round(rate * seconds)
    smooth = np.convolve(rng.standard_normal(count + 15), np.hanning(16), "valid")
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 3 * np.arange(count) / rate + seed)
    return np.asarray(4000 * swell * smooth / np.abs(smooth).max(), np.int16)
