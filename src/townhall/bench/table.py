"""The figures as a table, and a progress bar while they come about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from townhall.bench.courses import Outcome, Row
from townhall.bench.courses import Table as Rows
from townhall.bench.plan import BenchReport, WebFigures

ANSWER_AIM_MS = 250.0
RATIO_AIM = 2.0
SILENCE_AIM_MS = 40.0
"""Two ticks."""


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, a line per stage elsewhere; gives the function that moves it."""
    if not console.is_terminal:
        stages: list[str] = []

        def tell(doing: str, done: float) -> None:
            if doing not in stages:
                stages.append(doing)
                console.print(doing)

        yield tell
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda doing, done: bar.update(task, description=doing, completed=done)


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Its tables, and what spoils them."""
    for rows in outcome.tables:
        table = Table(title=rows.title, title_justify="left", show_header=True, header_style="bold")
        table.add_column("")
        table.add_column("measured", justify="right")
        table.add_column("aim", justify="right")
        table.add_column("")
        for row in rows.rows:
            verdict = "" if row.reached is None else "[green]yes[/]" if row.reached else "[red]no[/]"
            table.add_row(row.what, row.measured, row.aim, verdict)
        console.print(table)
    for reason in outcome.spoiled:
        console.print(f"Spoiled: {reason}", markup=False)


def tables_of(report: BenchReport) -> list[Rows]:
    """The tables of the whole course."""
    return [*_tables(report), _browsers(report.browsers)]


def _tables(report: BenchReport) -> list[Rows]:
    answers, conference = report.answers, report.conference
    tables = []
    tables.append(
        _table(
            f"{answers.calls} calls at {answers.calls_a_second:g} a second through the menu",
            [
                ("not answered", f"{answers.failed}", answers.failed == 0, "0"),
                ("answered after, median", f"{answers.p50_ms:.0f} ms", None, ""),
                ("90 % within", f"{answers.p90_ms:.0f} ms", None, ""),
                (
                    "99 % within",
                    f"{answers.p99_ms:.0f} ms",
                    answers.p99_ms < ANSWER_AIM_MS,
                    f"< {ANSWER_AIM_MS:g} ms",
                ),
                ("slowest", f"{answers.max_ms:.0f} ms", None, ""),
            ],
        )
    )
    share = 100 * conference.packets_missed / max(1, conference.packets_expected)
    tables.append(
        _table(
            f"{conference.callers} callers, {conference.talkers} of them talking, {conference.seconds:g} s",
            [
                (
                    "phones that hear the talk",
                    f"{conference.hearing}",
                    conference.hearing == conference.callers,
                    "all",
                ),
                ("tick, median", f"{conference.tick_p50_ms:.2f} ms", None, ""),
                (
                    "tick, 99 % within",
                    f"{conference.tick_p99_ms:.2f} ms",
                    conference.tick_p99_ms < 20,
                    "< 20 ms",
                ),
                ("tick, longest", f"{conference.tick_max_ms:.2f} ms", None, ""),
                ("ticks missed", f"{conference.ticks_late}", conference.ticks_late == 0, "0"),
                (
                    "packets missed",
                    f"{conference.packets_missed} ({share:.3f} %)",
                    conference.packets_missed == 0,
                    "0",
                ),
                ("phones that missed any", f"{conference.phones_with_misses}", None, ""),
                ("longest gap at a phone", f"{conference.worst_gap_ms:.0f} ms", None, ""),
                ("media process", f"{100 * conference.media_cpu:.1f} % of a core", None, ""),
                ("floor: a bare loop", f"{100 * conference.floor_cpu:.1f} % of a core", None, ""),
                ("ratio", f"{conference.ratio:.2f}", conference.ratio <= RATIO_AIM, f"≤ {RATIO_AIM:g}"),
                ("load maker late by at most", f"{conference.load_maker_late_ms:.1f} ms", None, ""),
            ],
        )
    )
    remote = report.remote
    tables.append(
        _table(
            f"the REST API, with {remote.callers} calls up",
            [
                ("requests a second", f"{remote.requests_a_second:.0f}", None, ""),
                (
                    "from a mute's answer to silence, median",
                    f"{remote.silence_median_ms:.0f} ms",
                    None,
                    "",
                ),
                (
                    f"longest of {remote.mutes}",
                    f"{remote.silence_max_ms:.0f} ms",
                    remote.silence_max_ms <= SILENCE_AIM_MS,
                    f"≤ {SILENCE_AIM_MS:g} ms",
                ),
                ("callbacks delivered a second", f"{remote.callbacks_a_second:.0f}", None, ""),
            ],
        )
    )
    return tables


def _browsers(browsers: WebFigures) -> Rows:
    share = 100 * browsers.packets_missed / max(1, browsers.packets_expected)
    return _table(
        f"browsers: {browsers.listeners} of which one talks, then {browsers.talkers} that all talk",
        [
            (
                "browsers that hear the talk",
                f"{browsers.hearing}",
                browsers.hearing == browsers.listeners - 1,
                "all but who talks",
            ),
            (
                "first sound after the call, median",
                f"{browsers.first_audio_p50_ms:.0f} ms",
                None,
                "",
            ),
            ("99 % within", f"{browsers.first_audio_p99_ms:.0f} ms", None, ""),
            ("each that listens", f"{100 * browsers.listener_cpu:.3f} % of a core", None, ""),
            ("each that talks", f"{100 * browsers.talker_cpu:.3f} % of a core", None, ""),
            ("listening, on a core", f"about {browsers.listeners_per_core}", None, ""),
            ("talking, on a core", f"about {browsers.talkers_per_core}", None, ""),
            (
                "packets missed",
                f"{browsers.packets_missed} ({share:.3f} %)",
                browsers.packets_missed == 0,
                "0",
            ),
            ("load maker late by at most", f"{browsers.load_maker_late_ms:.1f} ms", None, ""),
        ],
    )


def _table(title: str, rows: list[tuple[str, str, bool | None, str]]) -> Rows:
    return Rows(title, [Row(what, measured, aim, reached) for what, measured, reached, aim in rows])
