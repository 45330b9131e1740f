"""The figures of a window as rows of a table."""

from townhall.bench.courses import Row
from townhall.bench.load.figures import GAP_AIM_MS, LoadFigures

RATIO_AIM = 1.3
RATIO_FROM = 1000
"""Callers: with few, what is done once a tick for all outweighs their packets."""
TICK_AIM_MS = 20.0
DELAY_AIM_MS = 45.0


def load_rows(figures: LoadFigures) -> list[Row]:
    """Those of one window, with what the project aims at."""
    return [*_heard_rows(figures), *_packet_rows(figures), *_tick_rows(figures), *_cpu_rows(figures)]


def coming_rows(listening: int, missed: int, gap_max_ms: float) -> list[Row]:
    """What those who were in already got meanwhile."""
    return [
        Row(f"while these came, the {listening} before them missed", f"{missed} packets", "0", missed == 0),
        Row("and waited for a packet at most", f"{gap_max_ms:.0f} ms", "≤ 60 ms", gap_max_ms <= GAP_AIM_MS),
    ]


def grown_row(figures: LoadFigures) -> Row:
    """A window in one line."""
    ticks = (figures.tick_p50_ms, figures.tick_p99_ms, figures.tick_p999_ms, figures.tick_max_ms)
    floor = "" if figures.floor_cpu is None else f" (floor {100 * figures.floor_cpu:.1f} %)"
    return Row(
        f"{figures.callers} callers",
        f"media {100 * figures.media_cpu:.1f} %{floor}, control {100 * figures.control_cpu:.1f} %; ticks "
        + " / ".join(f"{tick:.1f}" for tick in ticks)
        + f" ms; longest gap {figures.gap_max_ms:.0f} ms",
        "all hear",
        figures.phones_right == figures.callers,
    )


def _heard_rows(figures: LoadFigures) -> list[Row]:
    return [
        Row(
            "phones that hear all they ought to, and nobody else",
            f"{figures.phones_right}",
            "all",
            figures.phones_right == figures.callers,
        ),
        Row("talkers unheard, of all pairs", f"{figures.pairs_unheard} of {figures.pairs}"),
        Row("heard and ought not to be", f"{figures.pairs_wrong}"),
        Row("phones that heard a second otherwise than the next", f"{figures.phones_unsteady}"),
    ]


def _packet_rows(figures: LoadFigures) -> list[Row]:
    share = 100 * figures.packets_missed / max(1, figures.packets_expected)
    return [
        Row("packets missed", f"{figures.packets_missed} ({share:.3f} %)", "0", figures.packets_missed == 0),
        Row("phones that missed any", f"{figures.phones_with_misses}"),
        Row("longest gap of a phone, median", f"{figures.gap_p50_ms:.0f} ms"),
        Row(
            "longest gap of all",
            f"{figures.gap_max_ms:.0f} ms",
            f"≤ {GAP_AIM_MS:g} ms",
            figures.gap_max_ms <= GAP_AIM_MS,
        ),
        Row(
            "from mouth to ear, median",
            f"{figures.delay_p50_ms:.0f} ms + 20",
            f"≤ {DELAY_AIM_MS:g} ms + 20",
            figures.delay_p50_ms <= DELAY_AIM_MS,
        ),
        Row("99 % within", f"{figures.delay_p99_ms:.0f} ms + 20"),
    ]


def _tick_rows(figures: LoadFigures) -> list[Row]:
    return [
        Row("tick, median", f"{figures.tick_p50_ms:.1f} ms"),
        Row("tick, 99 % within", f"{figures.tick_p99_ms:.1f} ms"),
        Row(
            "tick, 99.9 % within",
            f"{figures.tick_p999_ms:.1f} ms",
            f"≤ {TICK_AIM_MS:g} ms",
            figures.tick_p999_ms <= TICK_AIM_MS,
        ),
        Row("tick, longest", f"{figures.tick_max_ms:.1f} ms"),
        Row("ticks missed", f"{figures.ticks_late}", "0", figures.ticks_late == 0),
    ]


def _cpu_rows(figures: LoadFigures) -> list[Row]:
    rows = [Row("media", _share(figures.media_cpu))]
    if len(figures.media_cpu_each) > 1:
        each = ", ".join(f"{100 * cpu:.0f}" for cpu in figures.media_cpu_each)
        rows.append(Row("of which each process", f"{each} %"))
    if figures.floor_cpu is not None and figures.ratio is not None:
        judged = figures.callers >= RATIO_FROM
        ratio_aim = (f"≤ {RATIO_AIM:g}", figures.ratio <= RATIO_AIM) if judged else ("", None)
        rows.append(Row("floor: a bare loop", _share(figures.floor_cpu)))
        rows.append(Row("ratio", f"{figures.ratio:.2f}", *ratio_aim))
    return [
        *rows,
        Row("control", _share(figures.control_cpu)),
        Row("load maker", _share(figures.load_maker_cpu)),
        Row(
            "load maker late, 99 % and at most",
            f"{figures.load_maker_late_p99_ms:.1f} and {figures.load_maker_late_max_ms:.1f} ms",
        ),
    ]


def _share(cores: float) -> str:
    return f"{100 * cores:.1f} % of a core"
