"""Registering at a trunk, and asking it for signs of life, between two user agents."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from townhall.signalling import IncomingInvite, TimerValues, UserAgent, UserAgentSettings
from townhall.signalling import registration as registering
from townhall.signalling.registration import Registration, RegistrationSettings
from townhall.sip.hop import Hop
from townhall.sip.outside import RequestPlan

AOR = "sip:account@carrier"


def nobody(invite: IncomingInvite) -> None:
    invite.reject(486)


@pytest.fixture
async def agent() -> AsyncIterator[UserAgent]:
    agent = UserAgent(UserAgentSettings(port=0), nobody)
    await agent.start()
    yield agent
    await agent.stop()


@pytest.fixture
async def hasty() -> AsyncIterator[UserAgent]:
    """One that soon gives up waiting for a response: for those that never come."""
    hasty = UserAgent(UserAgentSettings(port=0, timers=TimerValues(t1=0.02)), nobody)
    await hasty.start()
    yield hasty
    await hasty.stop()


@pytest.fixture
async def carrier() -> AsyncIterator[UserAgent]:
    passwords = {"account": "secret"}
    carrier = UserAgent(UserAgentSettings(port=0, credentials=passwords.get), nobody)
    await carrier.start()
    yield carrier
    await carrier.stop()


def uri_of(agent: UserAgent) -> str:
    _, host, port = agent.addresses[0]
    return f"sip:{host}:{port}"


async def told(registration_of: UserAgent, settings: RegistrationSettings) -> tuple[bool, str]:
    """What a registration that has just been begun tells first."""
    heard: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    registration = Registration(registration_of, settings, lambda *news: heard.put_nowait(news))
    keeping = asyncio.create_task(registration.run())
    try:
        return await heard.get()
    finally:
        keeping.cancel()


async def test_registration_answers_the_challenge_and_is_known(agent: UserAgent, carrier: UserAgent) -> None:
    settings = RegistrationSettings(uri_of(carrier), "account", "secret", "carrier")
    assert await told(agent, settings) == (True, "registered")
    (binding,) = carrier.registrar.bindings(AOR)
    assert (binding.uri.user, binding.hop.port) == ("account", agent.addresses[0][2])


async def test_wrong_password_is_told_and_tried_again_later(
    agent: UserAgent, carrier: UserAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "FIRST_PAUSE_S", 0.01)
    heard: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    settings = RegistrationSettings(uri_of(carrier), "account", "wrong", "carrier")
    keeping = asyncio.create_task(Registration(agent, settings, lambda *news: heard.put_nowait(news)).run())
    assert await heard.get() == (False, "REGISTER was answered 401 Unauthorized")
    assert (await heard.get())[0] is False
    keeping.cancel()


async def test_interval_too_brief_is_asked_for_longer(
    agent: UserAgent, carrier: UserAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registering, "EXPIRES_S", 5)
    settings = RegistrationSettings(uri_of(carrier), "account", "secret", "carrier")
    assert await told(agent, settings) == (True, "registered")


async def test_registrar_that_is_not_there_is_told(hasty: UserAgent) -> None:
    settings = RegistrationSettings("sip:127.0.0.1:9", "account", "secret", "carrier")
    assert await told(hasty, settings) == (False, "no answer to REGISTER")


async def test_leaving_takes_the_registration_back(agent: UserAgent, carrier: UserAgent) -> None:
    heard: asyncio.Queue[tuple[bool, str]] = asyncio.Queue()
    settings = RegistrationSettings(uri_of(carrier), "account", "secret", "carrier")
    registration = Registration(agent, settings, lambda *news: heard.put_nowait(news))
    keeping = asyncio.create_task(registration.run())
    await heard.get()
    keeping.cancel()
    await registration.leave()
    assert carrier.registrar.bindings(AOR) == []


async def test_options_are_answered_by_who_is_there(agent: UserAgent, carrier: UserAgent) -> None:
    hop = await agent.first_hop(uri_of(carrier))
    response, _ = await agent.ask(RequestPlan("OPTIONS", uri_of(carrier), "sip:us@here", hop))
    assert response is not None
    assert (response.status, "INVITE" in (response.headers.get("Allow") or "")) == (200, True)


async def test_options_to_nobody_have_no_response(hasty: UserAgent) -> None:
    hop = Hop("udp", "127.0.0.1", 9, ("127.0.0.1", hasty.addresses[0][2]))
    response, _ = await hasty.ask(RequestPlan("OPTIONS", "sip:127.0.0.1:9", "sip:us@here", hop))
    assert response is None
