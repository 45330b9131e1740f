"""The error log: what went wrong with a call's documents and callbacks, in Twilio's numbers."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime

import sqlalchemy as sa

from townhall.store.paging import Order, Page, Place, between
from townhall.store.readers import Reader
from townhall.store.records import NoticeRecord
from townhall.store.tables import notices
from townhall.store.writer import Writer

_INSERT = notices.insert()
_ORDER = Order(notices.c.at, notices.c.sid)
MOST_CHARACTERS = 16_384
"""What is kept of a request's variables, and of an answer's headers and body."""


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """Which notices a list holds; None: any. `level`: error or warning."""

    resource_sid: str | None = None
    level: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        wanted = ((notices.c.resource_sid, self.resource_sid), (notices.c.level, self.level))
        conditions = [column == value for column, value in wanted if value is not None]
        return conditions + between(notices.c.at, self.since, self.before)


class Notices:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def add(
        self,
        *,
        resource_sid: str,
        code: int,
        level: str,
        message: str,
        url: str = "",
        request_method: str | None = None,
        request_variables: str | None = None,
        response_headers: str | None = None,
        response_body: str | None = None,
    ) -> asyncio.Future[NoticeRecord]:
        """Resolves to the record once it is written; it need not be awaited."""
        notice = NoticeRecord(
            resource_sid,
            code,
            level,
            message,
            url,
            request_method=request_method,
            request_variables=_cut(request_variables),
            response_headers=_cut(response_headers),
            response_body=_cut(response_body),
        )

        def work(connection: sa.Connection) -> NoticeRecord:
            connection.execute(_INSERT, asdict(notice))
            return notice

        return self._writer.submit(f"notice {code} of {resource_sid}", work)

    async def get(self, sid: str) -> NoticeRecord | None:
        rows = await self._reader.rows(sa.select(notices).where(notices.c.sid == sid))
        return NoticeRecord(**rows[0]) if rows else None

    async def page(
        self, wanted: NoticeFilter = NoticeFilter(), *, limit: int = 50, token: str | None = None
    ) -> Page[NoticeRecord]:
        """Raises `PageTokenError`."""
        place = Place.parse(token) if token else None
        query = sa.select(notices).where(*wanted.conditions())
        rows = await self._reader.rows(_ORDER.page(query, limit, place))
        rows, older, newer = _ORDER.tokens(rows, limit, place)
        return Page([NoticeRecord(**row) for row in rows], older, newer)

    async def list(self, limit: int = 50, *, resource_sid: str | None = None) -> "list[NoticeRecord]":
        """The latest notices, newest first."""
        query = sa.select(notices).order_by(notices.c.at.desc(), notices.c.sid).limit(limit)
        if resource_sid is not None:
            query = query.where(notices.c.resource_sid == resource_sid)
        return [NoticeRecord(**row) for row in await self._reader.rows(query)]


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:MOST_CHARACTERS]
