"""What sound is aimed at, and the figures of a run."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Aim:
    """For G.711, narrowband PESQ. `pesq` None: what a clean line gets; `delay_ms` None: whatever it takes."""

    pesq: float | None
    delay_ms: float | None = None


TEN = "ten talkers"
AIMS: dict[str, Aim] = {
    "clean": Aim(None, 45.0),
    "loss 5 %": Aim(3.8),
    "loss 10 %": Aim(3.4),
    "bursts of 4": Aim(3.9),
    "jitter": Aim(4.3, 190.0),
    "spikes": Aim(4.2, 120.0),
    "reordered": Aim(None),
    "doubled": Aim(None),
    TEN: Aim(4.5),
}


class WeatherFigures(msgspec.Struct, frozen=True):
    """One weather. PESQ is the mean over pairs of talker and listener, and the worst of them.

    `delay_ms`: the median over seconds of speech, from when a packet was due to leave the phone to when its
    sound came to the listener; the packet's own 20 ms are not in it. `silence` and `repetition`: PESQ of the
    same packets where nothing is done, None where that was not scored.
    """

    weather: str
    pairs: int
    pesq: float
    pesq_worst: float
    delay_ms: float
    delay_p90_ms: float
    silence: float | None = None
    repetition: float | None = None


class SoundFigures(msgspec.Struct, frozen=True):
    """`left_out` says why sound was not measured, empty when it was."""

    left_out: str = ""
    g711: tuple[WeatherFigures, ...] = ()
    """Narrowband PESQ."""
    opus: tuple[WeatherFigures, ...] = ()
    """Wideband PESQ, browser to browser: encoded twice."""
    sender_late_p99_ms: float = 0.0
    sender_late_max_ms: float = 0.0
    ticks_late: int = 0
    tick_max_ms: float = 0.0
    packets_missing: int = 0
    """Of those that the server should have sent to listeners."""
