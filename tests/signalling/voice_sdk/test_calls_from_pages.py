"""A page calls an application: invite, ringing, answer, hang-up, digits, ICE restart."""

import pytest
from tests.harness.signal_house import (
    APPLICATION_SID,
    CALL_SID,
    OTHER_CERTIFICATE,
    Page,
    SignalHouse,
    make_token,
    open_house,
    page_sdp,
)

from townhall.signalling import OfferRejected, SessionEnded
from townhall.signalling.voice_sdk import BrowserInvite, Limits, VoiceSDKSettings

TEMPORARY_SID = "TJS5dae058d-25e1-49f9-a8d5-e62054bb6468"


async def call(
    house: SignalHouse, page: Page, params: str = "", callsid: str = TEMPORARY_SID
) -> BrowserInvite:
    """Start a call; what is handed to those who run calls."""
    twilio = {"params": params} if params else {}
    await page.say("invite", callsid=callsid, sdp=page_sdp(), twilio=twilio)
    return await house.invite()


async def answered(house: SignalHouse, page: Page) -> tuple[BrowserInvite, str]:
    """A call that is answered, and its reconnect token."""
    invite = await call(house, page)
    invite.call_sid = CALL_SID
    await invite.answer(b"v=0 answer")
    payload = await page.hear("answer")
    return invite, payload["reconnect"]


async def test_call_of_a_page_brings_all_that_the_application_needs(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen(make_token("alice", parameters={"lane": 2, "first": True}))
        invite = await call(house, page, "To=room%201%20%2B%20x&greeting=h%C3%A9llo%26%3D&empty=&lane=9")
        port = page.socket.local_address[1]
        assert invite.identity == "alice"
        assert invite.application_sid == APPLICATION_SID
        assert dict(invite.parameters) == {
            "To": "room 1 + x",
            "greeting": "héllo&=",
            "empty": "",
            "lane": "2",
            "first": "true",
        }
        assert invite.offer == page_sdp().encode()
        assert invite.source == ("127.0.0.1", port)
        assert invite.local_address == "127.0.0.1"
        assert invite.call_id == invite.session.call_id == TEMPORARY_SID
        assert invite.session.remote_uri == "client:alice"


async def test_page_cannot_speak_in_the_place_of_the_server(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen(make_token("alice", parameters={"callsid": "CA0"}))
        invite = await call(
            house, page, "From=client%3Aboss&CallSid=CA1&accountsid=AC1&To=%2B4930&Direction=x"
        )
        assert invite.parameters == [("To", "+4930")]


async def test_ringing_then_answer_carry_the_calls_sid_and_a_reconnect_token(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        invite = await call(house, page)
        invite.call_sid = CALL_SID
        await invite.ring()
        assert await page.hear("ringing") == {"callsid": CALL_SID}
        await invite.ring(183, b"v=0 early")
        assert await page.hear("ringing") == {"callsid": CALL_SID, "sdp": "v=0 early"}
        await invite.answer(b"v=0 answer")
        payload = await page.hear("answer")
        assert (payload["callsid"], payload["sdp"]) == (CALL_SID, "v=0 answer")
        assert len(payload["reconnect"]) == 43


@pytest.mark.parametrize("name", [TEMPORARY_SID, CALL_SID])
async def test_page_that_gives_up_by_either_name_of_the_call_cancels_it(
    house: SignalHouse, name: str
) -> None:
    async with house.page() as page:
        await page.listen()
        invite = await call(house, page)
        invite.call_sid = CALL_SID
        await invite.ring()
        await page.hear("ringing")
        await page.say("hangup", callsid=name)
        assert (await invite.session.wait_ended()).cause == "cancel"
        with pytest.raises(SessionEnded):
            await invite.answer(b"v=0 too late")
        await page.silent()


async def test_page_hangs_up_an_answered_call_and_is_told_nothing(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        invite, _ = await answered(house, page)
        await page.say("hangup", callsid=CALL_SID, message="bye")
        assert (await invite.session.wait_ended()).cause == "bye"
        await invite.session.hang_up()
        await page.silent()


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (None, None),
        ('SIP;cause=200;text="Over"', None),
        ('Q.850;cause=16;text="Normal"', None),
        ('SIP;cause=503;text="Media lost"', {"code": 31000, "message": "Media lost"}),
        ("SIP ;cause=408", {"code": 31003, "message": "Timed out"}),
    ],
)
async def test_our_hang_up_says_why(
    house: SignalHouse, reason: str | None, error: dict[str, object] | None
) -> None:
    async with house.page() as page:
        await page.listen()
        invite, _ = await answered(house, page)
        await invite.session.hang_up(reason)
        payload = await page.hear("hangup")
        assert payload == {"callsid": CALL_SID, **({"error": error} if error else {})}
        assert (await invite.session.wait_ended()).cause == "local"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (302, 31002), (400, 31400), (401, 31002), (403, 31002), (404, 31404), (408, 31003), (429, 31206),
        (480, 31480), (486, 31486), (487, 31008), (488, 31400), (500, 31000), (503, 31000), (600, 31486),
        (603, 31603), (604, 31404), (699, 31603),
    ],
)  # fmt: skip
async def test_refusal_becomes_the_sdks_error(house: SignalHouse, status: int, code: int) -> None:
    async with house.page() as page:
        await page.listen()
        invite = await call(house, page)
        invite.reject(status, "That is why")
        expected = {"callsid": TEMPORARY_SID, "error": {"code": code, "message": "That is why"}}
        assert await page.hear("hangup") == expected
        ended = await invite.session.wait_ended()
        assert (ended.cause, ended.status) == ("local", status)


async def test_status_that_refuses_nothing_is_an_error_of_ours(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        invite = await call(house, page)
        with pytest.raises(ValueError, match="300 to 699"):
            invite.reject(200)


async def test_signalled_digits_are_pressed_one_by_one(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        invite, _ = await answered(house, page)
        pressed: list[tuple[str, int]] = []
        invite.session.on_digit = lambda digit, ms: pressed.append((digit, ms))
        await page.say("dtmf", callsid=CALL_SID, dtmf="9w*x#")
        await page.silent()
        assert pressed == [("9", 160), ("*", 160), ("#", 160)]


async def test_ice_restart_is_answered_by_whoever_runs_the_call(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        invite, token = await answered(house, page)
        invite.session.on_offer = lambda offer: b"v=0 answer to " + (offer or b"")[-4:].strip()
        await page.say("reinvite", callsid=CALL_SID, sdp=page_sdp("newer") + "a=x\r\n")
        expected = {"callsid": CALL_SID, "reconnect": token, "sdp": "v=0 answer to =x"}
        assert await page.hear("answer") == expected


async def test_ice_restart_that_is_refused_ends_nothing(house: SignalHouse) -> None:
    def refuse(offer: bytes | None) -> bytes:
        raise OfferRejected(488)

    def fail(offer: bytes | None) -> bytes:
        raise RuntimeError("a fault of ours")

    async with house.page() as page:
        await page.listen()
        invite, _ = await answered(house, page)
        for on_offer in (refuse, fail):
            invite.session.on_offer = on_offer
            await page.say("reinvite", callsid=CALL_SID, sdp=page_sdp("newer"))
            payload = await page.hear("error")
            assert (payload["error"]["code"], payload["callsid"]) == (31400, CALL_SID)
        assert not invite.session.ended.is_set()


async def test_token_without_an_application_allows_no_calls(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen(make_token(application_sid=None))
        await page.say("invite", callsid=TEMPORARY_SID, sdp=page_sdp(), twilio={})
        payload = await page.hear("hangup")
        assert (payload["callsid"], payload["error"]["code"]) == (TEMPORARY_SID, 31002)
    assert house.invites.empty()


@pytest.mark.parametrize("callsid", [CALL_SID, "TJS", "X"])
async def test_new_call_needs_a_new_name_of_the_right_kind(house: SignalHouse, callsid: str) -> None:
    async with house.page() as page:
        await page.listen()
        await call(house, page, callsid="TJS")
        await page.say("invite", callsid=callsid, sdp=page_sdp(), twilio={})
        assert await page.hear_error() == 31400


@pytest.mark.parametrize(
    "params", ["&".join(f"a{n}=1" for n in range(101)), "a=" + "x" * 4096, "a=" + "%41" * 5000]
)
async def test_too_many_parameters_are_refused(house: SignalHouse, params: str) -> None:
    async with house.page() as page:
        await page.listen()
        await page.say("invite", callsid=TEMPORARY_SID, sdp=page_sdp(), twilio={"params": params})
        assert (await page.hear("hangup"))["error"]["code"] == 31103


async def test_fault_of_ours_ends_the_call_and_not_the_socket(house: SignalHouse) -> None:
    def fail(invite: BrowserInvite) -> None:
        raise RuntimeError("a fault of ours")

    house.sdk._exchange._on_invite = fail
    async with house.page() as page:
        await page.listen()
        await page.say("invite", callsid=TEMPORARY_SID, sdp=page_sdp(), twilio={})
        assert (await page.hear("hangup"))["error"]["code"] == 31000
        await page.silent()


async def test_calls_that_wait_are_bounded_in_all_and_by_source() -> None:
    for limits in (Limits(pending_invites=2), Limits(pending_invites_per_source=2)):
        async with open_house(VoiceSDKSettings(limits=limits)) as house, house.page() as page:
            await page.listen()
            first = await call(house, page, callsid="TJS1")
            await call(house, page, callsid="TJS2")
            await page.say("invite", callsid="TJS3", sdp=page_sdp(), twilio={})
            assert (await page.hear("hangup"))["error"]["code"] == 31480
            first.call_sid = CALL_SID
            await first.answer(b"v=0")
            await page.hear("answer")
            await call(house, page, callsid="TJS4")


async def test_one_socket_makes_so_many_calls_a_minute() -> None:
    limits = Limits(invites_per_minute=3)
    async with open_house(VoiceSDKSettings(limits=limits)) as house, house.page() as page:
        await page.listen()
        for number in range(3):
            (await call(house, page, callsid=f"TJS{number}")).reject(486)
            await page.hear("hangup")
        await page.say("invite", callsid="TJS9", sdp=page_sdp(), twilio={})
        assert (await page.hear("hangup"))["error"]["code"] == 31206


async def test_one_socket_restarts_ice_so_many_times_a_minute() -> None:
    limits = Limits(invites_per_minute=3)
    async with open_house(VoiceSDKSettings(limits=limits)) as house, house.page() as page:
        await page.listen()
        invite, _ = await answered(house, page)
        offers: list[bytes | None] = []
        invite.session.on_offer = lambda offer: offers.append(offer) or b"v=0"
        for number in range(2):
            await page.say("reinvite", callsid=CALL_SID, sdp=page_sdp(f"again{number}"))
            await page.hear("answer")
        await page.say("reinvite", callsid=CALL_SID, sdp=page_sdp("once-more"))
        assert await page.hear_error() == 31206
        assert len(offers) == 2


async def test_one_socket_has_so_many_calls_at_once() -> None:
    limits = Limits(calls_per_socket=2)
    async with open_house(VoiceSDKSettings(limits=limits)) as house, house.page() as page:
        await page.listen()
        for number in range(2):
            await call(house, page, callsid=f"TJS{number}")
        await page.say("invite", callsid="TJS9", sdp=page_sdp(), twilio={})
        assert (await page.hear("hangup"))["error"]["code"] == 31206


async def test_messages_of_the_user_are_refused(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        await answered(house, page)
        await page.say("message", callsid=CALL_SID, content="{}", contenttype="application/json",
                       messagetype="user-defined-message", voiceeventsid="KX1")  # fmt: skip
        payload = await page.hear("error")
        assert (payload["callsid"], payload["voiceeventsid"]) == (CALL_SID, "KX1")
        assert payload["error"]["code"] == 31404


class TestSocketIsGone:
    """The call lives on for a grace, and only its own page gets at it again."""

    async def test_call_before_its_answer_is_over(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen()
            invite = await call(house, page)
            page.drop()
            assert (await invite.session.wait_ended()).cause == "cancel"

    async def test_answered_call_is_over_after_the_grace(self) -> None:
        async with open_house(VoiceSDKSettings(grace_s=0.05)) as house, house.page() as page:
            await page.listen()
            invite, _ = await answered(house, page)
            page.drop()
            assert (await invite.session.wait_ended()).cause == "timeout"

    async def test_page_comes_back_and_nothing_is_negotiated(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen()
            invite, token = await answered(house, page)
            page.drop()
        async with house.page() as again:
            await again.listen()
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            assert await again.hear("answer") == {"callsid": CALL_SID, "reconnect": token}
            await invite.session.hang_up()
            assert await again.hear("hangup") == {"callsid": CALL_SID}

    async def test_page_comes_back_before_we_know_that_it_was_gone(self, house: SignalHouse) -> None:
        async with house.page() as page, house.page() as again:
            await page.listen()
            invite, token = await answered(house, page)
            await again.listen()
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            await again.hear("answer")
            assert await page.hear("hangup") == {"callsid": CALL_SID}
            await page.say("hangup", callsid=CALL_SID)  # it has no call any more
            await page.silent()
            page.drop()
            assert not invite.session.ended.is_set()
            await again.say("hangup", callsid=CALL_SID)
            assert (await invite.session.wait_ended()).cause == "bye"

    async def test_renewed_token_has_the_page_attach_again_on_the_same_socket(
        self, house: SignalHouse
    ) -> None:
        async with house.page() as page:
            await page.listen()
            invite, token = await answered(house, page)
            await page.listen(make_token(ttl_s=7200))
            await page.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            assert await page.hear("answer") == {"callsid": CALL_SID, "reconnect": token}
            await page.silent()
            assert not invite.session.ended.is_set()

    async def test_ice_restart_that_got_lost_is_made_up_for(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen()
            invite, token = await answered(house, page)
            page.drop()
        invite.session.on_offer = lambda offer: b"v=0 restarted"
        async with house.page() as again:
            await again.listen()
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp("newer"), twilio={})
            assert (await again.hear("answer"))["sdp"] == "v=0 restarted"

    async def test_another_page_takes_the_call_over_with_its_own_sound(self, house: SignalHouse) -> None:
        async with house.page() as page, house.page() as other:
            await page.listen()
            invite, token = await answered(house, page)
            invite.session.on_offer = lambda offer: b"v=0 for the other"
            await other.listen()
            sdp = page_sdp("other", OTHER_CERTIFICATE)
            await other.say("invite", callsid=CALL_SID, reconnect=token, sdp=sdp, twilio={})
            assert (await other.hear("answer"))["sdp"] == "v=0 for the other"
            assert await page.hear("hangup") == {"callsid": CALL_SID}

    async def test_what_was_said_meanwhile_counts(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen()
            invite, _ = await answered(house, page)
            page.drop()
        async with house.page() as again:
            await again.say("listen", token=make_token())
            await again.say("hangup", callsid=CALL_SID)
            assert (await invite.session.wait_ended()).cause == "bye"

    async def test_call_that_is_over_cannot_be_attached(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen()
            invite, token = await answered(house, page)
            await invite.session.hang_up()
            await page.hear("hangup")
            await page.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            payload = await page.hear("hangup")
            assert (payload["callsid"], payload["error"]["code"]) == (CALL_SID, 31209)

    async def test_page_asks_for_a_longer_grace_and_gets_it(self) -> None:
        async with open_house(VoiceSDKSettings(grace_s=0.0)) as house, house.page() as page:
            await page.listen(reconnectTimeout=29)
            invite, token = await answered(house, page)
            page.drop()
            async with house.page() as again:
                await again.listen()
                await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
                await again.hear("answer")
            assert not invite.session.ended.is_set()
