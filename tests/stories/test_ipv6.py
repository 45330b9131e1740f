"""Phones over IPv6 and IPv4 meet in one conference of one server: signalling and audio both."""

import os
from collections.abc import Iterator

import pytest
from tests.harness.documents import hang_up, role
from tests.harness.numbers import install
from tests.harness.server import TownhallServer, own_address
from tests.harness.story import Story
from tests.harness.webhook import Webhook

from townhall.phone import PhoneSettings
from townhall.phone.settings import Transport


@pytest.fixture(scope="module")
def two_faced_server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    address = own_address()
    # There is only one ::1: every process that tests on it has ports of its own.
    first = 20000 + os.getpid() % 600 * 64
    settings = {
        "bind": f"{address},::1",
        "rtp_ports": f"{first}-{first + 63}",
        "webhook_inner_origins": webhook.url,
    }
    with TownhallServer(directory, address=address, **settings) as server:
        yield server


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_phones_over_ipv6_and_ipv4_hear_each_other(
    two_faced_server: TownhallServer, webhook: Webhook, transport: Transport
) -> None:
    settings = PhoneSettings(transport=transport)
    async with Story(two_faced_server, webhook) as story:
        six = await story.call("six", role("speaker", story.room), settings, address="::1")
        await story.call("four", role("listener", story.room), settings)
        await story.hear({"six": "music", "four": "music"})
        await story.call("chair", role("moderator", story.room), settings, address="::1")
        await story.hear({"six": "chair", "four": "six chair", "chair": "six"})
        assert six.call.agreement.remote[0] == "::1"
        assert story.callers["four"].call.agreement.remote[0] == two_faced_server.address
        await story.callers["chair"].hang_up()
        await story.all_ended("six", "four")


async def test_key_pressed_over_ipv6_arrives(two_faced_server: TownhallServer, webhook: Webhook) -> None:
    async with Story(two_faced_server, webhook) as story:
        story.on("/digits", hang_up())
        gather = f'<Response><Gather numDigits="2" action="{story.url("/digits")}"/></Response>'
        caller = await story.call("caller", gather, address="::1")
        await caller.press("3#")
        request = await story.requested("/digits", "caller")
        assert request.parameters["Digits"] == "3"
        assert request.parameters["From"] == "sip:caller@[::1]"
        await story.all_ended("caller")


async def test_phone_over_ipv6_on_hold_comes_back(two_faced_server: TownhallServer, webhook: Webhook) -> None:
    async with Story(two_faced_server, webhook) as story:
        await story.call("chair", role("moderator", story.room))
        speaker = await story.call("speaker", role("speaker", story.room), address="::1")
        await story.hear({"chair": "speaker", "speaker": "chair"})
        await speaker.call.hold("inactive")
        await story.hear({"chair": "silence", "speaker": "silence"})
        await speaker.call.resume()
        await story.hear({"chair": "speaker", "speaker": "chair"})
