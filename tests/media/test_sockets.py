"""Batched and plain datagram calls against each other, on loopback."""

import select
import socket
from collections.abc import Iterator

import numpy as np
import pytest
from tests.harness.server import own_address

from townhall.media.batched import STRIDE, BatchedIO, MMsgIO, PlainIO, runs_of
from townhall.media.settings import MediaSettings
from townhall.media.shapes import Outgoing, Received, address_of, name_of
from townhall.media.sockets import BindError, Sockets


def kinds() -> list[type]:
    """Both kinds of calls, as far as this system has them."""
    try:
        MMsgIO(1)
    except OSError:
        return [PlainIO]
    return [MMsgIO, PlainIO]


@pytest.fixture(params=kinds())
def io(request: pytest.FixtureRequest) -> BatchedIO:
    return request.param(64)


@pytest.fixture(params=["127.0.0.1", "::1"])
def peers(request: pytest.FixtureRequest) -> Iterator[list[socket.socket]]:
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    socks = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(3)]
    for sock in socks:
        sock.bind((request.param, 0))
        sock.settimeout(5)
    yield socks
    for sock in socks:
        sock.close()


def received(io: BatchedIO, *socks: socket.socket) -> Received:
    """What waits on the sockets, once something does."""
    for sock in socks:
        sock.setblocking(False)
    select.select(socks, [], [], 5)
    batch = io.receive(list(enumerate(socks)))
    assert batch is not None
    return batch


def outgoing(*rows: tuple[int, tuple[str, int], bytes]) -> Outgoing:
    data = np.zeros((len(rows), 700), np.uint8)[:, 4:]
    for row, (_, _, packet) in zip(data, rows, strict=True):
        row[: len(packet)] = np.frombuffer(packet, np.uint8)
    return Outgoing(
        data,
        np.array([len(packet) for _, _, packet in rows]),
        np.stack([name_of(to) for _, to, _ in rows]),
        np.array([index for index, _, _ in rows], np.int32),
    )


def test_datagrams_arrive_with_source_length_and_socket(io: BatchedIO, peers: list[socket.socket]) -> None:
    first, second, sender = peers
    sender.sendto(b"one", first.getsockname())
    sender.sendto(b"three", second.getsockname())
    sender.sendto(b"", second.getsockname())
    batch = received(io, first, second)
    assert batch.lengths.tolist() == [3, 5, 0]
    assert batch.sockets.tolist() == [0, 1, 1]
    assert [bytes(batch.data[row, : batch.lengths[row]]) for row in range(3)] == [b"one", b"three", b""]
    assert {address_of(name) for name in batch.names} == {sender.getsockname()[:2]}
    assert np.array_equal(batch.names[0, :3], name_of(sender.getsockname()[:2])[:3])


def test_nothing_waiting_is_none(io: BatchedIO, peers: list[socket.socket]) -> None:
    peers[0].setblocking(False)
    assert io.receive([(0, peers[0])]) is None


def test_more_datagrams_than_rows_come_in_rounds_in_order(io: BatchedIO, peers: list[socket.socket]) -> None:
    first, _, sender = peers
    for number in range(100):
        sender.sendto(number.to_bytes(2, "big"), first.getsockname())
    numbers: list[int] = []
    while len(numbers) < 100:
        batch = received(io, first)
        numbers += [int(row[0]) * 256 + int(row[1]) for row in batch.data[: len(batch.lengths)]]
    assert numbers == list(range(100))


def test_oversize_datagram_has_length_0(io: BatchedIO, peers: list[socket.socket]) -> None:
    first, _, sender = peers
    sender.sendto(bytes(STRIDE), first.getsockname())
    sender.sendto(bytes(STRIDE + 1), first.getsockname())
    sender.sendto(bytes(60000), first.getsockname())
    lengths: list[int] = []
    while len(lengths) < 3:
        lengths += received(io, first).lengths.tolist()
    assert lengths == [STRIDE, 0, 0]


def test_batch_is_sent_from_each_rows_socket(io: BatchedIO, peers: list[socket.socket]) -> None:
    first, second, receiver = peers
    to = receiver.getsockname()[:2]
    assert io.send([first, second], outgoing((0, to, b"a"), (0, to, b"bb"), (1, to, b"ccc"))) == 3
    got = [receiver.recvfrom(100) for _ in range(3)]
    assert [(data, source[1]) for data, source in got] == [
        (b"a", first.getsockname()[1]),
        (b"bb", first.getsockname()[1]),
        (b"ccc", second.getsockname()[1]),
    ]


def test_batch_larger_than_the_buffers_is_sent_whole(io: BatchedIO, peers: list[socket.socket]) -> None:
    first, _, receiver = peers
    to = receiver.getsockname()[:2]
    assert io.send([first], outgoing(*((0, to, bytes([number])) for number in range(100)))) == 100
    assert [receiver.recv(10) for _ in range(100)] == [bytes([number]) for number in range(100)]


def test_datagram_that_cannot_be_sent_does_not_keep_the_others(io: BatchedIO) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first:
        first.bind(("127.0.0.1", 0))
        first.settimeout(5)
        to = first.getsockname()
        broadcast = ("255.255.255.255", 9)  # refused without SO_BROADCAST
        assert io.send([first], outgoing((0, broadcast, b"x"), (0, to, b"y"), (0, broadcast, b"z"))) == 1
        assert first.recv(10) == b"y"


def test_runs_of_equal_values() -> None:
    assert runs_of(np.array([3, 3, 1, 1, 1, 2], np.int32)) == [(3, 0, 2), (1, 2, 5), (2, 5, 6)]
    assert runs_of(np.array([], np.int32)) == []


def test_system_chosen_ports_are_even_pairs_on_every_host() -> None:
    sockets = Sockets(MediaSettings(bind_hosts=("127.0.0.1", "::1"), rtp_ports=(0, 0)))
    try:
        assert len(sockets.ports) == 32
        assert all(port % 2 == 0 for port in sockets.ports)
        assert [local.host for local in sockets.local[:2]] == ["127.0.0.1", "::1"]
        assert {local.ip_version for local in sockets.local} == {4, 6}
    finally:
        sockets.close()


def test_port_that_is_taken_is_left_out() -> None:
    host = own_address()  # where nobody takes what is free for a moment
    chosen = Sockets(MediaSettings(bind_hosts=(host,), rtp_ports=(0, 0)))
    ports = chosen.ports
    chosen.close()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((host, ports[3] + 1))
        sockets = Sockets(MediaSettings(bind_hosts=(host,), ports=tuple(ports)))
        sockets.close()
    assert sockets.ports == ports[:3] + ports[4:]


def test_range_binds_its_even_ports_with_their_partners() -> None:
    host = own_address()
    chosen = Sockets(MediaSettings(bind_hosts=(host,), rtp_ports=(0, 0)))
    port = chosen.ports[0]
    chosen.close()
    sockets = Sockets(MediaSettings(bind_hosts=(host,), rtp_ports=(port, port + 1)))
    sockets.close()
    assert sockets.ports == [port]


def test_no_port_at_all_is_an_error_that_says_why() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1] & ~1
        with pytest.raises(BindError, match="in use"):
            Sockets(MediaSettings(ports=(port,)))


@pytest.mark.parametrize("kind", kinds())
def test_browsers_share_one_port_and_stand_last_in_every_batch(kind: type) -> None:
    settings = MediaSettings(bind_hosts=("127.0.0.1", "::1"), rtp_ports=(0, 0))
    sockets = Sockets(settings, kind(64))
    own = [local for local in sockets.local if local.secure]
    assert [(local.host, local.port) for local in own] == [
        ("127.0.0.1", sockets.ice_port),
        ("::1", sockets.ice_port),
    ]
    assert sockets.ice_port not in sockets.ports
    assert [sockets.local[index] for index in sockets.ice] == own
    rtp = sockets.local.index(next(local for local in sockets.local if not local.secure))
    order = [sockets.ice[1], sockets.ice[0], rtp, len(sockets.local) + rtp]
    for index in order:
        family = socket.AF_INET6 if ":" in sockets.local[index % len(sockets.local)].host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as stranger:
            stranger.sendto(b"x" * 1500, sockets.sockets[index].getsockname()[:2])
    for index in order:
        select.select([sockets.sockets[index]], [], [], 5)
    found: list[int] = []
    sockets.receive(lambda batch: found.extend(batch.sockets.tolist()))
    sockets.close()
    assert set(found[:2]) == {rtp, len(sockets.local) + rtp}
    assert set(found[2:]) == set(sockets.ice)


def test_no_port_for_browsers_is_bound_when_none_is_wanted() -> None:
    sockets = Sockets(MediaSettings(rtp_ports=(0, 0), ice_port=None))
    assert (sockets.ice_port, len(sockets.ice)) == (0, 0)
    assert not any(local.secure for local in sockets.local)
    sockets.close()


def test_port_of_browsers_that_is_taken_is_told_and_the_rest_works(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        taken = other.getsockname()[1]
        sockets = Sockets(MediaSettings(rtp_ports=(0, 0), ice_port=taken))
    assert sockets.ice_port == 0
    assert sockets.ports
    assert f"UDP port {taken} cannot be bound" in caplog.text
    assert "TOWNHALL_ICE_PORT" in caplog.text
    sockets.close()
