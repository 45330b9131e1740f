"""A bounded room and who may have how much of it."""

import pytest

from townhall.sip.shares import Shares, source_key


def fill(shares: Shares, *sources: str) -> dict[str, int]:
    """Let greedy sources take turns until nobody gets any more; what each has."""
    held = dict.fromkeys(sources, 0)
    while any([shares.take(source) and not held.update({source: held[source] + 1}) for source in sources]):
        pass
    return held


def test_greedy_sources_leave_as_much_as_each_of_them_holds() -> None:
    assert fill(Shares(100), "a")["a"] in (50, 51)
    both = fill(Shares(99), "a", "b")
    assert all(33 <= held <= 34 for held in both.values())


def test_newcomer_finds_room_beside_a_greedy_source() -> None:
    shares = Shares(10)
    fill(shares, "a")
    assert shares.take("b")


def test_room_never_holds_more_than_its_capacity() -> None:
    shares = Shares(10)
    assert fill(shares, *(f"source {number}" for number in range(30))).values()
    assert shares.taken == 10
    assert not shares.take("one more")
    assert shares.take("one more", spare=1)


def test_places_given_back_can_be_taken_again() -> None:
    shares = Shares(2)
    assert shares.take("a", 2)
    assert not shares.take("b")
    shares.give("a", 2)
    assert shares.taken == 0
    assert shares.take("b", 2)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2"),
        ("2001:db8:1:2::7", "2001:db8:1:2"),
        ("2001:db8::7", "2001:db8:0:0"),
        ("::1", "0:0:0:0"),
    ],
)
def test_source_is_an_ipv4_address_or_an_ipv6_network(host: str, key: str) -> None:
    assert source_key(host) == key
