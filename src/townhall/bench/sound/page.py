"""The page on sound: our figures beside doing nothing and beside the field."""

from collections.abc import Sequence
from pathlib import Path

from townhall.bench.sound.figures import AIMS, Aim, SoundFigures, WeatherFigures

BEGIN, END = "<!-- sound: written by `townhall bench --write` -->", "<!-- end of sound -->"
PAGE = "sound.md"

_FIELD = {
    "clean": ("4.41 / 21", "4.31 / 82", "4.39 / 24", "4.41 / 101", "4.41", "4.41"),
    "loss 5 %": ("2.89", "2.28", "3.16", "3.51", "3.16", "3.38"),
    "loss 10 %": ("2.46", "1.98", "2.68", "3.25", "2.74", "3.06"),
    "bursts of 4": ("2.65", "3.12", "3.17", "3.42 / 324", "3.37", "3.76"),
    "jitter": ("1.34", "4.41 / 222", "4.41 / 205", "4.27 / 282", "1.21", "1.08"),
    "spikes": ("3.64", "3.67", "4.41 / 205", "4.32 / 245", "3.52", "3.79"),
    "reordered": ("2.94", "4.38", "2.92", "4.39", "4.41", "4.41"),
    "doubled": ("2.54", "4.41", "2.50 / 504", "4.32", "4.41", "4.41"),
    "ten talkers": ("4.54", "4.07", "4.12", "4.08", "4.54", "4.54"),
}
"""PESQ, and delay in ms where it was told: Asterisk 22, with its jitter buffer, FreeSWITCH 1.11, with its
jitter buffer, silence and repetition at a fixed 60 ms; of another recording than ours.
"""
_G711_HEAD = (
    "| network | **Townhall** | silence | repetition | aim | Asterisk 22 | with jitter buffer "
    "| FreeSWITCH 1.11 | with jitter buffer | silence | repetition |\n" + "|---" * 11 + "|\n"
)
_OPUS_HEAD = "| network | **Townhall** | silence | repetition |\n" + "|---" * 4 + "|\n"


def write_sound(folder: Path, figures: SoundFigures) -> list[Path]:
    """Write the page's tables where there is such a page and something was measured; the files written."""
    page = folder / PAGE
    text = page.read_text() if page.is_file() and figures.g711 else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return []
    tables = "\n\n".join((_g711(figures.g711), _opus(figures.opus), _trust(figures)))
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")
    return [page]


def _g711(rows: Sequence[WeatherFigures]) -> str:
    lines = [
        f"| {_ours(row)} | {_aim(AIMS[row.weather])} | {' | '.join(_FIELD[row.weather])} |" for row in rows
    ]
    return "Telephones, G.711: narrowband PESQ and median delay in ms.\n\n" + _G711_HEAD + "\n".join(lines)


def _opus(rows: Sequence[WeatherFigures]) -> str:
    if not rows:
        return "Browsers were not measured in this run."
    lines = [f"| {_ours(row)} |" for row in rows]
    return "Browsers, Opus: wideband PESQ and median delay in ms.\n\n" + _OPUS_HEAD + "\n".join(lines)


def _ours(row: WeatherFigures) -> str:
    nothing = ["" if score is None else f"{score:.2f}" for score in (row.silence, row.repetition)]
    return f"{row.weather} | **{row.pesq:.2f} / {row.delay_ms:.0f}** | {' | '.join(nothing)}"


def _aim(aim: Aim) -> str:
    pesq = "as clean" if aim.pesq is None else f"≥ {aim.pesq:g}"
    return pesq + (f" / ≤ {aim.delay_ms:g}" if aim.delay_ms else "")


def _trust(figures: SoundFigures) -> str:
    return (
        f"In this run 99 % of the packets were sent within {figures.sender_late_p99_ms:.1f} ms of their time "
        f"and the last one {figures.sender_late_max_ms:.1f} ms late; the server's longest tick took "
        f"{figures.tick_max_ms:.1f} ms, {figures.ticks_late} began late, and listeners missed "
        f"{figures.packets_missing} packets."
    )
