"""What a SIP status makes of a call."""

import pytest

from townhall.routing import outcome_of, try_another_way


@pytest.mark.parametrize(("status", "outcome"), [
    (486, "busy"), (600, "busy"), (603, "busy"), (480, "no-answer"), (408, "no-answer"), (487, "canceled"),
    (404, "failed"), (403, "failed"), (488, "failed"), (503, "failed"), (604, "failed"),
])  # fmt: skip
def test_status_becomes_an_outcome(status, outcome):
    assert outcome_of(status) == outcome


@pytest.mark.parametrize(("status", "rang", "another"), [
    (503, False, True), (500, False, True), (408, False, True), (403, False, True), (486, False, False),
    (404, False, False), (603, False, False), (408, True, False), (503, True, False),
])  # fmt: skip
def test_next_trunk_is_tried_when_the_fault_is_the_trunk_s(status, rang, another):
    assert try_another_way(status, rang) is another
