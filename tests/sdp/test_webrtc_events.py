"""Keys of a browser: at which clock, whatever the codec's is (RFC 4733 section 2.1)."""

import pytest

from townhall.sdp import parse_sdp
from townhall.sdp.webrtc import IceCredentials, WebLocal, make_web_answer

LOCAL = WebLocal(
    (("127.0.0.1", 20064),), IceCredentials("abcd", "0" * 22), "sha-256 " + ":".join(["AB"] * 32), 1, 1
)
OFFER = (
    "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111 0 {types}\r\n"
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:wxyz\r\na=ice-pwd:1111111111111111111111\r\na=setup:actpass\r\n"
    f"a=fingerprint:sha-256 {':'.join(['CD'] * 32)}\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"
    "a=rtpmap:110 telephone-event/48000\r\na=rtpmap:126 telephone-event/8000\r\n"
)


@pytest.mark.parametrize(
    ("types", "payload_type", "rate"), [("110 126", 110, 48000), ("126 110", 110, 48000), ("126", 126, 8000)]
)
def test_keys_beside_opus_have_a_clock_of_their_own(types: str, payload_type: int, rate: int) -> None:
    answer, agreement = make_web_answer(parse_sdp(OFFER.format(types=types).encode()), LOCAL)
    assert (agreement.audio.codec, agreement.audio.telephone_event) == ("opus", payload_type)
    assert agreement.audio.telephone_event_rate == rate
    assert f"a=rtpmap:{payload_type} telephone-event/{rate}".encode() in bytes(answer)
