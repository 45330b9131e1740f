"""The pages lead to files that are there, and every command on them is one that the program understands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from townhall.cli import app

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_BLOCK = re.compile(r"^```(?:sh|)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PROGRAM = re.compile(r"^(?:\w+=(?:\"[^\"]*\"|\S+) )*(?:\.venv/bin/)?townhall ")


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_files_that_are_there(page: Path) -> None:
    inner = [target for target in _LINK.findall(page.read_text("utf-8")) if "://" not in target]
    assert [target for target in inner if not (page.parent / target).exists()] == []


def commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in block.splitlines():
                if found := _PROGRAM.match(line):
                    yield named(page), line[found.end() :].partition("  #")[0]


def test_pages_have_commands() -> None:
    assert len(list(commands())) > 10


@pytest.mark.parametrize(("page", "command"), list(commands()))
def test_command_on_a_page_is_understood(page: str, command: str) -> None:
    words = shlex.split(command)
    if any(word.isupper() or word.startswith("[") for word in words):
        return  # a synopsis: NUMBER, URL, [options]
    parsed = typer.main.get_command(app)
    context = parsed.make_context("townhall", words[:1] if words[0] != "--version" else [])
    while hasattr(parsed, "commands"):
        name, parsed, words = parsed.resolve_command(context, words)
        assert parsed is not None, f"there is no command {name}"
        context = parsed.make_context(name, list(words[:1] if hasattr(parsed, "commands") else words))
