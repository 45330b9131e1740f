"""One webhook request with all that belongs to it: tries, redirects, limits (Twilio, "HTTP connection
overrides").
"""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from urllib.parse import urljoin

import httpx2

from townhall.twiml.content import kind_of_answer
from townhall.twiml.control import FetchFailed, Method, Parameters
from townhall.webhooks.cookies import Cookies
from townhall.webhooks.failures import RequestFailed, failure_from, status_failure
from townhall.webhooks.forms import form_encoded
from townhall.webhooks.mounts import MountedTransport
from townhall.webhooks.overrides import Overrides, parse_overrides
from townhall.webhooks.signature import sign
from townhall.webhooks.target import Target, aim, without_credentials
from townhall.webhooks.transport import connections_of

MOST_REDIRECTS = 10
DRAINED_BYTES = 64 * 1024
AUDIO_BYTES = 50 * 1024 * 1024
"""Ours; Twilio says 40 minutes. It holds wherever sound may be answered, in place of a document, too."""
USER_AGENT = "TwilioProxy/1.1"
_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx2.Headers
    body: bytes
    url: str
    """The last one asked, without the parameters that were added."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked for. `most_bytes`: of the answer's body, if it is no sound; None: it does not matter."""

    url: str
    method: Method
    parameters: Parameters
    cookies: Cookies
    most_bytes: int | None
    conditions: Mapping[str, str] = field(default_factory=dict)
    """`If-None-Match` and the like; with them a 304 is an answer."""
    idempotency_token: str | None = None


class Exchange:
    """Carries out an `Ask`. `transport_for` finds the transport of a URL: a mount, or the network."""

    def __init__(
        self, ask: Ask, auth_token: str, transport_for: Callable[[str], httpx2.AsyncBaseTransport]
    ) -> None:
        self._ask = ask
        self._auth_token = auth_token
        self._transport_for = transport_for
        self._idempotency_token = ask.idempotency_token or str(uuid.uuid4())

    async def run(self) -> Answer:
        """The answer with its 2xx status (or 304, if conditions were given).

        Raises `FetchFailed` with a URL that holds no password: it goes into logs and to the fallback
        (`ErrorUrl`).
        """
        try:
            return await self._run_in_time()
        except FetchFailed as failure:
            if "@" not in failure.url:
                raise
            raise FetchFailed(failure.code, without_credentials(failure.url), failure.message) from None

    async def _run_in_time(self) -> Answer:
        overrides = parse_overrides(self._ask.url.partition("#")[2].strip(), self._ask.url)
        try:
            async with asyncio.timeout(overrides.total_s):
                return await self._try_repeatedly(overrides)
        except TimeoutError:
            raise FetchFailed(
                11203, self._ask.url, f"no complete answer within {overrides.total_s:g} s"
            ) from None

    async def _try_repeatedly(self, overrides: Overrides) -> Answer:
        for _ in range(overrides.retries):
            try:
                return await self._follow(overrides)
            except RequestFailed as failure:
                if failure.policy not in overrides.policies:
                    raise
        return await self._follow(overrides)

    async def _follow(self, overrides: Overrides) -> Answer:
        """One try: the request and its redirects."""
        ask = self._ask
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._request_kept(aim(ask.url, ask.method, ask.parameters), ask, overrides)
            if answer.status in _REDIRECTS:
                ask = _redirected(ask, answer)
            elif 200 <= answer.status < 300 or (answer.status == 304 and ask.conditions):
                return answer
            else:
                failure = status_failure(answer.status, answer.url)
                failure.headers, failure.body = tuple(answer.headers.items()), answer.body
                raise failure
        raise FetchFailed(11215, self._ask.url, f"more than {MOST_REDIRECTS} redirects")

    async def _request_kept(self, target: Target, ask: Ask, overrides: Overrides) -> Answer:
        """One request; again at once if it met a kept connection in the moment the server closed it."""
        notes: list[str] = []
        token = connections_of.set(notes)
        try:
            return await self._request(target, ask, overrides)
        except RequestFailed as failure:
            if notes != ["sent"] or failure.code != 11205:
                raise
            return await self._request(target, ask, overrides)
        finally:
            connections_of.reset(token)

    async def _request(self, target: Target, ask: Ask, overrides: Overrides) -> Answer:
        try:
            transport = self._transport_for(target.page_url)
            if isinstance(transport, MountedTransport) and not len(ask.cookies):
                return await self._request_inner(transport, target, ask, overrides)
            request = self._build(target, ask, overrides)
            response = await transport.handle_async_request(request)
            notes = connections_of.get()
            if notes is not None:
                notes.append("answered")
            try:
                response.request = request
                ask.cookies.take_from(response)
                body = await _read_body(response, ask.most_bytes, target.page_url)
            finally:
                await response.aclose()
        except FetchFailed:
            raise
        except Exception as error:  # whatever a peer or a mounted application does ends its own request only
            raise failure_from(error, target.page_url) from error
        return Answer(response.status_code, response.headers, body, target.page_url)

    async def _request_inner(
        self, transport: MountedTransport, target: Target, ask: Ask, overrides: Overrides
    ) -> Answer:
        """To an application of ours; it gets and answers the same as over the network."""
        content = form_encoded(target.form) if ask.method == "POST" else b""
        found = await transport.ask(target.signed_url, ask.method, self._headers(target, ask), content)
        headers = _headers_of(tuple(found.headers))
        if "set-cookie" in headers:
            request = self._build(target, ask, overrides)
            ask.cookies.take_from(httpx2.Response(found.status, headers=headers, request=request))
        if ask.most_bytes is None or found.status in _REDIRECTS:
            return Answer(found.status, headers, b"", target.page_url)
        most_bytes = _most_bytes(headers, ask.most_bytes, target.page_url)
        if len(found.body) > most_bytes:
            raise _too_long(target.page_url, most_bytes)
        return Answer(found.status, headers, bytes(found.body), target.page_url)

    def _headers(self, target: Target, ask: Ask) -> dict[str, str]:
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "X-Twilio-Signature": sign(self._auth_token, target.signed_url, target.form),
            "I-Twilio-Idempotency-Token": self._idempotency_token,
            **ask.conditions,
        }
        if target.authorization is not None:
            headers["Authorization"] = target.authorization
        if ask.method == "POST":
            headers["Content-Type"] = _FORM
        return headers

    def _build(self, target: Target, ask: Ask, overrides: Overrides) -> httpx2.Request:
        times = {
            "connect": overrides.connect_s,
            "read": overrides.read_s,
            "write": overrides.read_s,
            "pool": overrides.total_s,
        }
        request = httpx2.Request(
            ask.method,
            target.url,
            headers=self._headers(target, ask),
            content=form_encoded(target.form) if ask.method == "POST" else None,
            extensions={"timeout": times},
        )
        ask.cookies.add_to(request)
        return request


@lru_cache(maxsize=64)
def _headers_of(raw: tuple[tuple[bytes, bytes], ...]) -> httpx2.Headers:
    """Never to be changed; an application of ours answers with the same few all day."""
    return httpx2.Headers(raw)


def _redirected(ask: Ask, answer: Answer) -> Ask:
    """Where a redirect leads: 301 to 303 make it a GET without parameters, 307 and 308 repeat the request."""
    location = answer.headers.get("location", "").strip()
    if not location:
        raise FetchFailed(11216, answer.url, f"status {answer.status} without a Location")
    try:
        url = urljoin(answer.url.partition("#")[0], location)
        aim(url, "GET", ())
    except (ValueError, FetchFailed):
        raise FetchFailed(11216, answer.url, f"status {answer.status} leads to {location[:200]!r}") from None
    if answer.status in (307, 308):
        return replace(ask, url=url, parameters=ask.parameters if ask.method == "POST" else ())
    return replace(ask, url=url, method="GET", parameters=())


async def _read_body(response: httpx2.Response, most_bytes: int | None, url: str) -> bytes:
    if most_bytes is None or response.status_code in _REDIRECTS:
        await _drain(response)
        return b""
    most_bytes = _most_bytes(response.headers, most_bytes, url)
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > most_bytes:
            raise _too_long(url, most_bytes)
        parts.append(part)
    return b"".join(parts)


def _most_bytes(headers: httpx2.Headers, most_bytes: int, url: str) -> int:
    """How long a body may be, from what its headers say; raises `FetchFailed` when they say it all."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise FetchFailed(11206, url, "the answer is compressed, which was not asked for")
    if kind_of_answer(headers.get("content-type", "")) == "audio":
        most_bytes = max(most_bytes, AUDIO_BYTES)
    length = headers.get("content-length", "")
    if length.isdigit() and int(length[:12]) > most_bytes:
        raise FetchFailed(11750, url, f"the answer has {length} bytes, allowed are {most_bytes}")
    return most_bytes


def _too_long(url: str, most_bytes: int) -> FetchFailed:
    return FetchFailed(11750, url, f"the answer has more than the {most_bytes} bytes allowed")


async def _drain(response: httpx2.Response) -> None:
    """Read a body that nobody wants, if it is short: only then can its connection be used again."""
    size = 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > DRAINED_BYTES:
            return
