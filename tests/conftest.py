"""What holds for all tests."""

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes tells how busy the machine is, and nothing of the code: no clock judges it. Every
# run tries the same examples; to look for new ones: `pytest --hypothesis-profile searching`.
settings.register_profile("searching", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("same", settings.get_profile("searching"), derandomize=True, database=None)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests with a browser run in one worker, with one Chromium: two would make each other stutter. So would
    Chromium the phones that listen for gaps while something attacks the server.
    """
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()) or item.path.parent.name == "attacks":
            item.add_marker(pytest.mark.xdist_group("browser"))
