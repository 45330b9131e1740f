"""By which trunks a number goes, in which order, and with which digits."""

import pytest

from townhall.routing import choose_trunks, why_no_trunk
from townhall.store import PrefixRule, Trunk


def trunk(name, *rules, countries=("+49", "+43"), priority=10, enabled=True):
    return Trunk(
        name=name,
        host="trunk.example",
        rules=tuple(PrefixRule(*rule) if isinstance(rule, tuple) else PrefixRule(rule) for rule in rules),
        countries=countries,
        priority=priority,
        enabled=enabled,
        sid=f"TK{name}",
    )


def names(trunks, number, down=()):
    return [passage.trunk.name for passage in choose_trunks(trunks, number, down)]


def test_trunks_are_tried_by_priority_then_by_the_longer_prefix():
    trunks = [trunk("all", ""), trunk("germany", "+49"), trunk("first", "", priority=1)]
    assert names(trunks, "+4930123") == ["first", "germany", "all"]
    assert names(trunks, "+43123") == ["first", "all"]


def test_trunk_that_is_down_comes_last():
    trunks = [trunk("a", "", priority=1), trunk("b", "", priority=2), trunk("c", "", priority=3)]
    assert names(trunks, "+4930123", {"TKa", "TKb"}) == ["c", "a", "b"]


@pytest.mark.parametrize(("rules", "dialled"), [
    (["+49"], "+4930123"), ([("+49", 3, "0")], "030123"), ([("", 1, "00")], "004930123"),
    ([("+4", 0, "9"), ("+493", 3, "")], "30123"),
])  # fmt: skip
def test_digits_are_those_of_the_longest_rule(rules, dialled):
    assert choose_trunks([trunk("a", *rules)], "+4930123")[0].dialled == dialled


@pytest.mark.parametrize(("trunks", "words"), [
    ([], "no trunk to call"),
    ([trunk("off", "", enabled=False)], "no trunk to call"),
    ([trunk("no rule")], "has a rule"),
    ([trunk("elsewhere", "+1")], "has a rule"),
    ([trunk("no country", "", countries=())], "country"),
    ([trunk("other country", "", countries=("+1",))], "country"),
])  # fmt: skip
def test_number_that_no_trunk_allows_has_a_reason(trunks, words):
    assert choose_trunks(trunks, "+4930123") == []
    assert words in why_no_trunk(trunks, "+4930123")


def test_short_number_needs_some_country_but_has_none():
    assert names([trunk("a", "")], "1001") == ["a"]
    assert names([trunk("a", "", countries=())], "1001") == []
