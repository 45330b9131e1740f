"""Sockets that are too many, too fast, too large or too strange; nobody else notices."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from starlette.types import ASGIApp, Message
from tests.harness.signal_house import SignalHouse, open_house, page_sdp
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from townhall.signalling.voice_sdk import Limits, VoiceSDKSettings
from townhall.signalling.voice_sdk.frames import FrameError, Listen, Register, read_frame
from townhall.signalling.voice_sdk.pacing import Allowance
from townhall.signalling.voice_sdk.socket import BrowserSocket


@pytest.mark.parametrize(
    "text",
    [
        "rubbish", "[]", "null", "7", '"listen"', "{}", '{"type": 7}', '{"type": "x"', "[" * 30_000, "\x00",
        '{"type": "listen", "payload": ' + "[" * 20_000, '{"type": "' + "x" * 65 + '"}',
    ],
)  # fmt: skip
async def test_rubbish_ends_the_socket(house: SignalHouse, text: str) -> None:
    async with house.registered("bob") as other, house.page() as page:
        await page.listen()
        await page.socket.send(text)
        assert await page.hear_error() == 31100
        await page.dismissed()
        await other.silent()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("listen", 7), ("listen", {"token": 7}), ("listen", {"token": "x", "reconnectTimeout": -1}),
        ("register", {"media": []}), ("register", {"media": {"audio": "yes"}}),
        ("invite", {}), ("invite", {"callsid": "TJS1"}), ("invite", {"callsid": "TJS 1", "sdp": "x"}),
        ("invite", {"callsid": "TJS1", "sdp": ""}), ("invite", {"callsid": "TJS1", "sdp": "x", "twilio": 1}),
        ("invite", {"callsid": "TJS1", "sdp": "x", "twilio": {"params": ["a"]}}),
        ("invite", {"callsid": "TJS1", "sdp": "x", "reconnect": {}}),
        ("answer", {"callsid": ["CA"], "sdp": "x"}), ("dtmf", {"callsid": "CA1", "dtmf": 9}),
        ("dtmf", {"callsid": "CA1", "dtmf": "1" * 129}), ("hangup", {}), ("reject", {}), ("unheard-of", {}),
    ],
)  # fmt: skip
async def test_message_that_makes_no_sense_is_refused_and_the_next_one_taken(
    house: SignalHouse, kind: str, payload: object
) -> None:
    async with house.page() as page:
        await page.listen()
        await page.socket.send(f'{{"type": "{kind}", "payload": {payload!r}}}'.replace("'", '"'))
        assert await page.hear_error() == 31100
        await page.silent()


async def test_too_many_of_them_end_the_socket() -> None:
    async with open_house(VoiceSDKSettings(limits=Limits(complaints=3))) as house, house.page() as page:
        await page.listen()
        for _ in range(3):
            await page.say("unheard-of")
            assert await page.hear_error() == 31100
        await page.dismissed()


async def test_binary_frames_end_the_socket(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        await page.socket.send(b"\x00")
        assert await page.hear_error() == 31100
        await page.dismissed()


async def test_large_frames_end_the_socket(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        await page.say("invite", callsid="TJS1", sdp="x" * 70_000)
        assert await page.hear_error() == 31100
        await page.dismissed()


async def test_flood_of_frames_ends_the_socket() -> None:
    limits = Limits(frames_per_second=1, frame_burst=10)
    settings = VoiceSDKSettings(limits=limits)
    async with open_house(settings) as house, house.registered("bob") as other, house.page() as page:
        await page.listen()
        for _ in range(20):
            await page.socket.send("\n")
        assert await page.hear_error() == 31206
        await page.dismissed()
        await other.silent()


async def stuck(message: Message) -> None:
    """Sending to a page that does not read."""
    await asyncio.Event().wait()


async def test_page_that_reads_nothing_loses_its_socket() -> None:
    socket = BrowserSocket(
        VoiceSDKSettings(limits=Limits(waiting_frames=8)), ("127.0.0.1", 1), "127.0.0.1", "", None, print
    )
    reading = asyncio.create_task(asyncio.sleep(3600))
    running = asyncio.create_task(socket.run(reading, stuck))
    for _ in range(8):
        socket.send("ringing", {})
    assert not socket.is_closing
    socket.send("ringing", {})
    socket.send("ringing", {})
    await running
    assert reading.cancelled()


async def test_page_that_does_not_read_its_dismissal_loses_its_socket() -> None:
    settings = VoiceSDKSettings(limits=Limits(goodbye_s=0.01))
    socket = BrowserSocket(settings, ("127.0.0.1", 1), "127.0.0.1", "", None, print)
    reading = asyncio.create_task(asyncio.sleep(3600))
    running = asyncio.create_task(socket.run(reading, stuck))
    socket.close(1008)
    await running
    assert reading.cancelled()


async def test_sockets_are_bounded_in_all_by_source_and_before_listen() -> None:
    for name in ("sockets", "sockets_per_source", "unlistened", "unlistened_per_source"):
        limits = Limits(**{name: 2})
        async with open_house(VoiceSDKSettings(limits=limits)) as house, AsyncExitStack() as pages:
            for _ in range(2):
                await pages.enter_async_context(house.page())
            with pytest.raises(InvalidStatus):
                await connect(house.url)


async def test_an_ipv6_network_of_64_bits_is_one_source() -> None:
    async def come(endpoint: ASGIApp, host: str, answered: asyncio.Future[str]) -> None:
        to_come: list[Message] = [{"type": "websocket.connect"}]

        async def receive() -> Message:
            if not to_come:
                await asyncio.Event().wait()
            return to_come.pop()

        async def send(message: Message) -> None:
            if not answered.done():
                answered.set_result(message["type"])

        scope = {
            "type": "websocket",
            "path": "/signal",
            "query_string": b"",
            "headers": [],
            "client": (host, 1),
        }
        await endpoint(scope, receive, send)

    loop, coming = asyncio.get_running_loop(), []
    async with open_house(VoiceSDKSettings(limits=Limits(sockets_per_source=1))) as house:
        for host, answer in (
            ("2001:db8::1", "websocket.accept"),
            ("2001:db8::2", "websocket.close"),
            ("2001:db8:0:1::2", "websocket.accept"),
        ):
            answered: asyncio.Future[str] = loop.create_future()
            task = asyncio.create_task(come(house.sdk.endpoint, host, answered))
            assert await answered == answer
            coming.append(task)
    await asyncio.gather(*coming)


async def test_sockets_that_are_gone_count_no_longer() -> None:
    limits = Limits(sockets=1, sockets_per_source=1, unlistened=1, unlistened_per_source=1)
    async with open_house(VoiceSDKSettings(limits=limits)) as house:
        for _ in range(3):
            async with house.registered():
                pass
            await house.left("alice")
            await house.empty()


async def test_sockets_with_a_token_leave_room_for_those_without() -> None:
    limits = Limits(unlistened=1, unlistened_per_source=1)
    async with open_house(VoiceSDKSettings(limits=limits)) as house, AsyncExitStack() as pages:
        for _ in range(3):
            page = await pages.enter_async_context(house.page())
            await page.listen()


async def test_another_s_reconnect_token_is_of_no_use(house: SignalHouse) -> None:
    async with house.registered("alice") as alice, house.registered("mallory") as mallory:
        tokens = {}
        for page, sid in ((alice, "CA" + "1" * 32), (mallory, "CA" + "2" * 32)):
            await page.say("invite", callsid="TJS1", sdp=page_sdp(), twilio={})
            invite = await house.invite()
            invite.call_sid = sid
            await invite.answer(b"v=0")
            tokens[sid] = (await page.hear("answer"))["reconnect"]
        hers, his = tokens
        for sid, token in (
            (hers, tokens[his]),
            (hers, tokens[hers]),
            (his, tokens[hers]),
            (hers, ""),
            (his, "é"),
        ):
            await mallory.say("invite", callsid=sid, reconnect=token, sdp=page_sdp(), twilio={})
            payload = await mallory.hear("hangup")
            assert (payload["callsid"], payload["error"]["code"]) == (sid, 31209)
        for kind in ("hangup", "dtmf", "reinvite", "reject"):
            await mallory.say(kind, callsid=hers, dtmf="1", sdp=page_sdp())
        await mallory.silent()
        await alice.silent()


async def test_plain_request_is_told_what_is_wanted(house: SignalHouse) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(house.url.split(":")[2].split("/")[0]))
    writer.write(b"GET /signal HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b" 426 " in await reader.readline()
    writer.close()


def test_frames_of_all_versions_are_read() -> None:
    payload = '{"token":"t","browserinfo":{"p":"browser"},"reconnectTimeout":3}'
    text = f'{{"type":"listen","version":"1.5","payload":{payload}}}'
    assert read_frame(text) == Listen("t", 3)
    assert read_frame('{"type":"register"}') == Register()
    with pytest.raises(FrameError) as error:
        read_frame('{"type":"listen","payload":{"token":1}}')
    assert not error.value.is_rubbish


def test_allowance_refills() -> None:
    allowance = Allowance(per_second=2, at_once=3)
    assert [allowance.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(10.5), allowance.take(10.5)] == [True, False]
    assert [allowance.take(99.0) for _ in range(4)] == [True, True, True, False]
