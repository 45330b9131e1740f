"""Reading and writing session descriptions."""

import pytest

from townhall.sdp import MediaDescription, SDPError, parse_sdp

PHONE = (
    b"v=0\r\n"
    b"o=- 123 4 IN IP4 192.0.2.1\r\n"
    b"s=call\r\n"
    b"c=IN IP4 192.0.2.1\r\n"
    b"b=AS:64\r\n"
    b"t=0 0\r\n"
    b"a=sendrecv\r\n"
    b"m=audio 40000 RTP/AVP 0 8 101\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\n"
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n"
    b"x=what is this\r\n"
    b"m=video 40002/2 RTP/AVP 96\r\n"
    b"c=IN IP6 2001:db8::1\r\n"
    b"a=recvonly\r\n"
)


def test_description_written_again_is_the_same_bytes() -> None:
    assert bytes(parse_sdp(PHONE)) == PHONE


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n\r\n", b"  \r\n"])
def test_description_with_other_line_ends_reads_the_same(line_end: bytes) -> None:
    assert parse_sdp(PHONE.replace(b"\r\n", line_end)) == parse_sdp(PHONE)


def test_description_views_are_those_of_its_lines() -> None:
    description = parse_sdp(PHONE)
    audio, video = description.media
    assert description.origin is not None
    assert (description.origin.session_id, description.origin.session_version) == ("123", "4")
    assert (description.connection_of(audio), description.connection_of(video)) == (
        "192.0.2.1",
        "2001:db8::1",
    )
    assert (description.direction_of(audio), description.direction_of(video)) == ("sendrecv", "recvonly")
    assert (audio.kind, audio.port, audio.protocol, audio.formats) == (
        "audio",
        40000,
        "RTP/AVP",
        ("0", "8", "101"),
    )
    assert (video.port, video.port_count) == (40002, 2)
    assert audio.attribute("crypto") == "1 AES_CM_128_HMAC_SHA1_80 inline:abc"
    assert audio.attribute("rtp") is None
    assert description.has_flag(audio, "sendrecv")
    assert not description.has_flag(audio, "rtcp-mux")


@pytest.mark.parametrize(
    "media",
    [
        "image 0 UDPTL t38",
        "application 0 UDP 1",
        "audio 40000/2 RTP/AVP 0",
        "application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "message 7654 TCP/MSRP *",
        "audio 9 RTP/AVP",
    ],
)
def test_media_line_of_any_kind_is_read_and_written(media: str) -> None:
    assert MediaDescription.parse(media).value == media
    assert parse_sdp(f"v=0\nm={media}\n".encode()).media[0].value == media


def test_media_line_in_lower_case_is_the_same_protocol() -> None:
    assert MediaDescription.parse("AUDIO 1 rtp/avp 0") == MediaDescription.parse("audio 1 RTP/AVP 0")


def test_description_without_session_name_time_and_origin_is_read() -> None:
    description = parse_sdp(b"v=0\nc=IN IP4 1.2.3.4\nm=audio 1 RTP/AVP 0")
    assert description.origin is None
    assert description.connection == "1.2.3.4"


def test_description_in_latin_1_or_with_byte_order_mark_is_read() -> None:
    assert parse_sdp(b"v=0\ns=J\xf6rg\n").first("s") == "Jörg"
    assert parse_sdp(b"\xef\xbb\xbfv=0\ns=x\n").first("s") == "x"


def test_description_line_that_is_none_is_passed_over() -> None:
    assert parse_sdp(b"v=0\nnonsense\n=\n s=x\n").lines == (("v", "0"), ("s", "x"))


def test_connection_scope_is_cut_off() -> None:
    assert parse_sdp(b"v=0\nc=IN IP4 224.2.1.1/127/3\n").connection == "224.2.1.1"


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"\r\n",
            b"hello",
            b"s=x\nv=0",
            b"v=1",
            b"<xml/>",
            b"v=0\nm=audio",
            b"v=0\nm=audio x RTP/AVP 0",
        ),
        *(b"v=0\nm=audio 65536 RTP/AVP 0", b"v=0\nm=audio 1/x RTP/AVP 0", b"v=0\nm=audio -1 RTP/AVP 0"),
        *(b"v=0\n" + b"a=x\n" * 3000, b"v=0\n" + b"m=audio 1 RTP/AVP 0\n" * 65, b"v=0\na=" + b"x" * 70000),
    ],
)
def test_description_that_is_none_or_too_long_is_an_error(data: bytes) -> None:
    with pytest.raises(SDPError):
        parse_sdp(data)


@pytest.mark.parametrize("value", ["", "IN", "IN IP4", "XX IP4 1.2.3.4", "IN IP5 1.2.3.4"])
def test_connection_that_makes_no_sense_is_an_error_when_looked_at(value: str) -> None:
    description = parse_sdp(f"v=0\nc={value}\n".encode())
    with pytest.raises(SDPError):
        _ = description.connection


def test_description_following_itself_keeps_its_version() -> None:
    first = parse_sdp(PHONE)
    again = parse_sdp(PHONE.replace(b"123 4", b"999 77"))
    assert again.following(first) == first


def test_description_following_another_is_one_version_later() -> None:
    first = parse_sdp(PHONE)
    changed = parse_sdp(PHONE.replace(b"123 4", b"999 77").replace(b"a=sendrecv", b"a=inactive"))
    origin = changed.following(first).origin
    assert origin is not None
    assert (origin.session_id, origin.session_version) == ("123", "5")
