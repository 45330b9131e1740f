"""Whatever a user can set or ask for is in the reference."""

import re
from pathlib import Path

import pytest
import typer

from townhall.cli import app
from townhall.settings import Settings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented(name: str) -> None:
    assert f"| `{name}` | `TOWNHALL_{name.upper()}` |" in (REFERENCE / "settings.md").read_text("utf-8")


def commands() -> list[tuple[str, list[str]]]:
    """Every command by its full name, with its options."""
    found: list[tuple[str, list[str]]] = []
    groups = [("townhall", typer.main.get_command(app))]
    while groups:
        name, command = groups.pop()
        for part, child in getattr(command, "commands", {}).items():
            groups.append((f"{name} {part}", child))
        if not hasattr(command, "commands"):
            found.append(
                (name, [option for given in command.params for option in given.opts if option[0] == "-"])
            )
    return found


@pytest.mark.parametrize(("command", "options"), commands())
def test_command_and_its_options_are_documented(command: str, options: list[str]) -> None:
    text = (REFERENCE / "cli.md").read_text("utf-8")
    assert command in text
    section = text.split(f"\n## `{' '.join(command.split()[:2])}", 1)[1].split("\n## ")[0]
    assert [option for option in options if f"`{option}`" not in section] == []


PAGES = sorted(REFERENCE.parent.rglob("*.md"))
OTHERS = {"TOWNHALL_CONFIG", "TOWNHALL_HTPP_PORT", "TOWNHALL_TRUNK_PASSWORD"}
"""Variables that are no settings, and one that is misspelt to show what happens."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_setting_that_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"\bTOWNHALL_[A-Z_]*[A-Z]\b", page.read_text("utf-8")))
    settings = {f"TOWNHALL_{name.upper()}" for name in Settings.model_fields}
    assert named - settings - OTHERS == set()
