"""API keys: a SID and a secret that its maker is shown once.

The secret is kept as it is, like those of trunks, and not hashed: access tokens are signed with it, so
whoever checks them needs it. The database is readable by its owner alone.
"""

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
        key = APIKey(friendly_name, kind, secret=secrets.token_hex(32))
        return await self.add(key), key.secret

    async def ensure(self, friendly_name: str) -> APIKey:
        """The key of this name that was made last; made now when there is none."""
        named = [key for key in await self.list() if key.friendly_name == friendly_name]
        return named[-1] if named else (await self.create(friendly_name))[0]

    async def verify(self, sid: str, secret: str) -> APIKey | None:
        """The key, if it exists and the secret is its own; both cases of a no take the same time."""
        key = await self.get(sid)
        known = key.secret if key is not None else secrets.token_hex(32)
        fits = hmac.compare_digest(known.encode(), secret.encode("utf-8", "replace"))
        return key if fits else None

    async def secret_of(self, sid: str) -> str | None:
        """What a key's access tokens are signed with; None: there is no such key."""
        key = await self.get(sid)
        return key.secret if key is not None else None

    async def list(self) -> "list[APIKey]":
        """All of them, the oldest first."""
        return await self._all(order=api_keys.c.created_at.asc())

    async def page(self, *, limit: int = 50, token: str | None = None) -> Page[APIKey]:
        return await self._page([], limit, token)

    async def change(self, sid: str, /, **changes: Unpack[APIKeyChanges]) -> APIKey:
        return await self._change(sid, changes)
