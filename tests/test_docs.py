"""Whatever a user can set or ask for is in the reference."""

from pathlib import Path

import pytest

from townhall.settings import Settings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented(name: str) -> None:
    assert f"| `{name}` | `TOWNHALL_{name.upper()}` |" in (REFERENCE / "settings.md").read_text("utf-8")
