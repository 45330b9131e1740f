"""Recordings as a client hears them: the file behind `RecordingUrl`, and where in it a tone sounds."""

import base64
import io
import urllib.request
from dataclasses import dataclass

import numpy as np
import soundfile
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.tones import heard, is_silent

from townhall.phone.hearing import RATE, Samples


@dataclass(frozen=True)
class Sound:
    """A recording: int16 `(samples, channels)`."""

    samples: Samples

    @property
    def channels(self) -> int:
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE

    def channel(self, number: int) -> Samples:
        """One channel, counted from 1, as the files' talkers are."""
        return np.ascontiguousarray(self.samples[:, number - 1])

    def names(self, tones: dict[str, float], channel: int = 1, share: float = 0.3) -> set[str]:
        """Whose tones are in that share of a channel's quarter seconds."""
        return heard(self.channel(channel), tones, share)

    def is_silent(self, channel: int = 1) -> bool:
        return is_silent(self.channel(channel))


def read(data: bytes) -> Sound:
    """A WAV or MP3 file."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    assert rate == RATE
    return Sound(samples)


def download(url: str) -> bytes:
    """What the API answers, with the account's credentials."""
    credentials = base64.b64encode(f"{ACCOUNT_SID}:{AUTH_TOKEN}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {credentials}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
        return body
