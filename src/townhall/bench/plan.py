"""What is measured, and what came of it."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """`calls_a_second` for `setup_s`, each held for `hold_s`; then one conference for `conference_s`."""

    calls_a_second: float = 50.0
    setup_s: float = 10.0
    hold_s: float = 1.0
    callers: int = 300
    talkers: int = 10
    conference_s: float = 10.0
    joining_a_second: float = 40.0
    """How fast the conference's callers come in; this is no measurement, only the way there."""
    moderated: int = 200
    """Callers in the conference that is moderated through the API, which is asked for `asking_s`."""
    asking_s: float = 5.0
    mutes: int = 20
    """How often its talker is muted, 0.8 s each."""
    web_listeners: int = 100
    """Browsers in the first of two conferences, in which one of them talks."""
    web_talkers: int = 20
    """Browsers in the second, in which all talk."""
    web_joining_a_second: float = 10.0


class AnswerFigures(msgspec.Struct, frozen=True):
    """How calls were set up. Times are from the INVITE's sending to the 200's arrival at the caller."""

    calls: int
    failed: int
    calls_a_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    failures: dict[str, int] = {}
    """Why calls were not answered, and how many for each reason."""


class ConferenceFigures(msgspec.Struct, frozen=True):
    """What one conference costs. `ratio` is `media_cpu` over `floor_cpu`, both in cores."""

    callers: int
    talkers: int
    hearing: int
    """Phones that heard talk throughout the window."""
    seconds: float
    ticks: int
    tick_p50_ms: float
    tick_p99_ms: float
    tick_max_ms: float
    ticks_late: int
    packets_expected: int
    packets_missed: int
    phones_with_misses: int
    worst_gap_ms: float
    media_cpu: float
    floor_cpu: float
    ratio: float
    load_maker_late_ms: float
    """How late the load maker itself was at worst: above 10 ms the figures say more of it than of us."""


class RemoteFigures(msgspec.Struct, frozen=True):
    """What the API does with `callers` calls up. Silence: from the answer to a mute to the last sound."""

    callers: int
    requests_a_second: float
    mutes: int
    silence_median_ms: float
    silence_max_ms: float
    callbacks_a_second: float


class WebFigures(msgspec.Struct, frozen=True):
    """What browsers cost the media process, in cores, and from a page's `invite` to the first sound it hears.

    `listener_cpu` and `talker_cpu` are each browser's own, without what idling costs; how many a core
    carries is reckoned from them, with 80 % of it in use.
    """

    listeners: int
    talkers: int
    hearing: int
    """Browsers that heard talk throughout the window, the moderator's own not being among them."""
    first_audio_p50_ms: float
    first_audio_p99_ms: float
    idle_cpu: float
    listener_cpu: float
    talker_cpu: float
    listeners_per_core: int
    talkers_per_core: int
    packets_expected: int
    packets_missed: int
    load_maker_late_ms: float


class BenchReport(msgspec.Struct, frozen=True):
    cores: int
    machine: str
    version: str
    answers: AnswerFigures
    conference: ConferenceFigures
    remote: RemoteFigures
    browsers: WebFigures
