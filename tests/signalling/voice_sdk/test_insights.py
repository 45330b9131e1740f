"""The event gateway takes what the SDK sends, from any page, and keeps nothing."""

from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from townhall.signalling.voice_sdk import is_insights
from townhall.signalling.voice_sdk.insights import LARGEST_BODY, Insights


async def ask(method: str, url: str, body: bytes = b"") -> Response:
    transport = ASGITransport(app=Insights())
    async with AsyncClient(transport=transport, base_url="https://here") as client:
        return await client.request(method, url, content=body, headers={"Origin": "https://page"})


@pytest.mark.parametrize("kind", ["EndpointEvents", "EndpointMetrics"])
@pytest.mark.parametrize("before", ["", "/insights", "/insights?.twilio.com"])
async def test_statistics_are_taken_from_pages_of_any_origin(kind: str, before: str) -> None:
    url = f"{before}/v4/{kind}"
    preflight = await ask("OPTIONS", url)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-headers"] == "content-type, x-twilio-token"
    taken = await ask("POST", url, b'{"name": "x"}')
    assert (taken.status_code, taken.json()) == (200, {})
    assert taken.headers["access-control-allow-origin"] == "*"


async def test_too_much_is_refused() -> None:
    assert (await ask("POST", "/v4/EndpointEvents", b"x" * (LARGEST_BODY + 1))).status_code == 413


@pytest.mark.parametrize(
    ("method", "url", "status"),
    [("GET", "/v4/EndpointEvents", 405), ("POST", "/v4/Other", 404), ("POST", "/", 404)],
)
async def test_everything_else_is_refused(method: str, url: str, status: int) -> None:
    assert (await ask(method, url)).status_code == status


async def test_page_that_goes_away_in_the_middle_is_answered_by_nobody() -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v4/EndpointEvents",
        "query_string": b"",
        "headers": [],
    }
    await Insights()(scope, receive, send)
    assert sent[0]["status"] == 413
    assert not is_insights({**scope, "type": "websocket"})
