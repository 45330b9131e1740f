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

account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    _text("friendly_name"),
    _time("created_at"),
    _time("updated_at"),
)

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
    _time("created_at", index=True),
    _text("voice_application_sid", nullable=True),
    _time("updated_at"),
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
    sa.Column("when_full", sa.Text, nullable=False, server_default="busy"),
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
    _text("parent_call_sid", nullable=True, index=True),
    _time("answered_at", nullable=True),
    _time("ended_at", nullable=True, index=True),
    sa.Column("duration_s", sa.Integer),
    _text("cause", nullable=True),
    sa.Column("media", sa.JSON(none_as_null=True)),
    _time("updated_at"),
    sa.Column("queue_time_ms", sa.Integer, nullable=False),
    _text("phone_number_sid", nullable=True),
    _text("forwarded_from", nullable=True),
    _text("caller_name", nullable=True),
    _text("trunk_sid", nullable=True),
    sa.Column("sip_response_code", sa.Integer),
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
    _time("updated_at", index=True),
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
    _time("updated_at"),
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
    _text("request_method", nullable=True),
    _text("request_variables", nullable=True),
    _text("response_headers", nullable=True),
    _text("response_body", nullable=True),
)

recordings = sa.Table(
    "recordings",
    metadata,
    _text("sid", primary_key=True),
    _text("account_sid"),
    _text("call_sid", nullable=True, index=True),
    _text("conference_sid", nullable=True, index=True),
    _text("status"),
    _text("source"),
    sa.Column("channels", sa.Integer, nullable=False),
    _text("track"),
    _time("start_time", nullable=True),
    sa.Column("duration_s", sa.Integer),
    _text("path"),
    sa.Column("error_code", sa.Integer),
    _time("created_at", index=True),
    _time("updated_at"),
)

queues = sa.Table(
    "queues",
    metadata,
    _text("sid", primary_key=True),
    _text("friendly_name", unique=True),
    sa.Column("max_size", sa.Integer, nullable=False),
    _time("created_at", index=True),
    _time("updated_at"),
)

applications = sa.Table(
    "applications",
    metadata,
    _text("sid", primary_key=True),
    _text("friendly_name"),
    _text("voice_url"),
    _text("voice_method"),
    _text("voice_fallback_url", nullable=True),
    _text("voice_fallback_method"),
    _text("status_callback", nullable=True),
    _text("status_callback_method"),
    sa.Column("voice_caller_id_lookup", sa.Boolean, nullable=False),
    sa.Column("public_application_connect_enabled", sa.Boolean, nullable=False),
    _time("created_at", index=True),
    _time("updated_at"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    _text("sid", primary_key=True),
    _text("friendly_name"),
    _text("kind"),
    _text("secret"),
    _time("created_at", index=True),
    _time("updated_at"),
)

trunks = sa.Table(
    "trunks",
    metadata,
    _text("sid", primary_key=True),
    _text("name", unique=True),
    _text("host"),
    sa.Column("port", sa.Integer, nullable=False),
    _text("transport"),
    _text("username", nullable=True),
    _text("password", nullable=True),
    sa.Column("register", sa.Boolean, nullable=False),
    sa.Column("rules", sa.JSON, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("calls_a_minute", sa.Integer),
    sa.Column("countries", sa.JSON, nullable=False),
    _time("created_at", index=True),
    _time("updated_at"),
)

outbox = sa.Table(
    "outbox",
    metadata,
    # The sender counts: the order of these numbers is the order of sending.
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _text("resource_sid"),
    _text("url"),
    _text("method"),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("consented", sa.Boolean, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    _time("at"),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _text("call_sid"),
    sa.Column("place", sa.Integer, nullable=False),
    _text("method"),
    _text("url"),
    sa.Column("parameters", sa.JSON, nullable=False),
    sa.Column("status", sa.Integer),
    _text("content_type"),
    _text("body"),
    _text("error", nullable=True),
    sa.Column("duration_ms", sa.Integer, nullable=False),
    _time("at", index=True),
    sa.Index("ix_events_call_sid", "call_sid", "place"),
)
