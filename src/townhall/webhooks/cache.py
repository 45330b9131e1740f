"""Audio files kept on disk as HTTP allows (RFC 9111): max-age, ETag, Last-Modified; the least used goes
first.

A shared cache: answers that are `private`, `no-store` or vary by cookie are not kept. Each entry is one file,
its first line the description in JSON, written aside and renamed, so that a crash leaves no half entry.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import msgspec

from townhall.twiml.control import Page

LONGEST_FRESHNESS_S = 30 * 86_400


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of an entry."""

    url: str
    content_type: str
    etag: str = ""
    last_modified: str = ""
    fresh_until: float = 0.0
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class CachedAudio:
    page: Page
    about: Description
    fresh: bool = field(default=False)

    @classmethod
    def received(cls, page: Page, headers: httpx2.Headers) -> "CachedAudio | None":
        """The entry for an answer, or None when it may not be kept or keeping it gains nothing."""
        control = _cache_control(headers)
        varies = {name.strip().lower() for name in headers.get("vary", "").split(",")}
        if control.keys() & {"no-store", "private"} or varies & {"*", "cookie", "authorization"}:
            return None
        about = Description(
            url=page.url,
            content_type=page.content_type,
            etag=_validator(headers, "etag"),
            last_modified=_validator(headers, "last-modified"),
            fresh_until=time.time() + _freshness_s(headers),
        )
        worth_keeping = about.etag or about.last_modified or about.fresh_until > time.time()
        return cls(page, about) if worth_keeping else None

    @property
    def conditions(self) -> dict[str, str]:
        """The headers that ask whether the entry is still good."""
        conditions = {}
        if self.about.etag:
            conditions["If-None-Match"] = self.about.etag
        if self.about.last_modified:
            conditions["If-Modified-Since"] = self.about.last_modified
        return conditions


class AudioCache:
    """`most_bytes` on disk in `directory`, which is made if it is missing. `clock`: seconds since 1970."""

    def __init__(
        self, directory: Path, most_bytes: int = 500_000_000, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._clock = clock
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}
        directory.mkdir(parents=True, exist_ok=True)
        for path in sorted(directory.glob("*.audio"), key=lambda found: found.stat().st_mtime):
            self._sizes[path.stem] = path.stat().st_size

    @asynccontextmanager
    async def exclusive(self, url: str) -> AsyncIterator[None]:
        """One at a time per URL: a hundred callers who need the same file ask for it once."""
        lock, users = self._locks.get(url, (asyncio.Lock(), 0))
        self._locks[url] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[url]
            if users == 1:
                del self._locks[url]
            else:
                self._locks[url] = (lock, users - 1)

    async def get(self, url: str) -> CachedAudio | None:
        """The entry of a URL, or None; one that can't be read is forgotten."""
        key = _key(url)
        if key not in self._sizes:
            return None
        try:
            raw = await asyncio.to_thread(self._path(key).read_bytes)
            head, _, body = raw.partition(b"\n")
            about = msgspec.json.decode(head, type=Description)
        except (OSError, msgspec.DecodeError):
            self._forget(key)
            return None
        self._sizes.move_to_end(key)
        page = Page(about.url, about.content_type, body)
        return CachedAudio(page, about, fresh=about.fresh_until > self._clock())

    async def put(self, url: str, entry: CachedAudio | None) -> None:
        """Keep an entry, or forget the URL when there is none; with a full disk nothing is kept."""
        key = _key(url)
        if entry is None or len(entry.page.body) > self._most_bytes:
            self._forget(key)
            return
        raw = msgspec.json.encode(entry.about) + b"\n" + entry.page.body
        try:
            await asyncio.to_thread(self._write, key, raw)
        except OSError:
            self._forget(key)
            return
        self._sizes[key] = len(raw)
        self._sizes.move_to_end(key)
        while sum(self._sizes.values()) > self._most_bytes and len(self._sizes) > 1:
            self._forget(next(iter(self._sizes)))

    async def renew(self, url: str, headers: httpx2.Headers) -> None:
        """The server said 304: the entry is good for as long as it says."""
        entry = await self.get(url)
        if entry is not None:
            about = msgspec.structs.replace(entry.about, fresh_until=self._clock() + _freshness_s(headers))
            if about.fresh_until > self._clock():
                await self.put(url, replace(entry, about=about))

    def _write(self, key: str, raw: bytes) -> None:
        aside = self._directory / f"{key}.part"
        aside.write_bytes(raw)
        aside.replace(self._path(key))

    def _forget(self, key: str) -> None:
        self._sizes.pop(key, None)
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.audio"


def _key(url: str) -> str:
    return hashlib.sha256(url.partition("#")[0].encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _validator(headers: httpx2.Headers, name: str) -> str:
    """A header that is sent back as it came; what could not be sent is as good as absent."""
    value = headers.get(name, "")
    return value if value.isascii() and value.isprintable() and len(value) <= 1000 else ""


def _cache_control(headers: httpx2.Headers) -> dict[str, str]:
    directives = {}
    for directive in headers.get("cache-control", "").split(","):
        name, _, value = directive.strip().partition("=")
        directives[name.lower()] = value.strip('"')
    return directives


def _freshness_s(headers: httpx2.Headers) -> float:
    """How long an answer may be used unasked; `Expires` is not read, who means it sends max-age today."""
    control = _cache_control(headers)
    if "no-cache" in control:
        return 0.0
    seconds = control.get("s-maxage", control.get("max-age", ""))
    age = headers.get("age", "0")
    if not (seconds.isascii() and seconds.isdigit()):
        return 0.0
    used = int(age[:9]) if age.isascii() and age.isdigit() else 0
    return float(max(0, min(int(seconds[:9]), LONGEST_FRESHNESS_S) - used))
