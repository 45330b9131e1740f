"""Offers as browsers make them, and what is answered; offers that are refused, and why."""

import pytest

from townhall.sdp import NothingFits, SDPError, SessionDescription, parse_sdp
from townhall.sdp.webrtc import (
    IceCredentials,
    WebAgreement,
    WebLocal,
    accept_web_answer,
    make_web_answer,
    make_web_offer,
)

PRINT = ":".join(["5A"] * 32)
PRINT_384 = ":".join(["5B"] * 48)
LOCAL = WebLocal(
    addresses=(("192.0.2.9", 20010), ("2001:db8::9", 20010)),
    ice=IceCredentials("ours", "our-password-of-22-char".replace("-", "+")),
    fingerprint="sha-256 " + ":".join(["01"] * 32),
    session_id=7,
    session_version=3,
)

CHROMIUM = f"""v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=extmap-allow-mixed
a=msid-semantic: WMS 2b1d
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:sXJ3
a=ice-pwd:yEclOTrLg1gEubBFefOqtmyV
a=ice-options:trickle
a=fingerprint:sha-256 {PRINT}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=msid:2b1d 9f0c
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:9 G722/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:13 CN/8000
a=rtpmap:110 telephone-event/48000
a=rtpmap:126 telephone-event/8000
a=ssrc:3570614608 cname:4TOk42mSjXCkVIa6
"""
# Firefox has transport attributes with the session, events on another number, candidates, and Opus stereo.
FIREFOX = f"""v=0
o=mozilla...THIS_IS_SDPARTA-99.0 1404541245268493127 0 IN IP4 0.0.0.0
s=-
t=0 0
a=sendrecv
a=fingerprint:sha-256 {PRINT.lower()}
a=group:BUNDLE {{a1b2-c3}}
a=ice-options:trickle
a=msid-semantic:WMS *
m=audio 51722 UDP/TLS/RTP/SAVPF 109 9 0 8 101
c=IN IP4 192.0.2.77
a=candidate:0 1 UDP 2122252543 192.0.2.77 51722 typ host
a=candidate:3 1 TCP 2105524479 192.0.2.77 9 typ host tcptype active
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1
a=fmtp:101 0-15
a=ice-pwd:1234567890abcdef1234567890abcdef
a=ice-ufrag:89abcdef
a=mid:{{a1b2-c3}}
a=msid:{{s}} {{t}}
a=rtcp-mux
a=rtpmap:109 opus/48000/2
a=rtpmap:9 G722/8000/1
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000/1
a=setup:actpass
a=ssrc:1 cname:{{x}}
"""
SAFARI = CHROMIUM.replace("111 63 9 0 8 13 110 126", "111 103 9 102 0 8 105 13 110 113 126").replace(
    "a=extmap-allow-mixed\n", ""
)


def read(text: str) -> SessionDescription:
    return parse_sdp(text.replace("\n", "\r\n").encode())


def answer(text: str) -> tuple[SessionDescription, WebAgreement]:
    description, agreement = make_web_answer(read(text), LOCAL)
    assert parse_sdp(bytes(description)) == description
    return description, agreement


def lines(description: SessionDescription, index: int = 0) -> set[str]:
    return {value for kind, value in description.media[index].lines if kind == "a"}


def changed(text: str, **changes: str) -> str:
    """The text with the lines of these attributes (their `-` as `_`) replaced, or left out where empty."""
    for name, value in changes.items():
        prefix = f"a={name.replace('_', '-')}"
        kept = [line for line in text.split("\n") if not line.startswith(prefix)]
        if value:
            kept.insert(next(i for i, line in enumerate(kept) if line.startswith("c=")) + 1, value)
        text = "\n".join(kept)
    return text


class TestBrowsers:
    @pytest.mark.parametrize("offer", [CHROMIUM, SAFARI])
    def test_chromium_and_safari_get_opus(self, offer: str) -> None:
        description, agreement = answer(offer)
        audio = agreement.audio
        assert (audio.codec, audio.payload_type, audio.telephone_event) == ("opus", 111, 110)
        assert (audio.send, audio.receive, audio.rtcp_mux, audio.ptime_ms) == (True, True, True, 20)
        assert agreement.ice == IceCredentials("sXJ3", "yEclOTrLg1gEubBFefOqtmyV")
        assert agreement.fingerprint == f"sha-256 {PRINT}"
        assert (agreement.role, agreement.max_bitrate, agreement.in_band_fec) == ("server", None, True)
        assert description.attributes("group") == ["BUNDLE 0"]
        assert description.attribute("ice-lite") == ""
        media = description.media[0]
        assert (media.port, media.protocol, media.formats) == (20010, "UDP/TLS/RTP/SAVPF", ("111", "110"))
        assert lines(description) == {
            "mid:0",
            "ice-ufrag:ours",
            "ice-pwd:our+password+of+22+char",
            "fingerprint:sha-256 " + ":".join(["01"] * 32),
            "setup:passive",
            "rtcp-mux",
            "candidate:1 1 udp 2130706175 192.0.2.9 20010 typ host",
            "candidate:2 1 udp 2130705919 2001:db8::9 20010 typ host",
            "end-of-candidates",
            "sendrecv",
            "rtpmap:111 opus/48000/2",
            "fmtp:111 minptime=10;useinbandfec=1;maxplaybackrate=16000",
            "rtpmap:110 telephone-event/48000",
            "fmtp:110 0-15",
            "ptime:20",
        }

    def test_firefox_has_its_transport_with_the_session(self) -> None:
        description, agreement = answer(FIREFOX)
        assert (agreement.audio.codec, agreement.audio.payload_type) == ("opus", 109)
        assert agreement.audio.telephone_event == 101
        assert "rtpmap:101 telephone-event/8000" in lines(description)
        assert agreement.ice.ufrag == "89abcdef"
        assert agreement.fingerprint == f"sha-256 {PRINT}"
        assert description.attributes("group") == ["BUNDLE {a1b2-c3}"]
        assert "mid:{a1b2-c3}" in lines(description)

    def test_page_puts_the_codec_that_it_prefers_first(self) -> None:
        preferring = CHROMIUM.replace("SAVPF 111 63 9 0 8", "SAVPF 0 111 63 9 8")
        _, agreement = answer(preferring)
        assert (agreement.audio.codec, agreement.audio.payload_type) == ("PCMU", 0)
        assert agreement.audio.telephone_event == 126
        assert (agreement.in_band_fec, agreement.max_bitrate) == (False, None)

    @pytest.mark.parametrize(
        ("fmtp", "bitrate"),
        [
            ("maxaveragebitrate=24000;useinbandfec=0", 24_000),
            ("maxaveragebitrate=1", 6000),
            ("maxaveragebitrate=999999999", 510_000),
            ("maxaveragebitrate=9999999999", None),
            ("maxaveragebitrate=fast", None),
            ("maxaveragebitrate", None),
            (" MaxAverageBitrate = 20000 ; x", 20_000),
        ],
    )
    def test_page_sets_the_bitrate(self, fmtp: str, bitrate: int | None) -> None:
        _, agreement = answer(CHROMIUM.replace("minptime=10;useinbandfec=1", fmtp))
        assert (agreement.max_bitrate, agreement.in_band_fec) == (bitrate, False)

    def test_ice_restart_keeps_the_session_and_changes_the_credentials(self) -> None:
        description, _ = answer(CHROMIUM)
        again, agreement = answer(changed(CHROMIUM, ice_ufrag="a=ice-ufrag:newer"))
        assert agreement.ice.ufrag == "newer"
        assert again.origin == description.origin


class TestMedia:
    def test_video_and_data_are_refused_in_their_places(self) -> None:
        video = "m=video 9 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 0.0.0.0\na=mid:1\na=rtpmap:96 VP8/90000\n"
        data = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:2\n"
        description, _ = answer(CHROMIUM.replace("BUNDLE 0", "BUNDLE 0 1 2") + video + data)
        assert [media.port for media in description.media] == [20010, 0, 0]
        assert lines(description, 1) == {"mid:1", "inactive"}
        assert description.media[2].formats == ("webrtc-datachannel",)
        assert description.attributes("group") == ["BUNDLE 0"]

    def test_first_audio_that_fits_is_taken(self) -> None:
        first = "m=audio 9 UDP/TLS/RTP/SAVPF 9\nc=IN IP4 0.0.0.0\na=mid:9\na=rtpmap:9 G722/8000\n"
        head, _, audio = CHROMIUM.partition("m=audio")
        description, _ = answer(head + first + "m=audio" + audio)
        assert [media.port for media in description.media] == [0, 20010]

    @pytest.mark.parametrize(
        ("theirs", "ours", "send", "receive"),
        [("sendonly", "recvonly", False, True), ("recvonly", "sendonly", True, False),
         ("inactive", "inactive", False, False)],
    )  # fmt: skip
    def test_direction_is_mirrored(self, theirs: str, ours: str, send: bool, receive: bool) -> None:
        description, agreement = answer(CHROMIUM.replace("a=sendrecv", f"a={theirs}"))
        assert ours in lines(description)
        assert (agreement.audio.send, agreement.audio.receive) == (send, receive)

    def test_offer_without_mid_and_group_is_answered_without(self) -> None:
        description, _ = answer(changed(CHROMIUM, mid="", group=""))
        assert description.attributes("group") == []
        assert not any(line.startswith("mid") for line in lines(description))

    def test_offer_without_events_has_none(self) -> None:
        description, agreement = answer(CHROMIUM.replace(" 110 126", ""))
        assert agreement.audio.telephone_event is None
        assert description.media[0].formats == ("111",)

    def test_events_at_the_other_clock_are_better_than_none(self) -> None:
        _, agreement = answer(CHROMIUM.replace(" 110 126", " 126"))
        assert (agreement.audio.codec, agreement.audio.telephone_event) == ("opus", 126)

    @pytest.mark.parametrize(("setup", "role", "ours"), [
        ("active", "server", "passive"), ("actpass", "server", "passive"), ("", "server", "passive"),
        ("passive", "client", "active"),
    ])  # fmt: skip
    def test_dtls_role_follows_from_the_offer(self, setup: str, role: str, ours: str) -> None:
        description, agreement = answer(changed(CHROMIUM, setup=setup and f"a=setup:{setup}"))
        assert agreement.role == role
        assert f"setup:{ours}" in lines(description)

    def test_sha_256_is_preferred_and_a_longer_hash_will_do(self) -> None:
        longer = f"a=fingerprint:SHA-384 {PRINT_384}"
        assert answer(changed(CHROMIUM, fingerprint=longer))[1].fingerprint == f"sha-384 {PRINT_384}"
        both = changed(CHROMIUM, fingerprint=f"{longer}\na=fingerprint:sha-256 {PRINT}\na=fingerprint:md5 00")
        assert answer(both)[1].fingerprint == f"sha-256 {PRINT}"


class TestRefused:
    @pytest.mark.parametrize(
        ("offer", "why"),
        [
            (changed(CHROMIUM, rtcp_mux=""), "rtcp-mux"),
            (changed(CHROMIUM, ice_ufrag=""), "ICE was expected"),
            (changed(CHROMIUM, ice_pwd=""), "ICE was expected"),
            (changed(CHROMIUM, ice_ufrag="a=ice-ufrag:abc"), "4 to 256"),
            (changed(CHROMIUM, ice_ufrag="a=ice-ufrag:" + "a" * 257), "4 to 256"),
            (changed(CHROMIUM, ice_pwd="a=ice-pwd:short"), "22 to 256"),
            (changed(CHROMIUM, ice_pwd="a=ice-pwd:yEclOTrLg1gEubBFefOqtm y"), "22 to 256"),
            (changed(CHROMIUM, fingerprint=""), "fingerprint"),
            (changed(CHROMIUM, fingerprint="a=fingerprint:sha-1 " + ":".join(["AB"] * 20)), "fingerprint"),
            (changed(CHROMIUM, fingerprint="a=fingerprint:sha-256 " + ":".join(["AB"] * 31)), "fingerprint"),
            (changed(CHROMIUM, fingerprint="a=fingerprint:sha-256 " + "5G:" * 31 + "5G"), "fingerprint"),
            (changed(CHROMIUM, setup="a=setup:holdconn"), "setup"),
            (changed(CHROMIUM, extmap_allow_mixed="").replace("t=0 0", "t=0 0\na=ice-lite"), "ICE-lite"),
            (CHROMIUM.replace("m=audio 9", "m=audio 0"), "port 0"),
            (CHROMIUM.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), "UDP/TLS/RTP/SAVPF was expected"),
            (CHROMIUM.replace("SAVPF 111 63 9 0 8 13", "SAVPF 9 13"), "none of opus, PCMU, PCMA"),
            (CHROMIUM.replace("opus/48000/2", "opus/16000").replace(" 0 8 ", " "), "none of opus"),
            (CHROMIUM.partition("m=audio")[0], "no audio"),
            (CHROMIUM.replace("m=audio", "m=video"), "no audio"),
        ],
    )  # fmt: skip
    def test_offer_that_is_no_browser_s_says_why(self, offer: str, why: str) -> None:
        with pytest.raises(NothingFits, match=why):
            answer(offer)

    def test_passwords_are_not_shown(self) -> None:
        assert "yEclOTrLg1gEubBFefOqtmyV" not in repr(answer(CHROMIUM)[1])


class TestOffersOfOurs:
    def test_everything_is_offered_wideband_first(self) -> None:
        offer = make_web_offer(LOCAL)
        media = offer.media[0]
        assert media.formats == ("111", "0", "8", "126")
        assert {"setup:actpass", "rtcp-mux", "mid:0", "sendrecv"} <= lines(offer)
        assert offer.attributes("group") == ["BUNDLE 0"]
        assert parse_sdp(bytes(offer)) == offer

    def reply(self, formats: str = "111 0 8 126", **changes: str) -> str:
        text = CHROMIUM.replace("111 63 9 0 8 13 110 126", formats).replace("setup:actpass", "setup:active")
        return changed(text, **changes)

    @pytest.mark.parametrize(
        ("formats", "codec", "events"),
        [("111 0 8 126", "opus", 126), ("0 111 126", "PCMU", 126), ("8", "PCMA", None)],
    )
    def test_first_codec_of_the_answer_counts(self, formats: str, codec: str, events: int | None) -> None:
        agreement = accept_web_answer(make_web_offer(LOCAL), read(self.reply(formats)))
        assert (agreement.audio.codec, agreement.audio.telephone_event) == (codec, events)
        assert (agreement.role, agreement.ice.ufrag) == ("server", "sXJ3")

    def test_passive_answer_makes_us_the_client(self) -> None:
        reply = self.reply(setup="a=setup:passive")
        assert accept_web_answer(make_web_offer(LOCAL), read(reply)).role == "client"

    def test_answers_that_take_nothing_are_refused(self) -> None:
        offer = make_web_offer(LOCAL)
        with pytest.raises(NothingFits, match="accepts no audio"):
            accept_web_answer(offer, read(self.reply().replace("m=audio 9", "m=audio 0")))
        with pytest.raises(NothingFits, match="none of"):
            accept_web_answer(offer, read(self.reply("9")))
        with pytest.raises(NothingFits, match="rtcp-mux"):
            accept_web_answer(offer, read(self.reply(rtcp_mux="")))
        with pytest.raises(SDPError, match="1 media"):
            accept_web_answer(offer, read("v=0\n"))
