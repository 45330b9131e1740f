"""Whatever comes on the browsers' port, nothing breaks, nothing grows, and who calls goes on calling."""

import itertools
from functools import cache

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.harness.secure_rig import BROWSER, BROWSER_CONTEXT, SERVER, SecureRig, VirtualBrowser

from townhall.ice import Credentials, IceLite, StunError, encode, parse
from townhall.media.secure.dtls import MTU, Association, DtlsError, make_context, packed
from townhall.media.secure.peers import INBOX

PWD = "p" * 22
SOURCE = (bytes(4), 9)

requests = st.builds(
    lambda kind, attributes, key: encode(kind, bytes(12), attributes, key),
    st.sampled_from(["request", "indication", "success", "error"]),
    st.lists(
        st.tuples(
            st.one_of(
                st.sampled_from([0x06, 0x09, 0x20, 0x24, 0x25, 0x8029, 0x802A]), st.integers(0, 0xFFFF)
            ),
            st.one_of(st.just(b"ufrag:other"), st.binary(max_size=24)),
        ),
        max_size=5,
    ),
    st.one_of(st.none(), st.just(PWD.encode()), st.binary(min_size=1, max_size=8)),
)


def mangled(data: bytes, cuts: list[tuple[int, int]]) -> bytes:
    """Some bytes changed."""
    changed = bytearray(data)
    for at, value in cuts:
        if changed:
            changed[at % len(changed)] = value
    return bytes(changed)


cuts = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=4)
stun_like = st.builds(mangled, requests, cuts)


@given(st.one_of(st.binary(max_size=200), stun_like))
def test_any_bytes_are_a_message_or_the_documented_error(data: bytes) -> None:
    try:
        message = parse(data)
    except StunError:
        return
    assert len(message.transaction) == 12
    assert len(message.unknown) <= 16


@given(st.lists(st.one_of(st.binary(max_size=100), stun_like), max_size=10))
def test_agent_is_moved_by_authentic_requests_only(datagrams: list[bytes]) -> None:
    agent = IceLite()
    agent.admit(1, Credentials("ufrag", PWD), Credentials("other", PWD), 0.0)
    for data in datagrams:
        try:
            message = parse(data)
        except StunError:
            continue
        answer = agent.receive(message, (0, b"path"), SOURCE, 0.0)
        authentic = message.kind == "request" and message.has_integrity(PWD.encode())
        assert authentic or agent.events == []
        assert answer is None or len(answer) <= 128
        agent.events.clear()


def record(kind: int, epoch: int, body: bytes) -> bytes:
    """A DTLS record."""
    header = bytes([kind]) + b"\xfe\xfd" + epoch.to_bytes(2, "big") + bytes(6)
    return header + len(body).to_bytes(2, "big") + body


@given(st.lists(st.integers(0, MTU - 13), min_size=1, max_size=20))
def test_flight_is_cut_between_records_and_loses_none(sizes: list[int]) -> None:
    records = [record(22, 0, bytes(size)) for size in sizes]
    datagrams = packed(b"".join(records))
    assert b"".join(datagrams) == b"".join(records)
    assert max(map(len, datagrams)) <= MTU
    assert all(len(a) + 13 + b[11] * 256 + b[12] > MTU for a, b in itertools.pairwise(datagrams))


@cache
def calling_rig() -> tuple[SecureRig, VirtualBrowser]:
    """One rig for all examples: what breaks it at any time is a fault."""
    rig = SecureRig()
    return rig, rig.connect()


first_bytes = st.sampled_from([0, 1, 20, 22, 23, 63, 127, 128, 144, 191, 192, 255])
datagrams = st.lists(
    st.one_of(
        st.binary(max_size=100),
        stun_like,
        st.builds(lambda first, rest: bytes([first]) + rest, first_bytes, st.binary(max_size=120)),
        st.builds(
            lambda kind, rest: bytes([0x80, kind]) + rest, st.integers(190, 225), st.binary(max_size=60)
        ),
        st.builds(record, st.integers(20, 24), st.integers(0, 2), st.binary(max_size=60)),
        st.builds(record, st.just(21), st.integers(0, 2), st.sampled_from([b"\x02\x28", b"\x01\x00"])),
    ),
    max_size=60,
)


@settings(max_examples=150)
@given(datagrams, st.booleans())
def test_rubbish_from_the_browsers_own_address_or_elsewhere_does_not_end_its_call(
    rubbish: list[bytes], own: bool
) -> None:
    rig, browser = calling_rig()
    source = browser.address if own else ("203.0.113.66", 666)
    rig.inject(*((source, datagram) for datagram in rubbish))
    rig.tick()
    assert len(rig.secure._peers.of_leg[1].inbox) <= INBOX
    heard = len(browser.heard)
    browser.say(browser.packet(bytes(160)))
    before = int(rig.engine.legs.packets_received.sum())
    rig.tick()
    assert int(rig.engine.legs.packets_received.sum()) == before + 1
    assert len(browser.heard) == heard + 1
    rig.stray.clear()
    browser.sent.clear()
    browser.heard.clear()


@settings(max_examples=100, deadline=None)
@example([[(14, 7)]])  # OpenSSL has no reason for this one
@given(st.lists(cuts, min_size=1, max_size=6))
def test_damaged_flights_end_in_keys_for_both_or_in_the_documented_error(damage: list[list]) -> None:
    server = Association(make_context(SERVER), "server", BROWSER.fingerprint)
    client = Association(BROWSER_CONTEXT, "client", SERVER.fingerprint)
    flight = client.start()
    sides = (server, client)
    for turn, changes in enumerate(damage):
        side = sides[turn % 2]
        answer: list[bytes] = []
        try:
            for datagram in flight:
                answer += side.receive(mangled(datagram, changes))
        except DtlsError:
            assert side.state == "closed"
            assert side.keys is None
            return
        flight = answer
    for side in sides:
        assert (side.keys is not None) == (side.state == "secured")
