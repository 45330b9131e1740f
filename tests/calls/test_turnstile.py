"""Who is taken and who is not: places in all, of one source, and a crowd that waits to be set up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townhall.calls.turnstile import JUDGED_FROM, WAITS_AT_MOST_S, Ticket, Turnstile


def entered(turnstile: Turnstile, host: str, count: int, now: float = 0.0) -> list[Ticket]:
    tickets = [turnstile.enter(host, now) for _ in range(count)]
    for ticket in tickets:
        turnstile.set_up(ticket)
    return tickets


def test_server_that_is_full_takes_nobody() -> None:
    turnstile = Turnstile(10, 10)
    assert turnstile.why_not("192.0.2.1", 9, 0.0) == ""
    assert turnstile.why_not("192.0.2.1", 10, 0.0) == "10 calls are all that the server takes"


def test_source_that_holds_its_share_is_refused_and_others_are_not() -> None:
    turnstile = Turnstile(10, 3)
    tickets = entered(turnstile, "192.0.2.1", 3)
    assert "3 calls are all that one source may hold" in turnstile.why_not("192.0.2.1", 3, 0.0)
    assert turnstile.why_not("192.0.2.2", 3, 0.0) == ""
    turnstile.leave(tickets[0])
    assert turnstile.why_not("192.0.2.1", 2, 0.0) == ""


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_source_is_an_ipv4_address_or_an_ipv6_network(first: str, second: str, same: bool) -> None:
    turnstile = Turnstile(10, 1)
    entered(turnstile, first, 1)
    assert bool(turnstile.why_not(second, 1, 0.0)) == same


def test_trunk_may_hold_all() -> None:
    turnstile = Turnstile(10, 3, trunks={"192.0.2.1"})
    entered(turnstile, "192.0.2.1", 9)
    assert turnstile.why_not("192.0.2.1", 9, 0.0) == ""
    assert turnstile.why_not("192.0.2.1", 10, 0.0) == "10 calls are all that the server takes"


def crowd(turnstile: Turnstile, count: int, now: float = 0.0) -> list[Ticket]:
    """So many who wait, each at an address of his own."""
    return [turnstile.enter(f"10.0.{number // 250}.{number % 250}", now) for number in range(count)]


def test_crowd_that_waits_too_long_keeps_newcomers_out_until_it_is_set_up() -> None:
    turnstile = Turnstile(1000, 1000)
    waiting = crowd(turnstile, JUDGED_FROM)
    assert turnstile.why_not("192.0.2.2", 50, WAITS_AT_MOST_S) == ""
    late = WAITS_AT_MOST_S + 0.1
    assert turnstile.why_not("192.0.2.2", 50, late) == "50 calls wait to be set up, the first for 0.6 s"
    turnstile.set_up(waiting[0])
    assert turnstile.why_not("192.0.2.2", 50, late) == ""


def test_oldest_who_still_waits_is_the_measure() -> None:
    turnstile = Turnstile(1000, 1000)
    first = turnstile.enter("192.0.2.1", 0.0)
    crowd(turnstile, JUDGED_FROM, 5.0)
    assert turnstile.why_not("192.0.2.2", 51, 5.1)
    turnstile.set_up(first)
    assert turnstile.why_not("192.0.2.2", 51, 5.1) == ""


def test_flood_from_one_source_keeps_itself_out_and_nobody_else() -> None:
    turnstile = Turnstile(10_000, 10_000)
    flood = [turnstile.enter("192.0.2.1", 0.0) for _ in range(3000)]
    assert turnstile.why_not("192.0.2.1", 3000, 1.0)
    assert turnstile.why_not("192.0.2.2", 3000, 1.0) == ""
    for ticket in flood:
        turnstile.set_up(ticket)
        turnstile.set_up(ticket)
    assert turnstile.why_not("192.0.2.1", 0, 1.0) == ""
    crowd(turnstile, JUDGED_FROM - 1, 2.0)
    assert turnstile.why_not("192.0.2.2", 0, 9.0) == ""
    turnstile.enter("192.0.2.9", 2.0)
    assert turnstile.why_not("192.0.2.2", 0, 9.0)


def test_few_who_wait_long_are_no_crowd() -> None:
    turnstile = Turnstile(1000, 1000)
    crowd(turnstile, JUDGED_FROM - 1)
    assert turnstile.why_not("192.0.2.2", 49, 60.0) == ""


def test_caller_who_leaves_unset_waits_no_more() -> None:
    turnstile = Turnstile(1000, 1000)
    for ticket in crowd(turnstile, JUDGED_FROM):
        turnstile.leave(ticket)
    assert turnstile.why_not("10.0.0.0", 0, 60.0) == ""


@given(st.lists(st.tuples(st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1"]), st.booleans())))
def test_no_source_ever_holds_more_than_its_share(steps: list[tuple[str, bool]]) -> None:
    turnstile = Turnstile(8, 3)
    held: list[tuple[str, Ticket]] = []
    for host, comes in steps:
        mine = [ticket for whose, ticket in held if whose == host]
        if comes and not turnstile.why_not(host, len(held), 0.0):
            held.append((host, turnstile.enter(host, 0.0)))
        elif mine and not comes:
            turnstile.leave(mine[0])
            held.remove((host, mine[0]))
        assert len(held) <= 8
        assert all([whose for whose, _ in held].count(one) <= 3 for one, _ in held)
