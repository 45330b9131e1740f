"""Any bytes give a result or the one documented error; arrays and single parsers agree on them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from townhall.rtp import (
    Presses,
    RTCPError,
    RTPError,
    Sources,
    parse_compounds,
    parse_event,
    parse_headers,
    parse_packet,
    parse_rtcp,
)

STRIDE = 128

rtp_like = st.builds(
    lambda first, rest: bytes([first]) + rest, st.integers(0x80, 0xBF), st.binary(max_size=STRIDE - 1)
)
rtcp_like = st.lists(
    st.builds(
        lambda first, kind, words, body: bytes([first, kind, 0, words]) + body,
        st.integers(0x7F, 0xA0),
        st.integers(199, 206),
        st.integers(0, 8),
        st.binary(max_size=32),
    ),
    max_size=3,
).map(lambda parts: b"".join(parts)[:STRIDE])
anything = st.one_of(st.binary(max_size=STRIDE), rtp_like, rtcp_like)


def rows_of(packets: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    data = np.random.default_rng(0).integers(0, 256, (len(packets), STRIDE), np.uint8)
    for row, packet in zip(data, packets, strict=True):
        row[: len(packet)] = np.frombuffer(packet, np.uint8)
    return data, np.array([len(packet) for packet in packets], np.int64)


@given(st.lists(anything, max_size=8))
def test_headers_of_any_bytes_agree_with_the_single_parser(packets: list[bytes]) -> None:
    headers = parse_headers(*rows_of(packets))
    for row, packet in enumerate(packets):
        try:
            single = parse_packet(packet)
        except RTPError:
            assert not headers.valid[row]
            continue
        assert headers.valid[row]
        start, length = int(headers.start[row]), int(headers.length[row])
        assert packet[start : start + length] == single.payload
        assert headers.sequence_number[row] == single.sequence_number
        assert headers.payload_type[row] == single.payload_type
        assert headers.marker[row] == single.marker


@given(st.lists(anything, max_size=8))
def test_compounds_of_any_bytes_are_valid_whenever_the_single_parser_takes_them(packets: list[bytes]) -> None:
    compounds = parse_compounds(*rows_of(packets))
    for row, packet in enumerate(packets):
        try:
            parse_rtcp(packet)
        except RTCPError:
            continue
        assert compounds.valid[row]


@given(st.binary(max_size=16))
def test_event_of_any_bytes_is_read_or_refused(payload: bytes) -> None:
    try:
        parse_event(payload)
    except RTPError:
        assert len(payload) < 4


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=4)),
        max_size=20,
    )
)
def test_any_events_are_reported_at_most_once_each(events: list[tuple[int, int, bytes]]) -> None:
    presses = Presses(3)
    slots = np.array([slot for slot, _, _ in events], np.int64)
    stamps = np.array([stamp for _, stamp, _ in events], np.uint32)
    payloads = np.frombuffer(b"".join(payload for _, _, payload in events), np.uint8).reshape(-1, 4)
    found = presses.observe(slots, stamps, payloads)
    assert len(found) <= len({(slot, stamp) for slot, stamp, _ in events})


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.floats(0, 1e6)),
        max_size=40,
    )
)
def test_any_stream_gives_figures_that_fit_their_fields(
    packets: list[tuple[int, int, int, float]],
) -> None:
    sources = Sources(4)
    columns = list(zip(*packets, strict=True)) or [(), (), (), ()]
    sources.update(
        np.array(columns[0], np.int64),
        np.array(columns[1], np.uint16),
        np.array(columns[2], np.uint32),
        np.array(columns[3], np.float64),
    )
    report = sources.report(np.arange(4))
    assert (report.cumulative_lost >= -0x800000).all()
    assert (report.cumulative_lost <= 0x7FFFFF).all()
    assert (sources.jitter >= 0).all()
    assert (sources.jitter <= 80_000).all()
