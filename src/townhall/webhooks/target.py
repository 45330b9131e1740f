"""A webhook's URL taken apart: what is requested, what is signed, and who we say we are."""

import base64
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import quote, unquote, urlencode, urlsplit

import httpx2

from townhall.twiml.control import FetchFailed, Method, Parameters

_KEPT = "%!#$&'()*+,/:;=?@[]~"
"""Characters of a path or query that stay as they are written."""

_LEFT_BARE = ":@/?!$'()*,"
"""Characters of added parameters that need no escape in a query. Werkzeug's `request.url`, which Flask
applications validate signatures with, shows them bare, so `From=sip%3Aalice%40host` would not match what was
signed.
"""


@dataclass(frozen=True, slots=True)
class Target:
    url: httpx2.URL
    """What is requested; a GET request's parameters are in its query."""
    signed_url: str
    page_url: str
    """The URL without the parameters that were added: the base of relative URLs."""
    form: tuple[tuple[str, str], ...]
    """What is posted."""
    authorization: str | None


def aim(url: str, method: Method, parameters: Parameters) -> Target:
    """Prepare a request; raises `FetchFailed` (11100 for what is no http URL)."""
    if method == "POST":
        target = _posted(url)
        return replace(target, form=tuple(parameters)) if parameters else target
    return _aim(url, tuple(parameters))


def _aim(url: str, added_to_query: tuple[tuple[str, str], ...]) -> Target:
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("expected http or https and a host")
        path = quote(parts.path or "/", safe=_KEPT)
        query = quote(parts.query, safe=_KEPT)
        if added_to_query:
            added = urlencode(added_to_query, safe=_LEFT_BARE)
            query = f"{query}&{added}" if query else added
        shown = (
            f"[{host}]"
            if ":" in host
            else host.encode("idna").decode("ascii")
            if not host.isascii()
            else host
        )
        origin = f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")
        wire = httpx2.URL(origin + path + (f"?{query}" if query else ""))
    except (ValueError, UnicodeError, httpx2.InvalidURL) as error:
        raise FetchFailed(11100, url, f"the URL is malformed: {error}") from None
    return Target(
        url=wire,
        signed_url=origin + wire.raw_path.decode("ascii"),
        page_url=url.strip(),
        form=(),
        authorization=_authorization(parts.username, parts.password),
    )


@lru_cache(maxsize=256)
def _posted(url: str) -> Target:
    """Calls are posted to the same few URLs all day."""
    return _aim(url, ())


def without_credentials(url: str) -> str:
    """The URL without `user:password@`."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return scheme + separator + authority.rpartition("@")[2] + slash + path


def _authorization(username: str | None, password: str | None) -> str | None:
    """HTTP Basic (RFC 7617) from `user:password@`; not part of the signature."""
    if username is None:
        return None
    pair = f"{unquote(username)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode("ascii")
