"""RFC 3261 section 17 and RFC 6026 as tables: what each transaction does in each state, and when it repeats
itself.

The tables restate figures 5, 6 and 8 of RFC 3261 and figures 3 and 4 of RFC 6026 in terms of what can be
seen from outside. A pair that a table lacks must do nothing, whatever arrives late or twice.
"""

import pytest
from tests.harness.transactions import Bench

from townhall.sip.transaction import (
    LocalProtocolError,
    State,
    invite_client,
    invite_server,
    non_invite_client,
    non_invite_server,
)
from townhall.sip.transaction.machine import Decision, Event, Step

# How to get into each state: numbers are responses (received by clients, sent by servers), words requests
# received.
PATHS: dict[str, dict[State, list[int | str]]] = {
    "invite client": {
        State.CALLING: [],
        State.PROCEEDING: [180],
        State.ACCEPTED: [200],
        State.COMPLETED: [486],
    },
    "non-invite client": {State.TRYING: [], State.PROCEEDING: [100], State.COMPLETED: [200]},
    "invite server": {
        State.PROCEEDING: [],
        State.ACCEPTED: [200],
        State.COMPLETED: [486],
        State.CONFIRMED: [486, "ACK"],
    },
    "non-invite server": {State.TRYING: [], State.PROCEEDING: [100], State.COMPLETED: [200]},
}

TABLES = {
    "invite client": (invite_client.TABLE, invite_client.STATES, invite_client.EVENTS),
    "non-invite client": (non_invite_client.TABLE, non_invite_client.STATES, non_invite_client.EVENTS),
    "invite server": (invite_server.TABLE, invite_server.STATES, invite_server.EVENTS),
    "non-invite server": (non_invite_server.TABLE, non_invite_server.STATES, non_invite_server.EVENTS),
}

Seen = list[tuple[str, int | str]]
E, S = Event, State

EXPECTED: dict[str, dict[tuple[State, Event], tuple[Seen, State]]] = {
    "invite client": {
        (S.CALLING, E.RECEIVE_1XX): ([("hears", 180)], S.PROCEEDING),
        (S.CALLING, E.RECEIVE_2XX): ([("hears", 200)], S.ACCEPTED),
        (S.CALLING, E.RECEIVE_300_699): ([("sends", "ACK"), ("hears", 486)], S.COMPLETED),
        (S.CALLING, E.TIMER_A): ([("sends", "INVITE")], S.CALLING),
        (S.CALLING, E.TIMER_B): ([("fails", "timeout"), ("ends", "")], S.TERMINATED),
        (S.CALLING, E.TRANSPORT_ERROR): ([("fails", "transport"), ("ends", "")], S.TERMINATED),
        (S.PROCEEDING, E.RECEIVE_1XX): ([("hears", 180)], S.PROCEEDING),
        (S.PROCEEDING, E.RECEIVE_2XX): ([("hears", 200)], S.ACCEPTED),
        (S.PROCEEDING, E.RECEIVE_300_699): ([("sends", "ACK"), ("hears", 486)], S.COMPLETED),
        (S.ACCEPTED, E.RECEIVE_2XX): ([("hears", 200)], S.ACCEPTED),
        (S.ACCEPTED, E.TIMER_M): ([("ends", "")], S.TERMINATED),
        (S.COMPLETED, E.RECEIVE_300_699): ([("sends", "ACK")], S.COMPLETED),
        (S.COMPLETED, E.TIMER_D): ([("ends", "")], S.TERMINATED),
        (S.COMPLETED, E.TRANSPORT_ERROR): ([("fails", "transport"), ("ends", "")], S.TERMINATED),
    },
    "non-invite client": {
        (S.TRYING, E.RECEIVE_1XX): ([("hears", 180)], S.PROCEEDING),
        (S.TRYING, E.RECEIVE_2XX): ([("hears", 200)], S.COMPLETED),
        (S.TRYING, E.RECEIVE_300_699): ([("hears", 486)], S.COMPLETED),
        (S.TRYING, E.TIMER_E): ([("sends", "BYE")], S.TRYING),
        (S.TRYING, E.TIMER_F): ([("fails", "timeout"), ("ends", "")], S.TERMINATED),
        (S.TRYING, E.TRANSPORT_ERROR): ([("fails", "transport"), ("ends", "")], S.TERMINATED),
        (S.PROCEEDING, E.RECEIVE_1XX): ([("hears", 180)], S.PROCEEDING),
        (S.PROCEEDING, E.RECEIVE_2XX): ([("hears", 200)], S.COMPLETED),
        (S.PROCEEDING, E.RECEIVE_300_699): ([("hears", 486)], S.COMPLETED),
        (S.PROCEEDING, E.TIMER_E): ([("sends", "BYE")], S.PROCEEDING),
        (S.PROCEEDING, E.TIMER_F): ([("fails", "timeout"), ("ends", "")], S.TERMINATED),
        (S.PROCEEDING, E.TRANSPORT_ERROR): ([("fails", "transport"), ("ends", "")], S.TERMINATED),
        (S.COMPLETED, E.TIMER_K): ([("ends", "")], S.TERMINATED),
    },
    "invite server": {
        (S.PROCEEDING, E.TIMER_100): ([("sends", 100)], S.PROCEEDING),
        (S.PROCEEDING, E.SEND_1XX): ([("sends", 180)], S.PROCEEDING),
        (S.PROCEEDING, E.SEND_2XX): ([("sends", 200)], S.ACCEPTED),
        (S.PROCEEDING, E.SEND_300_699): ([("sends", 486)], S.COMPLETED),
        (S.PROCEEDING, E.TRANSPORT_ERROR): ([("fails", "transport")], S.PROCEEDING),
        (S.ACCEPTED, E.SEND_2XX): ([("sends", 200)], S.ACCEPTED),
        (S.ACCEPTED, E.RECEIVE_ACK): ([("hears", "ACK")], S.ACCEPTED),
        (S.ACCEPTED, E.TIMER_L): ([("ends", "")], S.TERMINATED),
        (S.ACCEPTED, E.TRANSPORT_ERROR): ([("fails", "transport")], S.ACCEPTED),
        (S.COMPLETED, E.RECEIVE_REQUEST): ([("sends", 486)], S.COMPLETED),
        (S.COMPLETED, E.RECEIVE_ACK): ([], S.CONFIRMED),
        (S.COMPLETED, E.TIMER_G): ([("sends", 486)], S.COMPLETED),
        (S.COMPLETED, E.TIMER_H): ([("fails", "timeout"), ("ends", "")], S.TERMINATED),
        (S.COMPLETED, E.TRANSPORT_ERROR): ([("fails", "transport")], S.COMPLETED),
        (S.CONFIRMED, E.TIMER_I): ([("ends", "")], S.TERMINATED),
    },
    "non-invite server": {
        (S.TRYING, E.SEND_1XX): ([("sends", 180)], S.PROCEEDING),
        (S.TRYING, E.SEND_2XX): ([("sends", 200)], S.COMPLETED),
        (S.TRYING, E.SEND_300_699): ([("sends", 486)], S.COMPLETED),
        (S.PROCEEDING, E.RECEIVE_REQUEST): ([("sends", 100)], S.PROCEEDING),
        (S.PROCEEDING, E.SEND_1XX): ([("sends", 180)], S.PROCEEDING),
        (S.PROCEEDING, E.SEND_2XX): ([("sends", 200)], S.COMPLETED),
        (S.PROCEEDING, E.SEND_300_699): ([("sends", 486)], S.COMPLETED),
        (S.COMPLETED, E.RECEIVE_REQUEST): ([("sends", 200)], S.COMPLETED),
        (S.COMPLETED, E.TIMER_J): ([("ends", "")], S.TERMINATED),
    },
}

SENDING = (E.SEND_1XX, E.SEND_2XX, E.SEND_300_699)
STATUS = {
    E.RECEIVE_1XX: 180,
    E.RECEIVE_2XX: 200,
    E.RECEIVE_300_699: 486,
    E.SEND_1XX: 180,
    E.SEND_2XX: 200,
    E.SEND_300_699: 486,
}
PAIRS = [
    (machine, state, event)
    for machine, (_, states, events) in TABLES.items()
    for state in states
    for event in events
]


def reach(machine: str, state: State, transport: str = "udp") -> Bench:
    bench = Bench(machine, transport)
    if state is S.TERMINATED:
        bench.transaction.state = state
    for step in PATHS[machine].get(state, []):
        if isinstance(step, int) and machine.endswith("server"):
            bench.respond(step)
        else:
            bench.receive(step)
    assert bench.transaction.state is state
    bench.take_log()
    return bench


def drive(bench: Bench, event: Event) -> None:
    if event in SENDING:
        bench.respond(STATUS[event])
    elif event in STATUS:
        bench.receive(STATUS[event])
    elif event is E.RECEIVE_REQUEST:
        bench.receive(bench.method)
    elif event is E.RECEIVE_ACK:
        bench.receive("ACK")
    elif event is E.TRANSPORT_ERROR:
        bench.transaction.transport_failed(bench.now)
    else:
        bench.transaction.fire(event, None, bench.now)


@pytest.mark.parametrize("machine", TABLES)
def test_every_pair_of_state_and_event_is_decided(machine: str) -> None:
    table, states, events = TABLES[machine]
    assert set(table) == {(state, event) for state in states for event in events}
    assert all(isinstance(step, Step | Decision) for step in table.values())


@pytest.mark.parametrize(("machine", "state", "event"), PAIRS)
def test_transaction_in_state_does_what_the_figure_says(machine: str, state: State, event: Event) -> None:
    bench = reach(machine, state)
    expected = EXPECTED[machine].get((state, event))
    if expected is None and event in SENDING:
        with pytest.raises(LocalProtocolError):
            drive(bench, event)
        return
    drive(bench, event)
    assert (bench.take_log(), bench.transaction.state) == (expected or ([], state))


def test_invite_client_over_udp_repeats_at_doubling_intervals_for_32_s() -> None:
    bench = Bench("invite client")
    bench.run_until(100)
    assert bench.sent_at == [(at, "INVITE") for at in (0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5)]
    assert bench.log[-2:] == [("fails", "timeout"), ("ends", "")]


def test_invite_client_that_hears_ringing_waits_without_end() -> None:
    bench = Bench("invite client")
    bench.receive(180)
    bench.run_until(3600)
    assert bench.transaction.state is S.PROCEEDING
    assert bench.sent_at == [(0.0, "INVITE")]


def test_non_invite_client_over_udp_repeats_at_most_every_t2_for_32_s() -> None:
    bench = Bench("non-invite client")
    bench.run_until(100)
    times = (0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert bench.sent_at == [(at, "BYE") for at in times]
    assert bench.log[-2:] == [("fails", "timeout"), ("ends", "")]


def test_non_invite_client_in_proceeding_repeats_every_t2() -> None:
    bench = Bench("non-invite client")
    bench.receive(100)
    bench.run_until(10)
    assert [at for at, _ in bench.sent_at] == [0.0, 0.5, 4.5, 8.5]


def test_invite_server_over_udp_repeats_its_failure_at_most_every_t2_until_timer_h() -> None:
    bench = Bench("invite server")
    bench.respond(486)
    bench.run_until(100)
    times = (0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5)
    assert bench.sent_at == [(at, 486) for at in times]
    assert bench.log[-2:] == [("fails", "timeout"), ("ends", "")]


def test_invite_server_without_an_answer_sends_100_after_200_ms_and_repeats_it_when_asked() -> None:
    bench = Bench("invite server")
    bench.run_until(0.3)
    bench.receive("INVITE")
    assert bench.sent_at == [(0.2, 100), (0.3, 100)]


def test_invite_server_answered_at_once_sends_no_100() -> None:
    bench = Bench("invite server")
    bench.respond(180)
    bench.run_until(1)
    assert bench.sent_at == [(0.0, 180)]


# Table 4: how long a transaction that is done waits for repetitions, over UDP and over TCP.
@pytest.mark.parametrize(
    ("machine", "state", "udp_s", "tcp_s"),
    [
        ("invite client", S.COMPLETED, 32.0, 0.0),  # timer D
        ("invite client", S.ACCEPTED, 32.0, 32.0),  # timer M (RFC 6026)
        ("non-invite client", S.COMPLETED, 5.0, 0.0),  # timer K
        ("invite server", S.ACCEPTED, 32.0, 32.0),  # timer L (RFC 6026)
        ("invite server", S.CONFIRMED, 5.0, 0.0),  # timer I
        ("non-invite server", S.COMPLETED, 32.0, 0.0),  # timer J
    ],
)
def test_transaction_that_is_done_stays_as_long_as_table_4_says(
    machine: str, state: State, udp_s: float, tcp_s: float
) -> None:
    for transport, seconds in (("udp", udp_s), ("tcp", tcp_s)):
        bench = reach(machine, state, transport)
        if seconds:
            bench.run_until(seconds - 0.01)
            assert bench.transaction.state is state
        bench.run_until(seconds)
        assert bench.transaction.state is S.TERMINATED


@pytest.mark.parametrize("machine", ["invite client", "non-invite client"])
def test_client_over_tcp_does_not_repeat(machine: str) -> None:
    bench = Bench(machine, "tcp")
    bench.run_until(100)
    assert len(bench.sent_at) == 1


def test_invite_server_over_tcp_does_not_repeat_its_failure() -> None:
    bench = Bench("invite server", "tcp")
    bench.respond(486)
    bench.run_until(100)
    assert bench.sent_at == [(0.0, 486)]


def test_terminated_transaction_leaves_no_timer_behind() -> None:
    for machine in TABLES:
        bench = Bench(machine)
        if machine.endswith("server"):
            bench.respond(486)
        bench.run_until(200)
        assert len(bench.timers) == 0
