"""Offers and answers as RFC 3264 has them, and the agreements that come of them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from townhall.sdp import (
    AudioAgreement,
    AudioCapabilities,
    Direction,
    LocalMedia,
    NothingFits,
    SDPError,
    SessionDescription,
    accept_answer,
    make_answer,
    make_offer,
    parse_sdp,
)

LOCAL = LocalMedia("192.0.2.9", 20000, 20001, session_id=5, session_version=2)


def offer(*lines: str, session: tuple[str, ...] = ("c=IN IP4 192.0.2.1",)) -> SessionDescription:
    return parse_sdp(
        "\r\n".join(("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", *session, "t=0 0", *lines)).encode()
    )


def agree(*lines: str, session: tuple[str, ...] = ("c=IN IP4 192.0.2.1",), **caps: object) -> AudioAgreement:
    return make_answer(offer(*lines, session=session), LOCAL, AudioCapabilities(**caps))[1]  # type: ignore[arg-type]


def answer(*lines: str, session: tuple[str, ...] = ("c=IN IP4 192.0.2.1",), local: LocalMedia = LOCAL) -> str:
    return bytes(make_answer(offer(*lines, session=session), local)[0]).decode()


def test_answer_to_a_plain_phone_is_complete() -> None:
    assert answer(
        "m=audio 40000 RTP/AVP 8 0 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"
    ) == (
        "v=0\r\n"
        "o=- 5 2 IN IP4 192.0.2.9\r\n"
        "s=-\r\n"
        "c=IN IP4 192.0.2.9\r\n"
        "t=0 0\r\n"
        "m=audio 20000 RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
        "a=fmtp:101 0-15\r\n"
        "a=ptime:20\r\n"
        "a=sendrecv\r\n"
    )


def test_answer_has_every_medium_in_order_and_port_0_for_all_but_one() -> None:
    description, agreement = make_answer(
        offer(
            "m=image 5000 udptl t38",
            "m=audio 40000 RTP/SAVP 0",
            "m=audio 0 RTP/AVP 0",
            "m=audio 40002 RTP/AVP 96",
            "a=rtpmap:96 opus/48000/2",
            "m=audio 40004/2 RTP/AVP 18 0",
            "m=audio 40006 RTP/AVP 0",
            "m=video 40008 RTP/AVP 97",
            "m=application 40010 udp 1",
            "m=text 1 RTP/AVP",
        ),
        LOCAL,
    )
    assert [media.value for media in description.media] == [
        "image 0 UDPTL t38",
        "audio 0 RTP/SAVP 0",
        "audio 0 RTP/AVP 0",
        "audio 0 RTP/AVP 96",
        "audio 20000 RTP/AVP 0",
        "audio 0 RTP/AVP 0",
        "video 0 RTP/AVP 97",
        "application 0 UDP 1",
        "text 0 RTP/AVP 0",
    ]
    assert agreement.remote == ("192.0.2.1", 40004)


@pytest.mark.parametrize(
    ("formats", "rtpmaps", "codec", "payload_type"),
    [
        ("0 8", (), "PCMU", 0),
        ("8 0", (), "PCMA", 8),
        ("18 9 8", (), "PCMA", 8),
        ("0", ("0 PCMU/8000",), "PCMU", 0),
        ("8", ("8 pcma/8000/1",), "PCMA", 8),
        ("97 0", ("97 PCMU/8000",), "PCMU", 97),
        ("96 97 8", ("96 PCMU/16000", "97 PCMU/8000/2"), "PCMA", 8),
        ("96 98", ("96 opus/48000/2", "98 PCMA / 8000"), "PCMA", 98),
        ("0 8", ("0 nonsense", "0 L16/8000"), "PCMA", 8),
        ("* x -1 200 0", (), "PCMU", 0),
    ],
)
def test_answer_takes_the_offerers_first_codec_that_we_have(
    formats: str, rtpmaps: tuple[str, ...], codec: str, payload_type: int
) -> None:
    agreement = agree(f"m=audio 40000 RTP/AVP {formats}", *(f"a=rtpmap:{text}" for text in rtpmaps))
    assert (agreement.codec, agreement.payload_type) == (codec, payload_type)


ALL_CODECS = ("G722", "PCMU", "PCMA")


@pytest.mark.parametrize(
    ("formats", "rtpmaps", "codec", "payload_type"),
    [
        ("9 0 8", (), "G722", 9),
        ("9 0 8", ("9 G722/8000", "0 PCMU/8000"), "G722", 9),
        ("8 9", (), "PCMA", 8),
        ("18 9 0", ("18 G729/8000",), "G722", 9),
        ("97 0", ("97 g722/8000",), "G722", 97),
        ("9 8", ("9 G722/16000",), "PCMA", 8),
        ("96 9", ("96 G7221/16000",), "G722", 9),
    ],
)
def test_answer_takes_g722_by_its_static_number_or_any_other_at_8000(
    formats: str, rtpmaps: tuple[str, ...], codec: str, payload_type: int
) -> None:
    lines = (f"m=audio 40000 RTP/AVP {formats}", *(f"a=rtpmap:{text}" for text in rtpmaps))
    agreement = agree(*lines, codecs=ALL_CODECS)
    assert (agreement.codec, agreement.payload_type) == (codec, payload_type)


def test_answer_in_g722_writes_its_clock_as_8000() -> None:
    description, _ = make_answer(
        offer("m=audio 40000 RTP/AVP 9 0 101", "a=rtpmap:101 telephone-event/8000"),
        LOCAL,
        AudioCapabilities(codecs=ALL_CODECS),
    )
    (media,) = description.media
    assert media.value == "audio 20000 RTP/AVP 9 101"
    assert media.attributes("rtpmap") == ["9 G722/8000", "101 telephone-event/8000"]


def test_offer_has_codecs_in_our_order() -> None:
    description = make_offer(LOCAL, AudioCapabilities(codecs=ALL_CODECS))
    (media,) = description.media
    assert media.value == "audio 20000 RTP/AVP 9 0 8 101"
    assert next(iter(media.attributes("rtpmap"))) == "9 G722/8000"


@pytest.mark.parametrize("formats", ["9 101", "9 0 8 101"])
def test_answer_to_our_offer_agrees_on_its_first_codec(formats: str) -> None:
    ours = make_offer(LOCAL, AudioCapabilities(codecs=ALL_CODECS))
    theirs = offer(f"m=audio 40000 RTP/AVP {formats}", "a=rtpmap:101 telephone-event/8000")
    assert accept_answer(ours, theirs).codec == "G722"


def test_answer_takes_only_codecs_it_is_allowed() -> None:
    assert agree("m=audio 40000 RTP/AVP 9 0 8").codec == "PCMU"
    assert agree("m=audio 40000 RTP/AVP 0 8", codecs=("PCMA",)).codec == "PCMA"


@pytest.mark.parametrize(
    ("lines", "payload_type", "fmtp"),
    [
        (("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15"), 101, "0-15"),
        (("a=rtpmap:96 Telephone-Event/8000", "a=fmtp:96 0-16"), 96, "0-16"),
        (("a=rtpmap:101 telephone-event/8000",), 101, "0-15"),
        (("a=rtpmap:101 telephone-event/8000/1", "a=fmtp:101 0-11,16,32-49"), 101, "0-16"),
        (("a=rtpmap:110 telephone-event/48000", "a=rtpmap:101 telephone-event/8000"), 101, "0-15"),
        (("a=rtpmap:110 telephone-event/48000",), None, None),
        (("a=rtpmap:100 telephone-event/8000",), None, None),
        ((), None, None),
    ],
)
def test_answer_takes_telephone_event_with_the_offerers_payload_type(
    lines: tuple[str, ...], payload_type: int | None, fmtp: str | None
) -> None:
    description, agreement = make_answer(offer("m=audio 40000 RTP/AVP 0 110 101 96", *lines), LOCAL)
    assert agreement.telephone_event == payload_type
    assert description.media[0].attribute("fmtp") == (f"{payload_type} {fmtp}" if fmtp else None)


@pytest.mark.parametrize(
    ("lines", "ptime"),
    [
        ((), 20),
        (("a=ptime:10",), 10),
        (("a=ptime:30",), 30),
        (("a=ptime:60",), 60),
        (("a=ptime:5",), 20),
        (("a=ptime:80",), 20),
        (("a=ptime:25",), 20),
        (("a=ptime:0",), 20),
        (("a=ptime:20.0",), 20),
        (("a=ptime:x",), 20),
        (("a=ptime:40", "a=maxptime:20"), 20),
        (("a=maxptime:10",), 10),
        (("a=maxptime:15",), 10),
        (("a=maxptime:5",), 20),
        (("a=ptime:30", "a=maxptime:150"), 30),
    ],
)
def test_answer_honours_ptime_and_maxptime(lines: tuple[str, ...], ptime: int) -> None:
    description, agreement = make_answer(offer("m=audio 40000 RTP/AVP 0", *lines), LOCAL)
    assert agreement.ptime_ms == ptime
    assert description.media[0].attribute("ptime") == str(ptime)


@pytest.mark.parametrize(
    ("session", "lines", "remote", "send"),
    [
        (("c=IN IP4 192.0.2.1",), (), "192.0.2.1", True),
        (("c=IN IP4 192.0.2.1",), ("c=IN IP4 192.0.2.2",), "192.0.2.2", True),
        ((), ("c=IN IP4 192.0.2.2/127",), "192.0.2.2", True),
        (("c=broken",), ("c=IN IP4 192.0.2.2",), "192.0.2.2", True),
        (("c=IN IP4 0.0.0.0",), (), "0.0.0.0", False),
        (("c=IN IP4 192.0.2.1",), ("c=IN IP4 0.0.0.0",), "0.0.0.0", False),
        (("c=IN IP6 ::",), (), "::", False),
    ],
)
def test_agreement_sends_to_the_mediums_address_before_the_sessions(
    session: tuple[str, ...], lines: tuple[str, ...], remote: str, send: bool
) -> None:
    agreement = agree("m=audio 40000 RTP/AVP 0", *lines, session=session)
    assert agreement.remote == (remote, 40000)
    assert agreement.send is send
    assert agreement.receive is True


@pytest.mark.parametrize(
    ("direction", "answered", "send", "receive"),
    [
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", False, True),
        ("recvonly", "sendonly", True, False),
        ("inactive", "inactive", False, False),
    ],
)
@pytest.mark.parametrize("level", ["session", "media", "both"])
def test_answer_mirrors_the_direction(
    direction: str, answered: str, send: bool, receive: bool, level: str
) -> None:
    session = {"session": direction, "media": "inactive", "both": "sendrecv"}[level]
    lines = () if level == "session" else (f"a={direction}",)
    description, agreement = make_answer(
        offer("m=audio 40000 RTP/AVP 0", *lines, session=("c=IN IP4 192.0.2.1", f"a={session}")), LOCAL
    )
    assert description.media[0].direction == answered
    assert (agreement.send, agreement.receive) == (send, receive)


def test_answer_to_hold_by_address_is_recvonly() -> None:
    assert "\r\na=recvonly\r\n" in answer("m=audio 40000 RTP/AVP 0", session=("c=IN IP4 0.0.0.0",))


def test_answer_on_hold_ourselves_is_sendonly() -> None:
    local = LocalMedia("192.0.2.9", 20000, direction="sendonly")
    assert "\r\na=sendonly\r\n" in answer("m=audio 40000 RTP/AVP 0", local=local)
    assert "\r\na=inactive\r\n" in answer("m=audio 40000 RTP/AVP 0", "a=sendonly", local=local)


@pytest.mark.parametrize(
    ("lines", "mux", "remote_rtcp"),
    [
        ((), False, ("192.0.2.1", 40001)),
        (("a=rtcp:50000",), False, ("192.0.2.1", 50000)),
        (("a=rtcp:50000 IN IP4 192.0.2.7",), False, ("192.0.2.7", 50000)),
        (("a=rtcp:50000 IN IP4 name",), False, ("192.0.2.1", 50000)),
        (("a=rtcp:0",), False, ("192.0.2.1", 40001)),
        (("a=rtcp:x",), False, ("192.0.2.1", 40001)),
        (("a=rtcp-mux", "a=rtcp:50000"), True, None),
    ],
)
def test_agreement_sends_rtcp_where_the_offer_says(
    lines: tuple[str, ...], mux: bool, remote_rtcp: tuple[str, int] | None
) -> None:
    description, agreement = make_answer(offer("m=audio 40000 RTP/AVP 0", *lines), LOCAL)
    assert (agreement.rtcp_mux, agreement.remote_rtcp) == (mux, remote_rtcp)
    assert (description.media[0].attribute("rtcp-mux") is not None) is mux


def test_agreement_at_the_last_port_has_no_rtcp() -> None:
    assert agree("m=audio 65535 RTP/AVP 0").remote_rtcp is None


def test_agreement_without_mux_of_ours_keeps_rtcp_apart() -> None:
    assert agree("m=audio 40000 RTP/AVP 0", "a=rtcp-mux", accept_rtcp_mux=False).rtcp_mux is False


def test_answer_names_our_rtcp_port_when_it_is_not_the_next() -> None:
    assert "a=rtcp:" not in answer("m=audio 40000 RTP/AVP 0")
    assert "\r\na=rtcp:20009\r\n" in answer(
        "m=audio 40000 RTP/AVP 0", local=LocalMedia("192.0.2.9", 20000, 20009)
    )


def test_answer_over_avpf_keeps_avpf() -> None:
    assert "m=audio 20000 RTP/AVPF 0\r\n" in answer("m=audio 40000 RTP/AVPF 0")


def test_answer_over_ipv6_names_ipv6() -> None:
    local = LocalMedia("2001:db8::9", 20000, session_id=1)
    description, agreement = make_answer(
        offer("m=audio 40000 RTP/AVP 0", session=("c=IN IP6 2001:DB8::1",)), local
    )
    assert description.first("o") == "- 1 1 IN IP6 2001:db8::9"
    assert description.first("c") == "IN IP6 2001:db8::9"
    assert agreement.remote == ("2001:db8::1", 40000)
    assert accept_answer(make_offer(local), make_answer(make_offer(local), local)[0]).remote == (
        "2001:db8::9",
        20000,
    )


def test_answer_repeats_the_offers_time() -> None:
    description = parse_sdp(b"v=0\nc=IN IP4 192.0.2.1\nt=1 2\nm=audio 40000 RTP/AVP 0\n")
    assert make_answer(description, LOCAL)[0].first("t") == "1 2"


@pytest.mark.parametrize(
    ("lines", "session"),
    [
        ((), ("c=IN IP4 192.0.2.1",)),
        (("m=video 40000 RTP/AVP 96",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 0 RTP/AVP 0",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/SAVP 0",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/SAVPF 0",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 UDP/TLS/RTP/SAVPF 0",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/AVP 18 9",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/AVP",), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/AVP 101", "a=rtpmap:101 telephone-event/8000"), ("c=IN IP4 192.0.2.1",)),
        (("m=audio 40000 RTP/AVP 0",), ()),
        (("m=audio 40000 RTP/AVP 0",), ("c=broken",)),
        (("m=audio 40000 RTP/AVP 0",), ("c=IN IP4 phone.example.com",)),
        (("m=audio 40000 RTP/AVP 0",), ("c=IN IP4 224.1.1.1",)),
        (("m=audio 40000 RTP/AVP 0",), ("c=IN IP6 2001:db8::1",)),
    ],
)
def test_offer_in_which_nothing_fits_is_refused_with_488(
    lines: tuple[str, ...], session: tuple[str, ...]
) -> None:
    with pytest.raises(NothingFits) as caught:
        make_answer(offer(*lines, session=session), LOCAL)
    assert caught.value.status_hint == 488


# From here on: both ends.


def test_our_offer_is_complete() -> None:
    assert bytes(make_offer(LOCAL)).decode().split("\r\n")[5:] == [
        "m=audio 20000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=sendrecv",
        "",
    ]


DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


@given(
    codecs=st.sampled_from([("PCMU",), ("PCMA",), ("PCMU", "PCMA"), ("PCMA", "PCMU"), ("G722", "PCMU")]),
    ptime=st.sampled_from([10, 20, 30, 40, 50, 60]),
    events=st.booleans(),
    their_events=st.booleans(),
    mux=st.booleans(),
    directions=st.tuples(st.sampled_from(DIRECTIONS), st.sampled_from(DIRECTIONS)),
    rtcp_ports=st.tuples(*[st.none() | st.integers(1, 65535)] * 2),
)
def test_both_ends_agree_on_what_was_offered_and_answered(
    codecs: tuple[str, ...],
    ptime: int,
    events: bool,
    their_events: bool,
    mux: bool,
    directions: tuple[Direction, Direction],
    rtcp_ports: tuple[int | None, int | None],
) -> None:
    caps = AudioCapabilities(codecs=codecs, ptime_ms=ptime, telephone_event=events, offer_rtcp_mux=mux)  # type: ignore[arg-type]
    ours = LocalMedia("192.0.2.9", 20000, rtcp_ports[0], direction=directions[0])
    theirs = LocalMedia("192.0.2.1", 30000, rtcp_ports[1], direction=directions[1])
    offered = parse_sdp(bytes(make_offer(ours, caps)))
    answered, far = make_answer(
        offered, theirs, AudioCapabilities(codecs=ALL_CODECS, telephone_event=their_events)
    )
    near = accept_answer(offered, parse_sdp(bytes(answered)))
    assert (near.codec, near.payload_type, near.ptime_ms) == (far.codec, far.payload_type, far.ptime_ms)
    assert (near.codec, near.ptime_ms) == (codecs[0], ptime)
    assert near.telephone_event == far.telephone_event == (101 if events and their_events else None)
    assert (near.send, near.receive) == (far.receive, far.send)
    assert near.rtcp_mux is far.rtcp_mux is mux
    assert (near.remote, far.remote) == (("192.0.2.1", 30000), ("192.0.2.9", 20000))
    if not mux:
        assert near.remote_rtcp == ("192.0.2.1", rtcp_ports[1] or 30001)
        assert far.remote_rtcp == ("192.0.2.9", rtcp_ports[0] or 20001)


def test_answer_with_another_codec_than_ours_is_refused() -> None:
    offered = make_offer(LOCAL, AudioCapabilities(codecs=("PCMU",)))
    with pytest.raises(NothingFits):
        accept_answer(offered, offer("m=audio 40000 RTP/AVP 8"))


def test_answer_that_rejects_the_audio_is_refused() -> None:
    with pytest.raises(NothingFits):
        accept_answer(make_offer(LOCAL), offer("m=audio 0 RTP/AVP 0"))


def test_answer_with_more_or_fewer_media_is_an_error() -> None:
    for lines in ((), ("m=audio 4 RTP/AVP 0", "m=video 6 RTP/AVP 96")):
        with pytest.raises(SDPError):
            accept_answer(make_offer(LOCAL), offer(*lines))


def test_answer_with_mux_we_did_not_offer_is_without() -> None:
    agreement = accept_answer(make_offer(LOCAL), offer("m=audio 40000 RTP/AVP 0", "a=rtcp-mux"))
    assert (agreement.rtcp_mux, agreement.remote_rtcp) == (False, ("192.0.2.1", 40001))


def test_answer_changed_has_a_later_version_and_unchanged_the_same() -> None:
    first, _ = make_answer(offer("m=audio 40000 RTP/AVP 0"), LOCAL)
    same = make_answer(offer("m=audio 40000 RTP/AVP 0"), LocalMedia("192.0.2.9", 20000, 20001))[0].following(
        first
    )
    held = make_answer(offer("m=audio 40000 RTP/AVP 0", "a=sendonly"), LOCAL)[0].following(same)
    versions = [o.session_version for d in (first, same, held) if (o := d.origin) is not None]
    assert versions == ["2", "2", "3"]


def test_every_direction_pair_sends_only_where_both_want_it() -> None:
    for ours, theirs in itertools.product(DIRECTIONS, DIRECTIONS):
        local = LocalMedia("192.0.2.9", 20000, direction=ours)
        _, agreement = make_answer(offer("m=audio 40000 RTP/AVP 0", f"a={theirs}"), local)
        assert agreement.send is (ours in ("sendrecv", "sendonly") and theirs in ("sendrecv", "recvonly"))
        assert agreement.receive is (ours in ("sendrecv", "recvonly") and theirs in ("sendrecv", "sendonly"))
