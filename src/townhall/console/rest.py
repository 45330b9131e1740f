"""Twilio's REST API through the official package, over an HTTP client that is given.

`twilio` addresses `https://api.twilio.com`; for Townhall the same paths stand below another address, so the
adapter exchanges the origin. The HTTP client's transport may hand requests to an application in the same
process, or reach the network.
"""

import asyncio
import logging
from typing import Any

import httpx2
from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client

log = logging.getLogger(__name__)

TWILIO_API = "https://api.twilio.com"
TIMEOUT_S = 15.0
MOST_TRIES = 5
LONGEST_PAUSE_S = 5.0


class EngineError(Exception):
    """The REST API could not be asked: no connection, no answer in time, an answer that is none."""


class AdaptedClient(AsyncHttpClient):  # type: ignore[misc]  # the package has no types
    """`twilio`'s HTTP client on an `httpx2.AsyncClient`.

    A request that came too early (429) is made again when the answer says so: moderating 2,000 people is more
    than an API takes in a second.
    """

    def __init__(self, http: httpx2.AsyncClient, api_url: str = TWILIO_API) -> None:
        super().__init__(logging.getLogger(f"{__name__}.requests"), is_async=True, timeout=TIMEOUT_S)
        self._http = http
        self._api_url = api_url.rstrip("/")

    async def request(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        response = await self.send(method, uri, params, data, headers, auth, timeout)
        return Response(response.status_code, response.text, response.headers)

    async def send(
        self,
        method: str,
        uri: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx2.Response:
        """As `request`, with the answer's bytes; raises `EngineError`."""
        url = self._api_url + uri.removeprefix(TWILIO_API)
        tries = 0
        while True:
            tries += 1
            try:
                response = await self._http.request(
                    method,
                    url,
                    params=params or None,
                    data=data or None,
                    headers=headers,
                    auth=auth,
                    timeout=timeout or TIMEOUT_S,
                )
            except httpx2.HTTPError as error:
                raise EngineError(f"the REST API did not answer ({type(error).__name__})") from error
            if response.status_code != 429 or tries >= MOST_TRIES:
                return response
            await asyncio.sleep(_pause_s(response, tries))


def _pause_s(response: httpx2.Response, tries: int) -> float:
    asked = response.headers.get("retry-after", "")
    return min(float(asked) if asked.isdecimal() else 0.25 * 2**tries, LONGEST_PAUSE_S)


def rest_client(
    http: httpx2.AsyncClient,
    *,
    account_sid: str,
    user: str,
    password: str,
    api_url: str = TWILIO_API,
) -> Client:
    """The official client. `user`: an API key's SID (with its secret) or the account's (with its token)."""
    return Client(user, password, account_sid, http_client=AdaptedClient(http, api_url))


__all__ = ["TWILIO_API", "AdaptedClient", "EngineError", "TwilioException", "rest_client"]
