"""What the REST API asks for: recordings, queues, applications, API keys, trunks, callbacks that wait to be
delivered, the requests made for a call, and when each record was changed last.

Older records count as changed when they ended or were made.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_CHANGED = {
    "numbers": "created_at",
    "calls": "coalesce(ended_at, answered_at, started_at)",
    "conferences": "coalesce(ended_at, started_at, created_at)",
    "participants": "coalesce(left_at, joined_at)",
}
"""By table: when its old rows were changed last."""


def upgrade() -> None:
    _add_columns()
    _create_recordings()
    _create_configuration()
    _create_callbacks()


def _add_columns() -> None:
    op.add_column("numbers", _text("voice_application_sid", nullable=True))
    for name in ("phone_number_sid", "forwarded_from", "caller_name", "trunk_sid"):
        op.add_column("calls", _text(name, nullable=True))
    op.add_column("calls", sa.Column("sip_response_code", sa.Integer))
    op.add_column("calls", sa.Column("queue_time_ms", sa.Integer))
    op.execute("UPDATE calls SET queue_time_ms = 0")
    for name in ("request_method", "request_variables", "response_headers", "response_body"):
        op.add_column("notices", _text(name, nullable=True))
    for table, when in _CHANGED.items():
        op.add_column(table, _time("updated_at", nullable=True))
        op.execute(f"UPDATE {table} SET updated_at = {when}")
        with op.batch_alter_table(table) as batch:
            batch.alter_column("updated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
            if table == "calls":
                batch.alter_column("queue_time_ms", existing_type=sa.Integer, nullable=False)
    _index("numbers", "created_at")
    _index("calls", "parent_call_sid")
    _index("conferences", "updated_at")


def _create_recordings() -> None:
    op.create_table(
        "recordings",
        _text("sid", primary_key=True),
        _text("account_sid"),
        _text("call_sid", nullable=True),
        _text("conference_sid", nullable=True),
        _text("status"),
        _text("source"),
        sa.Column("channels", sa.Integer, nullable=False),
        _text("track"),
        _time("start_time", nullable=True),
        sa.Column("duration_s", sa.Integer),
        _text("path"),
        sa.Column("error_code", sa.Integer),
        *_times(),
    )
    _index("recordings", "call_sid", "conference_sid", "created_at")


def _create_configuration() -> None:
    op.create_table(
        "queues",
        _text("sid", primary_key=True),
        _text("friendly_name", unique=True),
        sa.Column("max_size", sa.Integer, nullable=False),
        *_times(),
    )
    op.create_table(
        "applications",
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
        *_times(),
    )
    op.create_table(
        "api_keys",
        _text("sid", primary_key=True),
        _text("friendly_name"),
        _text("kind"),
        _text("secret"),
        *_times(),
    )
    op.create_table(
        "trunks",
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
        *_times(),
    )
    for table in ("queues", "applications", "api_keys", "trunks"):
        _index(table, "created_at")


def _create_callbacks() -> None:
    op.create_table(
        "outbox",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("resource_sid"),
        _text("url"),
        _text("method"),
        sa.Column("parameters", sa.JSON, nullable=False),
        sa.Column("consented", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _time("at"),
    )
    op.create_table(
        "events",
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
        _time("at"),
    )
    op.create_index("ix_events_call_sid", "events", ["call_sid", "place"])
    _index("events", "at")


def _times() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return _time("created_at"), _time("updated_at")


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def _time(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **{"nullable": False, **options})


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])
