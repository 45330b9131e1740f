"""Trunks: the ways to the telephone network, in the order in which they are tried."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from townhall.store.paging import Page
from townhall.store.resources import PrefixRule, Trunk
from townhall.store.shelf import Shelf
from townhall.store.tables import trunks
from townhall.store.validation import check_trunk


class TrunkChanges(TypedDict, total=False):
    name: str
    host: str
    port: int
    transport: str
    username: str | None
    password: str | None
    register: bool
    rules: tuple[PrefixRule, ...]
    priority: int
    enabled: bool
    calls_a_minute: int | None
    countries: tuple[str, ...]


class Trunks(Shelf[Trunk]):
    record = Trunk
    table = trunks
    noun = "trunk"
    unique = "name"

    def check(self, record: Trunk) -> None:
        check_trunk(record)

    def row(self, record: Trunk) -> dict[str, Any]:
        return {
            **super().row(record),
            "rules": [asdict(rule) for rule in record.rules],
            "countries": list(record.countries),
        }

    def made_of(self, row: Mapping[Any, Any]) -> Trunk:
        rules = tuple(PrefixRule(**rule) for rule in row["rules"])
        return super().made_of({**row, "rules": rules, "countries": tuple(row["countries"])})

    async def by_name(self, name: str) -> Trunk | None:
        rows = await self._reader.rows(sa.select(trunks).where(trunks.c.name == name))
        return self.made_of(rows[0]) if rows else None

    async def list(self) -> "list[Trunk]":
        """All of them, the one to be tried first first."""
        rows = await self._reader.rows(sa.select(trunks).order_by(trunks.c.priority, trunks.c.name))
        return [self.made_of(row) for row in rows]

    async def page(self, *, limit: int = 50, token: str | None = None) -> Page[Trunk]:
        return await self._page([], limit, token)

    async def change(self, sid: str, /, **changes: Unpack[TrunkChanges]) -> Trunk:
        return await self._change(sid, changes)
