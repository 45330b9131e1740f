"""What holds for all tests."""

import pytest


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a browser run in one worker, with one Chromium: two would make each other stutter. So would
    Chromium the phones that listen for gaps while something attacks the server.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()) or item.path.parent.name == "attacks":
            item.add_marker(pytest.mark.xdist_group("browser"))
