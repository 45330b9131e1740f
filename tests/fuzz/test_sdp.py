"""Any bytes as SDP: a description, an agreement, or `SDPError`."""

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from townhall.sdp import LocalMedia, SDPError, accept_answer, make_answer, make_offer, parse_sdp

LOCAL = LocalMedia("192.0.2.9", 20000)

word = st.sampled_from(
    [
        "0",
        "8",
        "101",
        "-1",
        "65535",
        "65536",
        "9" * 30,
        "١",
        "IN",
        "IP4",
        "IP6",
        "::",
        "0.0.0.0",
        "1.2.3.4",
        "x",
        "/",
        ":",
    ]
)
words = st.lists(word, max_size=5).map(" ".join)
line = st.one_of(
    st.builds(
        "c={}".format, st.sampled_from(["IN IP4 1.2.3.4", "IN IP6 ::1", "IN IP4 0.0.0.0", "IN"]) | words
    ),
    st.builds("m=audio {} RTP/AVP {}".format, st.sampled_from(["4000", "0", "65535", "4000/2"]), words),
    st.builds("m={}".format, words),
    st.builds(
        "a={}:{}".format, st.sampled_from(["rtpmap", "fmtp", "ptime", "maxptime", "rtcp", "rtcp-mux"]), words
    ),
    st.sampled_from(
        ["a=sendonly", "a=inactive", "a=rtcp-mux", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16"]
    ),
    st.builds("{}={}".format, st.characters(codec="utf-8"), st.text(max_size=20)),
    st.text(max_size=20),
)
description = st.lists(line, max_size=12).map(
    lambda lines: "\r\n".join(["v=0", *lines]).encode("utf-8", "replace")
)


def read_and_answer(data: bytes) -> None:
    try:
        read = parse_sdp(data)
    except SDPError:
        return
    assert parse_sdp(bytes(read)) == read
    try:
        answer, agreement = make_answer(read, LOCAL)
    except SDPError:
        pass
    else:
        assert len(answer.media) == len(read.media)
        assert sum(media.port != 0 for media in answer.media) == 1
        assert agreement.ptime_ms in range(10, 61, 10)
        assert accept_answer(read, parse_sdp(bytes(answer))).codec == agreement.codec
    with suppress(SDPError):
        accept_answer(make_offer(LOCAL), read)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_description_or_sdp_error(data: bytes) -> None:
    read_and_answer(data)
    read_and_answer(b"v=0\r\n" + data)


@given(description)
def test_lines_like_sdp_are_answered_or_sdp_error(data: bytes) -> None:
    read_and_answer(data)
