"""Applications: voice URLs that numbers and calls can name by SID."""

from typing import TypedDict, Unpack

from townhall.store.paging import Page
from townhall.store.resources import Application
from townhall.store.shelf import Shelf
from townhall.store.tables import applications
from townhall.store.validation import check_application


class ApplicationChanges(TypedDict, total=False):
    friendly_name: str
    voice_url: str
    voice_method: str
    voice_fallback_url: str | None
    voice_fallback_method: str
    status_callback: str | None
    status_callback_method: str
    voice_caller_id_lookup: bool
    public_application_connect_enabled: bool


class Applications(Shelf[Application]):
    record = Application
    table = applications
    noun = "application"

    def check(self, record: Application) -> None:
        check_application(record)

    async def list(self) -> "list[Application]":
        """All of them, by name."""
        return await self._all(order=applications.c.friendly_name.asc())

    async def page(
        self, *, friendly_name: str | None = None, limit: int = 50, token: str | None = None
    ) -> Page[Application]:
        named = [] if friendly_name is None else [applications.c.friendly_name == friendly_name]
        return await self._page(named, limit, token)

    async def change(self, sid: str, /, **changes: Unpack[ApplicationChanges]) -> Application:
        return await self._change(sid, changes)
