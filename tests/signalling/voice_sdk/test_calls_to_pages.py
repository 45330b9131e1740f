"""An identity is rung: invite, answer, reject, cancel; several pages; pages that come and go meanwhile."""

import asyncio
from typing import Any

import pytest
from tests.harness.signal_house import (
    ACCOUNT_SID,
    CALL_SID,
    OTHER_CERTIFICATE,
    Page,
    SignalHouse,
    make_token,
    open_house,
    page_sdp,
)

from townhall.signalling import InviteFailed, OfferRejected
from townhall.signalling.voice_sdk import BrowserRinging, Limits, VoiceSDKSettings


def ring(house: SignalHouse, identity: str = "alice", **more: Any) -> BrowserRinging:
    return house.sdk.ring(
        identity,
        b"v=0 offer",
        **{
            "call_sid": CALL_SID,
            "from_": "client:bob",
            "to": "client:alice",
            "account_sid": ACCOUNT_SID,
            "timeout_s": 60.0,
            **more,
        },
    )


async def failure(session: BrowserRinging) -> tuple[int, str]:
    with pytest.raises(InviteFailed) as failed:
        await session.answered()
    return failed.value.status, (await session.wait_ended()).cause


async def test_page_is_told_of_the_call_and_its_answer_is_ours(house: SignalHouse) -> None:
    rings = asyncio.Event()
    async with house.registered() as page:
        session = ring(house, parameters=(("display name", "Al B"), ("x", "1+1&")), on_provisional=rings.set)
        payload = await page.hear("invite")
        assert payload["callsid"] == CALL_SID
        assert payload["sdp"] == "v=0 offer"
        assert payload["parameters"] == {
            "CallSid": CALL_SID,
            "AccountSid": ACCOUNT_SID,
            "From": "client:bob",
            "To": "client:alice",
            "ApiVersion": "2010-04-01",
            "Params": "display name=Al%20B&x=1%2B1%26",
        }
        assert payload["reconnect"]
        assert rings.is_set()
        await page.say("answer", callsid=CALL_SID, sdp=page_sdp())
        assert await session.answered() == page_sdp().encode()
        assert session.remote_uri == "client:alice"
        await page.say("hangup", callsid=CALL_SID)
        assert (await session.wait_ended()).cause == "bye"


async def test_call_without_parameters_has_none(house: SignalHouse) -> None:
    async with house.registered() as page:
        ring(house)
        assert "Params" not in (await page.hear("invite"))["parameters"]


async def test_nobody_there_fails_at_once(house: SignalHouse) -> None:
    assert house.sdk.devices("alice") == 0
    assert await failure(ring(house)) == (480, "error")


@pytest.mark.parametrize("state", ["listening", "unregistered", "not allowed", "gone"])
async def test_page_that_does_not_want_calls_gets_none(house: SignalHouse, state: str) -> None:
    async with house.page() as page:
        await page.listen(make_token(incoming=state != "not allowed"))
        if state != "listening":
            await page.register()
        if state == "unregistered":
            await page.say("register", media={"audio": False})
            await page.hear("offline")
        if state == "gone":
            await page.socket.close()
            await house.left("alice")
        assert house.sdk.devices("alice") == 0
        assert (await failure(ring(house)))[0] == 480


async def test_registering_again_counts_once(house: SignalHouse) -> None:
    async with house.registered() as page:
        await page.register()
        assert house.sdk.devices("alice") == 1
        assert house.sdk.devices("bob") == 0
        assert house.sdk.local_addresses("alice") == ["127.0.0.1"]


async def test_page_that_rejects_is_busy(house: SignalHouse) -> None:
    async with house.registered() as page:
        session = ring(house)
        await page.hear("invite")
        await page.say("reject", callsid=CALL_SID)
        assert await failure(session) == (486, "error")
        await page.silent()


async def test_call_given_up_is_cancelled(house: SignalHouse) -> None:
    async with house.registered() as page:
        session = ring(house)
        await page.hear("invite")
        await session.hang_up()
        assert await page.hear("cancel") == {"callsid": CALL_SID}
        assert await failure(session) == (487, "local")


async def test_nobody_answers_in_time(house: SignalHouse) -> None:
    async with house.registered() as page:
        session = ring(house, timeout_s=0.05)
        await page.hear("invite")
        await page.hear("cancel")
        assert await failure(session) == (408, "error")


async def test_answer_that_comes_too_late_is_told_so(house: SignalHouse) -> None:
    async with house.registered() as page:
        session = ring(house)
        await page.hear("invite")
        await session.hang_up()
        await page.hear("cancel")
        await page.say("answer", callsid=CALL_SID, sdp=page_sdp())
        payload = await page.hear("hangup")
        assert (payload["callsid"], payload["error"]["code"]) == (CALL_SID, 31008)


class TestSeveralPages:
    async def test_first_answer_wins_and_the_others_stop_ringing(self, house: SignalHouse) -> None:
        async with house.registered() as first, house.registered() as second, house.registered() as third:
            session = ring(house)
            for page in (first, second, third):
                await page.hear("invite")
            await second.say("answer", callsid=CALL_SID, sdp=page_sdp())
            assert await session.answered() == page_sdp().encode()
            for page in (first, third):
                assert await page.hear("cancel") == {"callsid": CALL_SID}
            await first.say("answer", callsid=CALL_SID, sdp=page_sdp("other"))
            assert (await first.hear("hangup"))["error"]["code"] == 31008
            await third.say("hangup", callsid=CALL_SID)
            await third.silent()
            await session.hang_up()
            assert await second.hear("hangup") == {"callsid": CALL_SID}
            await first.silent()

    async def test_one_rejects_and_the_others_ring_on(self, house: SignalHouse) -> None:
        async with house.registered() as first, house.registered() as second:
            session = ring(house)
            await first.hear("invite")
            await second.hear("invite")
            await first.say("reject", callsid=CALL_SID)
            await second.say("answer", callsid=CALL_SID, sdp=page_sdp())
            assert await session.answered()
            await first.silent()

    async def test_page_that_has_rejected_and_registers_anew_is_left_alone(self, house: SignalHouse) -> None:
        async with house.registered() as first, house.registered() as second:
            session = ring(house)
            await first.hear("invite")
            await second.hear("invite")
            await first.say("reject", callsid=CALL_SID)
            await first.register()
            await first.silent()
            await second.say("reject", callsid=CALL_SID)
            assert await failure(session) == (486, "error")

    async def test_only_the_last_registered_are_rung(self) -> None:
        settings = VoiceSDKSettings(limits=Limits(devices_rung=2))
        async with open_house(settings) as house, house.registered() as oldest:
            async with house.registered() as second, house.registered() as third:
                session = ring(house)
                await second.hear("invite")
                await third.hear("invite")
                await session.hang_up()
            await oldest.silent()

    async def test_other_identities_hear_nothing(self, house: SignalHouse) -> None:
        async with house.registered("alice") as alice, house.registered("bob") as bob:
            session = ring(house, "bob", to="client:bob")
            await bob.hear("invite")
            for kind in ("answer", "reject", "hangup", "reinvite"):
                await alice.say(kind, callsid=CALL_SID, sdp=page_sdp())
            assert (await alice.hear("hangup"))["error"]["code"] == 31008  # to its answer
            await alice.silent()
            await bob.say("answer", callsid=CALL_SID, sdp=page_sdp())
            await session.answered()


class TestPagesComeAndGo:
    async def test_page_that_registers_meanwhile_rings_too(self, house: SignalHouse) -> None:
        async with house.registered() as first:
            session = ring(house)
            await first.hear("invite")
            async with house.registered() as second:
                await second.hear("invite")
                await second.say("answer", callsid=CALL_SID, sdp=page_sdp())
                await session.answered()
                await first.hear("cancel")

    async def test_page_that_comes_late_rings_only_where_there_is_room(self) -> None:
        settings = VoiceSDKSettings(limits=Limits(devices_rung=1))
        async with open_house(settings) as house, house.registered() as first:
            session = ring(house)
            await first.hear("invite")
            async with house.registered() as second:
                await second.silent()
                await first.say("reject", callsid=CALL_SID)
                assert await failure(session) == (486, "error")
                await second.silent()

    async def test_page_loaded_anew_rings_again(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            session = ring(house)
            await page.hear("invite")
            page.drop()
            await house.left("alice")
        async with house.registered() as again:
            await again.hear("invite")
            await again.say("reject", callsid=CALL_SID)
            assert await failure(session) == (486, "error")

    async def test_nobody_comes_back(self) -> None:
        async with open_house(VoiceSDKSettings(alone_s=0.02)) as house, house.registered() as page:
            session = ring(house)
            await page.hear("invite")
            page.drop()
            assert await failure(session) == (480, "error")

    async def test_answer_that_was_lost_with_the_socket_comes_with_the_next(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            session = ring(house)
            token = (await page.hear("invite"))["reconnect"]
            page.drop()
            await house.left("alice")
        async with house.page() as again:
            await again.listen()
            answer = page_sdp() + "a=setup:active\r\n"
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=answer, twilio={})
            assert await again.hear("answer") == {"callsid": CALL_SID, "reconnect": token}
            assert await session.answered() == answer.encode()

    async def test_answer_that_comes_by_the_next_socket_counts(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            session = ring(house)
            token = (await page.hear("invite"))["reconnect"]
            page.drop()
            await house.left("alice")
        async with house.page() as again:
            await again.say("listen", token=make_token())
            await again.say("answer", callsid=CALL_SID, sdp=page_sdp())
            await again.hear("connected")
            assert await session.answered() == page_sdp().encode()
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            assert await again.hear("answer") == {"callsid": CALL_SID, "reconnect": token}

    async def test_answered_call_survives_its_socket(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            session = ring(house)
            token = (await page.hear("invite"))["reconnect"]
            await page.say("answer", callsid=CALL_SID, sdp=page_sdp())
            await session.answered()
            page.drop()
            await house.left("alice")
        async with house.page() as again:
            await again.listen()
            await again.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            await again.hear("answer")
            await again.say("hangup", callsid=CALL_SID)
            assert (await session.wait_ended()).cause == "bye"


class TestConnectToken:
    """A page hands the call that rings to another one, which takes it with an offer of its own."""

    async def take(self, page: Page, token: str) -> None:
        sdp = page_sdp("other", OTHER_CERTIFICATE)
        await page.say("invite", callsid=CALL_SID, reconnect=token, sdp=sdp, twilio={})

    async def test_other_page_takes_the_call_that_rings(self, house: SignalHouse) -> None:
        async with house.registered() as page, house.page() as other:
            session = ring(house)
            session.on_offer = lambda offer: b"v=0 answer"
            token = (await page.hear("invite"))["reconnect"]
            await other.listen()
            await self.take(other, token)
            payload = await other.hear("answer")
            assert (payload["callsid"], payload["sdp"]) == (CALL_SID, "v=0 answer")
            assert await session.answered() == b""
            assert await page.hear("cancel") == {"callsid": CALL_SID}
            await session.hang_up()
            await other.hear("hangup")

    async def test_offer_that_does_not_fit_leaves_it_ringing(self, house: SignalHouse) -> None:
        def refuse(offer: bytes | None) -> bytes:
            raise OfferRejected(488, "No audio")

        async with house.registered() as page, house.page() as other:
            session = ring(house)
            session.on_offer = refuse
            token = (await page.hear("invite"))["reconnect"]
            await other.listen()
            await self.take(other, token)
            assert (await other.hear("hangup"))["error"] == {"code": 31400, "message": "No audio"}
            await page.say("answer", callsid=CALL_SID, sdp=page_sdp())
            assert await session.answered() == page_sdp().encode()
