"""Connection overrides in the fragment: values, ranges and 11243."""

import pytest

from townhall.twiml import FetchFailed
from townhall.webhooks.overrides import DEFAULT, Overrides, parse_overrides

ALL = frozenset({"4xx", "5xx", "ct", "rt"})


@pytest.mark.parametrize(("fragment", "expected"), [
    ("", DEFAULT),
    ("section-2", DEFAULT),
    ("e=ashburn", DEFAULT),
    ("ct=2000", Overrides(connect_s=2.0)),
    ("rt=100", Overrides(read_s=0.1)),
    ("tt=15000", Overrides(total_s=15.0)),
    ("rc=0", Overrides(retries=0)),
    ("rc=5&rp=all", Overrides(retries=5, policies=ALL)),
    ("rp=4xx,rt", Overrides(policies=frozenset({"4xx", "rt"}))),
    ("rp=4xx%2C5xx", Overrides(policies=frozenset({"4xx", "5xx"}))),
    ("ct=100&rt=200&tt=300&rc=3&rp=ct&e=umatilla", Overrides(0.1, 0.2, 0.3, 3)),
])  # fmt: skip
def test_override_is_read(fragment, expected):
    assert parse_overrides(fragment, "http://x/") == expected


@pytest.mark.parametrize("fragment", [
    "ct=99", "ct=10001", "ct=", "ct=-1", "ct=2s", "ct=٣٠٠", "rt=15001", "tt=0", "tt=9999999999", "rc=6",
    "rc=x", "rp=", "rp=6xx", "rp=all,now", "xx=1", "=1",
])  # fmt: skip
def test_bad_override_is_11243(fragment):
    with pytest.raises(FetchFailed) as failed:
        parse_overrides(fragment, "http://x/")
    assert failed.value.code == 11243
