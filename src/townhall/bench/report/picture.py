"""Capacity as a picture: what a growing conference costs, how long its ticks take, what its phones notice."""

from collections.abc import Callable

from townhall.bench.load.capacity import CapacityFigures
from townhall.bench.load.figures import GAP_AIM_MS, LoadFigures
from townhall.bench.load.rows import TICK_AIM_MS
from townhall.bench.report.chart import Panel, Series, draw


def picture(figures: CapacityFigures, where: str) -> str:
    """An SVG; `where` says on what machine."""
    loads = [stage.load for stage in figures.stages]

    def line(name: str, read: Callable[[LoadFigures], float | None]) -> Series:
        return Series(name, [read(load) for load in loads])

    talkers = loads[0].talkers
    return draw(
        f"One conference, {talkers} of them talking: {where}",
        "callers",
        [load.callers for load in loads],
        [
            Panel(
                "Processor, % of a core",
                [
                    line("media", lambda load: 100 * load.media_cpu),
                    line("floor: a bare loop", lambda load: load.floor_cpu and 100 * load.floor_cpu),
                    line("control", lambda load: 100 * load.control_cpu),
                    line("load maker", lambda load: 100 * load.load_maker_cpu),
                ],
            ),
            Panel(
                "Ticks, ms",
                [
                    line("median", lambda load: load.tick_p50_ms),
                    line("99 % within", lambda load: load.tick_p99_ms),
                    line("99.9 % within", lambda load: load.tick_p999_ms),
                    line("longest", lambda load: load.tick_max_ms),
                ],
                (TICK_AIM_MS, "a tick's time"),
            ),
            Panel(
                "At the phones, ms",
                [
                    line("longest gap of all", lambda load: load.gap_max_ms),
                    line("longest gap, median", lambda load: load.gap_p50_ms),
                    line("mouth to ear, median", lambda load: load.delay_p50_ms + 20),
                    line("mouth to ear, 99 %", lambda load: load.delay_p99_ms + 20),
                ],
                (GAP_AIM_MS, "no gap longer than this"),
            ),
        ],
    )
