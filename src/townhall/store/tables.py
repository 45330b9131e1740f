"""The tables as they are now; `migrations/` tells how they came about, and a test holds the two together.

No foreign keys between records of what happened: a participant whose conference could not be written is worth
more than none. Lengths are not limited here: a caller's From may be of any length, and it is evidence.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """Aware times in, aware UTC times out, on databases that keep a zone and on those that do not."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class AnyText(sa.types.TypeDecorator[str]):
    """Text from the network as the database can keep it: NUL and lone surrogates become U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        if value is None or value.isprintable():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"}
)


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, AnyText, **{"nullable": False, **options})


def _time(name: str, **options: Any) -> sa.Column[datetime]:
    return sa.Column(name, UTCDateTime, **{"nullable": False, **options})


installation = sa.Table("installation", metadata, _text("fact", primary_key=True), _time("since"))
"""What has been done once for this database and must not be done again."""

numbers = sa.Table(
    "numbers",
    metadata,
    _text("number", primary_key=True),
    _text("sid", unique=True),
    _text("friendly_name"),
    _text("voice_url"),
    _text("voice_method"),
    _text("voice_fallback_url", nullable=True),
    _text("voice_fallback_method"),
    _text("status_callback", nullable=True),
    _text("status_callback_method"),
    _time("created_at"),
)

lines = sa.Table(
    "lines",
    metadata,
    _text("number", primary_key=True),
    _text("conference_name"),
    _text("welcome", nullable=True),
    _text("speaker_pin", nullable=True),
    _text("moderator_pin", nullable=True),
    _text("voice", nullable=True),
    _text("language"),
    _text("music", nullable=True),
    sa.Column("max_participants", sa.Integer),
    _time("created_at"),
)

calls = sa.Table(
    "calls",
    metadata,
    _text("sid", primary_key=True),
    _text("account_sid"),
    _text("from_"),
    _text("to"),
    _text("direction"),
    _text("status"),
    _time("started_at", index=True),
    _text("sip_call_id"),
    _text("parent_call_sid", nullable=True),
    _time("answered_at", nullable=True),
    _time("ended_at", nullable=True, index=True),
    sa.Column("duration_s", sa.Integer),
    _text("cause", nullable=True),
    sa.Column("media", sa.JSON(none_as_null=True)),
)

conferences = sa.Table(
    "conferences",
    metadata,
    _text("sid", primary_key=True),
    _text("friendly_name", index=True),
    _time("created_at", index=True),
    _text("status"),
    _time("started_at", nullable=True),
    _time("ended_at", nullable=True, index=True),
    _text("reason_ended", nullable=True),
    _text("call_sid_ending", nullable=True),
)

participants = sa.Table(
    "participants",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _text("conference_sid", index=True),
    _text("call_sid", index=True),
    _time("joined_at"),
    _text("label", nullable=True),
    sa.Column("muted", sa.Boolean, nullable=False),
    sa.Column("start_conference_on_enter", sa.Boolean, nullable=False),
    sa.Column("end_conference_on_exit", sa.Boolean, nullable=False),
    sa.Column("coaching", sa.Boolean, nullable=False),
    _time("left_at", nullable=True, index=True),
    _text("reason_left", nullable=True),
)

notices = sa.Table(
    "notices",
    metadata,
    _text("sid", primary_key=True),
    _text("resource_sid", index=True),
    sa.Column("code", sa.Integer, nullable=False),
    _text("level"),
    _text("message"),
    _text("url"),
    _time("at", index=True),
)
