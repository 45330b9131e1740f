"""API keys: a SID and a secret that is shown once and kept as a salted hash.

The hash is a plain HMAC-SHA-256: the secret is 256 random bits of ours, which nobody guesses however fast the
hash is. A slow one would protect words that people choose, and here it would let anybody with wrong secrets
keep the server busy.
"""

import hashlib
import hmac
import secrets
from typing import TypedDict, Unpack

from townhall.store.paging import Page
from townhall.store.resources import APIKey
from townhall.store.shelf import Shelf
from townhall.store.tables import api_keys
from townhall.store.validation import check_api_key


class APIKeyChanges(TypedDict, total=False):
    friendly_name: str


class APIKeys(Shelf[APIKey]):
    """Use `create` rather than `add`: it makes the secret."""

    record = APIKey
    table = api_keys
    noun = "API key"

    def check(self, record: APIKey) -> None:
        check_api_key(record)

    async def create(self, friendly_name: str = "", kind: str = "standard") -> tuple[APIKey, str]:
        """A new key and its secret, which cannot be had again."""
        secret, salt = secrets.token_hex(32), secrets.token_hex(16)
        key = APIKey(friendly_name, kind, salt=salt, secret_hash=_hash(salt, secret))
        return await self.add(key), secret

    async def verify(self, sid: str, secret: str) -> APIKey | None:
        """The key, if it exists and the secret is its own; both cases of a no take the same time."""
        key = await self.get(sid)
        known = key or _NOBODY
        fits = hmac.compare_digest(_hash(known.salt, secret), known.secret_hash)
        return key if fits else None

    async def list(self) -> "list[APIKey]":
        """All of them, the oldest first."""
        return await self._all(order=api_keys.c.created_at.asc())

    async def page(self, *, limit: int = 50, token: str | None = None) -> Page[APIKey]:
        return await self._page([], limit, token)

    async def change(self, sid: str, /, **changes: Unpack[APIKeyChanges]) -> APIKey:
        return await self._change(sid, changes)


def _hash(salt: str, secret: str) -> str:
    return hmac.new(bytes.fromhex(salt), secret.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


_NOBODY = APIKey(salt="00" * 16, secret_hash="00" * 32)
"""No secret has this hash."""
