"""Any text, any order of messages, any description from a page: an answer or a refusal, never a fault."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.signal_house import ACCOUNT_SID, CALL_SID, make_token, page_sdp, secret_of

from townhall.sdp import SDPError, parse_sdp
from townhall.sdp.webrtc import (
    IceCredentials,
    WebLocal,
    accept_web_answer,
    make_web_answer,
    make_web_offer,
)
from townhall.signalling.voice_sdk import (
    AccessTokens,
    BrowserInvite,
    TokenError,
    VoiceSDKSettings,
)
from townhall.signalling.voice_sdk.device import Device
from townhall.signalling.voice_sdk.exchange import Exchange
from townhall.signalling.voice_sdk.frames import FrameError, read_frame
from townhall.signalling.voice_sdk.outgoing import Caller
from townhall.signalling.voice_sdk.parameters import MOST_CHARACTERS, RESERVED, merged, written
from townhall.signalling.voice_sdk.socket import BrowserSocket

KINDS = (
    "listen",
    "register",
    "invite",
    "answer",
    "reject",
    "hangup",
    "dtmf",
    "reinvite",
    "message",
    "candidate",
)
FIELDS = (
    "callsid",
    "sdp",
    "token",
    "reconnect",
    "twilio",
    "media",
    "dtmf",
    "reconnectTimeout",
    "voiceeventsid",
)
GOOD_TOKEN = make_token("alice")
OTHER_TOKEN = make_token("bob", application_sid=None)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
listens = st.sampled_from([GOOD_TOKEN, OTHER_TOKEN]).map(
    lambda token: {"type": "listen", "payload": {"token": token}}
)
likely = st.sampled_from(
    [CALL_SID, "TJS1", "TJS2", "TJS3", page_sdp(), page_sdp("newer"), GOOD_TOKEN, OTHER_TOKEN, "12w#", 7,
     {"params": "To=x&From=y&z"}, {"audio": True}, {"audio": False}]
)  # fmt: skip
payloads = st.dictionaries(st.sampled_from(FIELDS), likely | anything, max_size=6)


def sensible(kind: str, callsid: str, restart: bool) -> dict[str, Any]:
    sdp = page_sdp("newer" if restart else "page")
    return {
        "type": kind,
        "payload": {"callsid": callsid, "sdp": sdp, "dtmf": "1", "twilio": {}, "voiceeventsid": "KX"},
    }


messages = st.one_of(
    st.builds(sensible, st.sampled_from(KINDS), st.sampled_from([CALL_SID, "TJS1", "TJS2"]), st.booleans()),
    listens,
    st.builds(lambda kind, payload: {"type": kind, "payload": payload}, st.sampled_from(KINDS), payloads),
    st.just({"type": "ours", "do": "answer"}),
    st.just({"type": "ours", "do": "ring"}),
    st.just({"type": "ours", "do": "end"}),
    st.just({"type": "ours", "do": "drop"}),
)  # fmt: skip


@settings(deadline=None)
@given(st.text(max_size=200) | anything.map(json.dumps) | messages.map(json.dumps))
def test_any_text_is_a_message_or_frame_error(text: str) -> None:
    with suppress(FrameError):
        read_frame(text)


@settings(deadline=None)
@given(st.text(max_size=200) | st.builds("{}.{}.{}".format, *[st.text("eyJ0=-_AZaz.", max_size=60)] * 3))
def test_any_text_is_a_token_or_token_error(text: str) -> None:
    with suppress(TokenError):
        asyncio.run(AccessTokens(ACCOUNT_SID, secret_of).check(text))


@settings(deadline=None)
@given(st.text(max_size=300), st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5))
def test_any_query_gives_parameters_of_no_reserved_name(query: str, granted: list[tuple[str, str]]) -> None:
    found = merged(query, granted)
    assert not {name.lower() for name, _ in found} & RESERVED
    assert sum(len(name) + len(value) for name, value in found) <= MOST_CHARACTERS + 100
    assert written(found).count("&") == max(0, len(found) - 1)


class Talk:
    """An exchange with one page after the other, and calls of ours in between; no network."""

    def __init__(self) -> None:
        self.invites: list[BrowserInvite] = []
        self.heard: list[dict[str, Any]] = []
        self.exchange = Exchange(
            VoiceSDKSettings(home=None), AccessTokens(ACCOUNT_SID, secret_of), self.invites.append
        )
        self.device = self._device()

    def _device(self) -> Device:
        socket = BrowserSocket(self.exchange.settings, ("127.0.0.1", 1), "127.0.0.1", "", None, lambda: None)
        socket.send = lambda kind, payload: self.heard.append(  # type: ignore[method-assign]
            json.loads(json.dumps({"type": kind, **payload}))
        )
        return Device(self.exchange, socket)

    async def take(self, message: dict[str, Any]) -> None:
        if message["type"] != "ours":
            await self.device.take(json.dumps(message))
        elif message["do"] == "drop":
            self.device.closed()
            self.device = self._device()
        elif message["do"] == "ring":
            if CALL_SID not in self.exchange._calls:
                caller = Caller("client:bob", "client:alice", ACCOUNT_SID)
                self.exchange.ring("alice", b"v=0", CALL_SID, caller, lambda: None, 60.0)
        elif self.invites:
            invite = self.invites.pop()
            invite.session.on_offer = lambda offer: b"v=0"
            is_free = CALL_SID not in self.exchange._calls
            invite.call_sid = CALL_SID if is_free else f"CA{id(invite):032x}"
            if message["do"] == "end":
                await invite.session.hang_up()
            elif not invite.session.ended.is_set():
                await invite.answer(b"v=0")


async def talk(messages: list[dict[str, Any]]) -> None:
    it = Talk()
    await it.take({"type": "listen", "payload": {"token": GOOD_TOKEN}})
    await it.take({"type": "register", "payload": {"media": {"audio": True}}})
    for message in messages:
        await it.take(message)
    it.device.closed()
    for heard in it.heard:
        assert heard["type"] in {
            "connected",
            "ready",
            "offline",
            "error",
            "close",
            "hangup",
            "answer",
            "invite",
            "cancel",
        }
    for session in it.exchange._pending:
        assert not session.ended.is_set()
    assert it.exchange.devices_of("alice") == it.exchange.devices_of("bob") == []
    it.exchange.hang_up_all()
    assert not it.exchange._calls
    assert not it.exchange._pending
    assert not it.exchange._ringing


@settings(deadline=None, max_examples=150)
@given(st.lists(messages, max_size=30))
def test_any_order_of_messages_leaves_nothing_behind(messages: list[dict[str, Any]]) -> None:
    asyncio.run(talk(messages))


LOCAL = WebLocal(
    (("192.0.2.9", 20000),), IceCredentials("ours", "o" * 22), "sha-256 " + ":".join(["01"] * 32)
)
GOOD_LINES = [
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 110 126",
    "c=IN IP4 0.0.0.0",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:abcdefghijklmnopqrstuv",
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32),
    "a=setup:actpass",
    "a=mid:0",
    "a=rtcp-mux",
    "a=rtpmap:111 opus/48000/2",
    "a=fmtp:111 maxaveragebitrate=20000;useinbandfec=1",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
]
odd = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20)
NAMES = ("ice-ufrag", "ice-pwd", "fingerprint", "setup", "mid", "group", "rtpmap", "fmtp")
STRANGE_LINES = (
    "m=video 9 x 96",
    "m=audio 0 UDP/TLS/RTP/SAVPF 0",
    "m=audio 9 RTP/SAVPF 8 8 8",
    "a=ice-lite",
    "a=inactive",
)
line = st.one_of(
    st.sampled_from(GOOD_LINES),
    st.builds("a={}:{}".format, st.sampled_from(NAMES), odd),
    st.sampled_from(STRANGE_LINES),
    odd,
)
descriptions = st.one_of(
    st.lists(line, max_size=20),
    st.permutations(GOOD_LINES[1:]).flatmap(
        lambda lines: st.lists(line, max_size=3).map(lambda more: [GOOD_LINES[0], *lines, *more])
    ),
).map(lambda lines: "\r\n".join(["v=0", *lines]).encode())


@settings(deadline=None)
@given(descriptions)
def test_any_description_is_answered_or_sdp_error(data: bytes) -> None:
    try:
        read = parse_sdp(data)
    except SDPError:
        return
    with suppress(SDPError):
        accept_web_answer(make_web_offer(LOCAL), read)
    try:
        answer, agreement = make_web_answer(read, LOCAL)
    except SDPError:
        return
    assert parse_sdp(bytes(answer)) == answer
    assert len(answer.media) == len(read.media)
    assert [media.port for media in answer.media].count(20000) == 1
    assert sum(media.port != 0 for media in answer.media) == 1
    assert agreement.fingerprint.startswith("sha-")
    assert 4 <= len(agreement.ice.ufrag) <= 256
    assert agreement.audio.ptime_ms in range(10, 61, 10)


def test_the_good_lines_are_answered() -> None:
    answer, _ = make_web_answer(parse_sdp("\r\n".join(["v=0", *GOOD_LINES]).encode()), LOCAL)
    assert answer.media[0].port == 20000
