"""The virtual media engine of every test here."""

from collections.abc import Iterator

import pytest
from tests.harness.media_rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()
