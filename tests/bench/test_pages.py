"""The picture, and what is written into the documentation."""

import json
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from townhall.bench.courses import Outcome, Row, Table
from townhall.bench.load.answers import AnswerFigures
from townhall.bench.load.capacity import CapacityFigures, ComingFigures, StageFigures
from townhall.bench.load.figures import LoadFigures
from townhall.bench.load.release import ReleaseFigures
from townhall.bench.load.remote import RemoteFigures
from townhall.bench.load.rooms import RoomsFigures
from townhall.bench.report.chart import Panel, Series, draw
from townhall.bench.report.pages import BEGIN, END, PageError, check_page, write_pages
from townhall.bench.report.picture import picture
from townhall.bench.report.result import SCHEMA, BenchResult, CourseResult, bench_result
from townhall.bench.web.course import WebFigures

SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).parents[2]


def load(callers: int) -> LoadFigures:
    zeros = {name: 0 for name in LoadFigures.__struct_fields__} | {"media_cpu_each": (0.0,)}
    some = {"callers": callers, "talkers": 10, "media_cpu": callers / 4000, "floor_cpu": callers / 5000}
    return msgspec.convert(zeros | some | {"tick_p50_ms": callers / 200, "gap_max_ms": 25.0}, LoadFigures)


def capacity() -> CapacityFigures:
    answers = AnswerFigures(10, 0, 100.0, 5.0, 6.0, 7.0, 8.0)
    stages = [StageFigures(answers, ComingFigures(0, 0, 0, 0.0), load(callers)) for callers in (500, 2000)]
    return CapacityFigures(stages, ReleaseFigures(1999, 1999, 1999, 1.0, 2.0))


def result() -> BenchResult:
    courses = {
        "capacity": CourseResult(capacity(), 10.0),
        "sound": CourseResult(None, 1.0, failure="no ears\nat all"),
    }
    return bench_result(courses, quick=False, began=datetime(2026, 1, 2, tzinfo=UTC), seconds=600.0)


def outcomes() -> dict[str, Outcome]:
    table = Table(
        "what is full", [Row("ratio", "1.20", "≤ 1.3", True), Row("gap", "70 ms", "≤ 60 ms", False)]
    )
    return {"capacity": Outcome(capacity(), [table], ["a neighbour was loud"])}


def test_chart_puts_values_where_they_belong() -> None:
    drawn = draw("A heading", "things", [10, 20], [Panel("P & Q", [Series("s", [1.0, 2.0])], (2.0, "most"))])
    image = ElementTree.fromstring(drawn)
    (line,) = image.iter(f"{SVG}polyline")
    (left, low), (right, high) = (
        [float(number) for number in point.split(",")] for point in line.attrib["points"].split()
    )
    assert left < right
    assert low > high  # up is less
    words = [text.text for text in image.iter(f"{SVG}text")]
    assert {"A heading", "things", "P & Q", "s", "most"} <= set(words)
    limit = next(line for line in image.iter(f"{SVG}line") if line.attrib["class"] == "limit")
    assert float(limit.attrib["y1"]) == pytest.approx(high, abs=0.1)


def test_chart_leaves_out_what_has_no_value() -> None:
    drawn = draw("A heading", "things", [10, 20], [Panel("P", [Series("s", [None, 2.0])])])
    (line,) = ElementTree.fromstring(drawn).iter(f"{SVG}polyline")
    assert len(line.attrib["points"].split()) == 1


def test_chart_of_uneven_series_is_refused() -> None:
    with pytest.raises(ValueError, match="2 values"):
        draw("A heading", "things", [10, 20], [Panel("P", [Series("s", [1.0])])])


def test_picture_of_capacity_shows_processor_ticks_and_gaps_on_light_and_dark() -> None:
    image = picture(capacity(), "a machine")
    words = {text.text for text in ElementTree.fromstring(image).iter(f"{SVG}text")}
    assert {"media", "floor: a bare loop", "99.9 % within", "longest gap of all", "callers"} <= words
    assert "prefers-color-scheme: dark" in image


def test_figures_are_written_between_their_marks_again_and_again(tmp_path: Path) -> None:
    page = tmp_path / "capacity.md"
    page.write_text(f"# Before\n\n{BEGIN}\nold figures\n{END}\n\nAfter\n")
    for _ in range(2):
        written = write_pages(tmp_path, result(), outcomes())
    assert [file.name for file in written] == ["capacity.md", "capacity.json", "capacity.svg"]
    text = page.read_text()
    assert text.startswith(f"# Before\n\n{BEGIN}\n")
    assert text.endswith(f"{END}\n\nAfter\n")
    assert "old figures" not in text
    for words in (
        "### What is full",
        "| ratio | 1.20 | ≤ 1.3 | yes |",
        "| gap | 70 ms | ≤ 60 ms | **no** |",
        "*Spoiled: a neighbour was loud.*",
        "**sound** could not be measured: no ears",
    ):
        assert text.count(words) == 1
    figures = json.loads((tmp_path / "capacity.json").read_text())
    assert figures["schema"] == SCHEMA
    assert figures["courses"]["capacity"]["figures"]["stages"][1]["load"]["callers"] == 2000


@pytest.mark.parametrize("text", [None, "# Nothing", f"{END} {BEGIN}"])
def test_page_without_a_place_for_figures_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "capacity.md").write_text(text)
    with pytest.raises(PageError, match=r"capacity\.md"):
        check_page(tmp_path)


def test_our_own_page_has_its_place() -> None:
    check_page(ROOT / "docs" / "explanation")


def test_every_figure_of_the_result_is_documented() -> None:
    documented = (ROOT / "docs" / "reference" / "bench.md").read_text()
    for struct in (
        BenchResult,
        CourseResult,
        AnswerFigures,
        CapacityFigures,
        StageFigures,
        ComingFigures,
        ReleaseFigures,
        LoadFigures,
        RoomsFigures,
        RemoteFigures,
        WebFigures,
    ):
        missing = [name for name in struct.__struct_fields__ if f"`{name}`" not in documented]
        assert not missing, struct.__name__
