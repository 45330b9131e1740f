"""Every path, parameter and error number of the API is in the reference."""

import re
from pathlib import Path

import pytest
from tests.harness.api_shapes import table

from townhall.api.application import RESOURCES
from townhall.api.errors import STATUS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "rest-api"
PAGING = {"Page", "PageSize", "PageToken"}
PAGES = (
    ("/Recordings", "recordings.md"),
    ("/Notifications", "account.md"),
    ("/Conferences", "conferences.md"),
    ("/IncomingPhoneNumbers", "numbers.md"),
    ("/Applications", "numbers.md"),
    ("/Queues", "queues.md"),
    ("/Calls", "calls.md"),
    ("/Accounts", "account.md"),
)
"""Which page tells of a path: the first that has this in it."""


def page_of(path: str) -> str:
    name = next(page for part, page in PAGES if part in path)
    return (REFERENCE / name).read_text("utf-8")


@pytest.mark.parametrize("path", table()["paths"])
def test_every_parameter_is_documented(path: str) -> None:
    page = page_of(path)
    operations = table()["paths"][path].values()
    names = {name for op in operations for part in ("query", "form") for name in op.get(part, {})} - PAGING
    assert [name for name in sorted(names) if f"`{name}`" not in page] == []


@pytest.mark.parametrize("path", table()["paths"])
def test_every_path_is_answered(path: str) -> None:
    bare = re.sub(r"\{\w+\}", "{}", path.removeprefix("/2010-04-01").removesuffix(".json"))
    routes = {re.sub(r"\{\w+\}", "{}", route.path) for resource in RESOURCES for route in resource.ROUTES}
    assert bare in routes


@pytest.mark.parametrize("code", STATUS)
def test_every_error_with_a_status_of_its_own_is_documented(code: int) -> None:
    assert re.search(rf"\b{code}\b", (REFERENCE / "README.md").read_text("utf-8"))
