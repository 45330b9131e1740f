"""Payloads of every codec that the phone speaks, there and back."""

import numpy as np
import pytest

from townhall.audio import sine
from townhall.phone.payload import PayloadCoder


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722"])
def test_tone_comes_back_in_as_many_bytes_as_samples(codec: str) -> None:
    tone = sine(440, 1.0)
    sender, receiver = PayloadCoder(), PayloadCoder()
    payloads = [sender.encode(codec, tone[start : start + 160]) for start in range(0, 8000, 160)]
    assert {len(payload) for payload in payloads} == {160}
    heard = np.concatenate([receiver.decode(codec, payload) for payload in payloads])
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(8000)))
    assert spectrum.argmax() == 440
    assert np.abs(heard[4000:].astype(int)).max() == pytest.approx(np.abs(tone).max(), rel=0.1)
