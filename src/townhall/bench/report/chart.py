"""Line charts as SVG: panels one below the other that share an x axis. Draws strings, and knows nothing of
what they mean.

Readable on light and on dark pages: the picture brings its own ground, in the colours that the reader's
system asks for (`prefers-color-scheme`). No scripts, no fonts, nothing fetched.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 760
_LEFT, _RIGHT = 64, 192
_TOP, _BOTTOM = 74, 46
_HEIGHT, _BETWEEN = 150, 54
_COLOURS = 5
_STYLE = """\
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.heading { font-size: 17px; font-weight: 600 }
.title { font-weight: 600 }
.small { font-size: 12px; fill: #57606a }
.ground { fill: #ffffff; stroke: #d0d7de }
.grid { stroke: #e4e8ec }
.limit { stroke: #57606a; stroke-dasharray: 5 4 }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round }
.s0 { stroke: #0969da } .s1 { stroke: #bc4c00 } .s2 { stroke: #1a7f37 } .s3 { stroke: #8250df }
.s4 { stroke: #bf3989 }
.d0 { fill: #0969da } .d1 { fill: #bc4c00 } .d2 { fill: #1a7f37 } .d3 { fill: #8250df } .d4 { fill: #bf3989 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9aa4af }
  .ground { fill: #0d1117; stroke: #30363d }
  .grid { stroke: #262c34 }
  .limit { stroke: #9aa4af }
  .s0 { stroke: #58a6ff } .s1 { stroke: #f0883e } .s2 { stroke: #3fb950 } .s3 { stroke: #bc8cff }
  .s4 { stroke: #ff7eb6 }
  .d0 { fill: #58a6ff } .d1 { fill: #f0883e } .d2 { fill: #3fb950 } .d3 { fill: #bc8cff }
  .d4 { fill: #ff7eb6 }
}"""


@dataclass(frozen=True, slots=True)
class Series:
    """One line; None: no value there."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """`limit`: a value that a dashed line stands at, with its name."""

    title: str
    series: Sequence[Series]
    limit: tuple[float, str] | None = None


def draw(heading: str, x_title: str, x: Sequence[float], panels: Sequence[Panel]) -> str:
    """The picture; raises ValueError where a series is not as long as `x`."""
    for panel in panels:
        if len(panel.series) > _COLOURS or any(len(series.values) != len(x) for series in panel.series):
            raise ValueError(f"{panel.title}: at most {_COLOURS} series of {len(x)} values each")
    height = _TOP + len(panels) * (_HEIGHT + _BETWEEN) - _BETWEEN + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" role="img" aria-label="{escape(heading)}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        _text(_LEFT - 44, 28, heading, "heading"),
    ]
    for number, panel in enumerate(panels):
        parts += _panel(panel, x, _TOP + number * (_HEIGHT + _BETWEEN))
    bottom = height - _BOTTOM
    at = _scale(0.0, max(x), _LEFT, WIDTH - _RIGHT)
    parts += [_text(at(value), bottom + 18, f"{value:,g}", "small", "middle") for value in _ticks(max(x))]
    parts.append(_text((_LEFT + WIDTH - _RIGHT) / 2, bottom + 36, x_title, "small", "middle"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, x: Sequence[float], top: float) -> list[str]:
    values = [value for series in panel.series for value in series.values if value is not None]
    most = max([*values, 1e-9]) * 1.05
    if panel.limit is not None and panel.limit[0] < 4 * most:
        most = max(most, panel.limit[0] * 1.1)
    x_at, y_at = _scale(0.0, max(x), _LEFT, WIDTH - _RIGHT), _scale(0.0, most, top + _HEIGHT, top)
    parts = [_text(_LEFT - 44, top - 12, panel.title, "title")]
    for value in _ticks(most):
        parts.append(_line(_LEFT, y_at(value), WIDTH - _RIGHT, y_at(value), "grid"))
        parts.append(_text(_LEFT - 8, y_at(value) + 4, f"{value:g}", "small", "end"))
    if panel.limit is not None and panel.limit[0] <= most:
        height = y_at(panel.limit[0])
        parts.append(_line(_LEFT, height, WIDTH - _RIGHT, height, "limit"))
        parts.append(_text(_LEFT + 6, height - 5, panel.limit[1], "small"))
    for number, series in enumerate(panel.series):
        points = [
            (x_at(at), y_at(value)) for at, value in zip(x, series.values, strict=True) if value is not None
        ]
        line = " ".join(f"{across:.1f},{down:.1f}" for across, down in points)
        parts.append(f'<polyline class="s{number}" points="{line}"/>')
        parts += [f'<circle class="d{number}" cx="{a:.1f}" cy="{d:.1f}" r="3"/>' for a, d in points]
        legend = top + 10 + 19 * number
        parts.append(_line(WIDTH - _RIGHT + 14, legend - 4, WIDTH - _RIGHT + 34, legend - 4, f"s{number}", 3))
        parts.append(_text(WIDTH - _RIGHT + 40, legend, series.name, "small"))
    return parts


def _ticks(most: float) -> list[float]:
    """Round values from 0 up, four to eight of them."""
    rough = most / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    return [round(step * number, 10) for number in range(int(most / step + 1e-9) + 1)]


def _scale(low: float, high: float, first: float, last: float) -> Callable[[float], float]:
    """Values from `low` to `high` as places from `first` to `last`."""
    slope = (last - first) / (high - low)
    return lambda value: first + (value - low) * slope


def _text(x: float, y: float, words: str, style: str, anchor: str = "start") -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(x: float, y: float, to_x: float, to_y: float, style: str, width: float = 1) -> str:
    return (
        f'<line class="{style}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
        f' stroke-width="{width:g}"/>'
    )
