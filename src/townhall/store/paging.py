"""Lists in pages, newest first, that stay right while records come and go.

A page is named by the record it follows or precedes (keyset paging): its time and SID stand in the token, so
the token works even after that record was deleted. Twilio's tokens begin with `PA` (what follows) or `PB`
(what precedes); ours too.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from townhall.store.errors import PageTokenError

T = TypeVar("T")

_TOKEN = re.compile(r"P([AB])([A-Z]{2}[0-9a-f]{32})-([0-9a-f]{1,16})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some records, newest first, and the tokens of the pages beside them (None: there is none)."""

    records: list[T]
    next_token: str | None = None
    """Of the older ones."""
    previous_token: str | None = None
    """Of the newer ones."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: beyond the record of this time and SID, towards the older or the newer ones."""

    at: datetime
    sid: str
    newer: bool = False

    def __str__(self) -> str:
        micros = (self.at - _EPOCH) // _MICROSECOND
        return f"P{'B' if self.newer else 'A'}{self.sid}-{micros:x}"

    @classmethod
    def parse(cls, token: str) -> "Place":
        """Raises `PageTokenError` for what no page gave out."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise PageTokenError("that is no page token; take it from next_page_uri or previous_page_uri")
        way, sid, micros = match.groups()
        try:
            return cls(_EPOCH + int(micros, 16) * _MICROSECOND, sid, way == "B")
        except OverflowError as error:
            raise PageTokenError("that page token is of no time that ever was") from error


@dataclass(frozen=True, slots=True)
class Order:
    """By which columns a table is listed, newest first."""

    at: sa.Column[Any]
    sid: sa.Column[Any]

    def page(self, query: sa.Select[Any], limit: int, place: Place | None) -> sa.Select[Any]:
        """The query for a page's records and one more, which tells whether there are others beyond."""
        columns = (self.at, self.sid)
        if place is not None:
            key = sa.tuple_(*columns)
            edge = sa.tuple_(sa.literal(place.at, self.at.type), sa.literal(place.sid, self.sid.type))
            query = query.where(key > edge if place.newer else key < edge)
        newer = place is not None and place.newer
        return query.order_by(*(c.asc() if newer else c.desc() for c in columns)).limit(limit + 1)

    def tokens(
        self, rows: list[dict[str, Any]], limit: int, place: Place | None
    ) -> tuple[list[dict[str, Any]], str | None, str | None]:
        """The page's rows, newest first, with the tokens of the older and the newer ones."""
        more = len(rows) > limit
        rows = rows[:limit]
        if place is not None and place.newer:
            rows.reverse()
        if not rows:
            return rows, None, None
        newer = place is not None and place.newer
        older_exist = newer or more
        newer_exist = more if newer else place is not None
        return (
            rows,
            str(self._place(rows[-1], newer=False)) if older_exist else None,
            str(self._place(rows[0], newer=True)) if newer_exist else None,
        )

    def _place(self, row: dict[str, Any], *, newer: bool) -> Place:
        return Place(row[self.at.name], row[self.sid.name], newer)


def between(
    column: sa.Column[Any], since: datetime | None, before: datetime | None
) -> list[sa.ColumnElement[bool]]:
    """The conditions of a filter on a time: from `since` on, and before `before`."""
    conditions: list[sa.ColumnElement[bool]] = []
    if since is not None:
        conditions.append(column >= since)
    if before is not None:
        conditions.append(column < before)
    return conditions
