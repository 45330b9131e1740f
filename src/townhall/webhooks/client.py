"""The client for all of the server's requests to webhooks: documents, audio files, status callbacks."""

import contextlib
import ssl
import time
from collections.abc import Mapping
from typing import Any

import httpx2

from townhall.twiml.content import AUDIO_TYPES, media_type
from townhall.twiml.control import FetchFailed, Method, Page, Parameters
from townhall.twiml.limits import DOCUMENT_BYTES
from townhall.webhooks.cache import AudioCache, CachedAudio
from townhall.webhooks.consent import OriginConsent
from townhall.webhooks.cookies import Cookies
from townhall.webhooks.exchange import AUDIO_BYTES, Answer, Ask, Exchange
from townhall.webhooks.failures import RequestFailed
from townhall.webhooks.mounts import MountedTransport
from townhall.webhooks.target import without_credentials
from townhall.webhooks.transport import CheckedTransport
from townhall.webhooks.watching import Exchanged, Watch

_OPAQUE_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream"})
"""Types that say nothing: the decoder finds out."""


class WebhookClient:
    """Signed requests for all calls. `mounts` are our own applications: base URL → ASGI application.

    `ssl_context` replaces the system's trusted authorities, `cache` keeps audio files. `close()` when done.
    """

    def __init__(
        self,
        auth_token: str,
        consent: OriginConsent | None = None,
        mounts: Mapping[str, Any] | None = None,
        cache: AudioCache | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._auth_token = auth_token
        self._consent = consent or OriginConsent()
        self._network = CheckedTransport(self._consent, ssl_context)
        self._mounts = {base.rstrip("/"): MountedTransport(app) for base, app in (mounts or {}).items()}
        self._cache = cache
        self.watch: Watch | None = None
        """Told of every request of a document or a callback when it is over."""

    async def close(self) -> None:
        await self._network.aclose()

    async def fetch(self, url: str, method: Method, parameters: Parameters, cookies: Cookies) -> Page:
        """Request a document. Raises `FetchFailed` with Twilio's number, the URL and what happened."""
        return _page(await self._run_watched(Ask(url, method, parameters, cookies, DOCUMENT_BYTES)))

    async def notify(
        self, url: str, method: Method, parameters: Parameters, idempotency_token: str | None = None
    ) -> None:
        """Send a status callback; the answer's body is ignored. Raises `FetchFailed`.

        `idempotency_token` is for a callback that was tried before; without it there is a fresh one.
        """
        ask = Ask(url, method, parameters, Cookies(), None, idempotency_token=idempotency_token)
        await self._run_watched(ask)

    def consent(self, url: str) -> None:
        """Consent to the origin of a URL, if it is one."""
        with contextlib.suppress(ValueError):
            self._consent.allow(url)

    def consents(self, url: str) -> bool:
        """Whether the origin of a URL may have any address."""
        try:
            return self._consent.covers_url(url)
        except ValueError:
            return False

    async def fetch_audio(self, url: str, cookies: Cookies) -> Page:
        """An audio file by GET, cached as HTTP allows; raises `FetchFailed` (12300: no audio)."""
        if self._cache is None:
            return _audio_page(await self._run(Ask(url, "GET", (), cookies, AUDIO_BYTES)))
        async with self._cache.exclusive(url):
            return await self._fetch_cached(self._cache, url, cookies)

    async def _fetch_cached(self, cache: AudioCache, url: str, cookies: Cookies) -> Page:
        known = await cache.get(url)
        if known is not None and known.fresh:
            return known.page
        conditions = {} if known is None else known.conditions
        answer = await self._run(Ask(url, "GET", (), cookies, AUDIO_BYTES, conditions))
        if answer.status == 304 and known is not None:
            await cache.renew(url, answer.headers)
            return known.page
        page = _audio_page(answer)
        await cache.put(url, CachedAudio.received(page, answer.headers))
        return page

    async def _run_watched(self, ask: Ask) -> Answer:
        began = time.monotonic()
        try:
            answer = await self._run(ask)
        except FetchFailed as failure:
            self._tell(ask, began, failure=failure)
            raise
        self._tell(ask, began, answer=answer)
        return answer

    def _tell(
        self, ask: Ask, began: float, *, answer: Answer | None = None, failure: FetchFailed | None = None
    ) -> None:
        if self.watch is None:
            return
        status: int | None = None
        headers: tuple[tuple[str, str], ...] = ()
        body = b""
        if answer is not None:
            status, headers, body = answer.status, tuple(answer.headers.items()), answer.body
        elif isinstance(failure, RequestFailed):
            status, headers, body = failure.status, failure.headers, failure.body
        url, error = without_credentials(ask.url), str(failure) if failure else None
        duration_s = time.monotonic() - began
        self.watch(Exchanged(url, ask.method, ask.parameters, status, headers, body, error, duration_s))

    async def _run(self, ask: Ask) -> Answer:
        return await Exchange(ask, self._auth_token, self._transport_for).run()

    def _transport_for(self, url: str) -> httpx2.AsyncBaseTransport:
        for base, transport in self._mounts.items():
            if url.startswith(base) and url[len(base) : len(base) + 1] in ("", "/", "?", "#"):
                return transport
        return self._network


def _page(answer: Answer) -> Page:
    return Page(answer.url, answer.headers.get("content-type", ""), answer.body)


def _audio_page(answer: Answer) -> Page:
    page = _page(answer)
    found = media_type(page.content_type)
    if found not in AUDIO_TYPES | _OPAQUE_TYPES:
        raise FetchFailed(
            12300, page.url, f"read {found!r}, expected an audio type such as audio/mpeg or audio/wav"
        )
    return page
