"""Clients that may talk to servers on loopback."""

import pytest

from townhall.webhooks import OriginConsent, WebhookClient

TOKEN = "12345"


@pytest.fixture
async def client():
    made = WebhookClient(TOKEN, OriginConsent(["*"]))
    yield made
    await made.close()
