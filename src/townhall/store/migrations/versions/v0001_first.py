"""Numbers, lines, calls, conferences, participants and notices, as they were in the first release.

A migration keeps the tables of its time and imports nothing of `tables`, which goes on changing.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("installation", _text("fact", primary_key=True), _time("since"))
    op.create_table(
        "numbers",
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
    op.create_table(
        "lines",
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
    _create_calls()
    _create_conferences()
    op.create_table(
        "notices",
        _text("sid", primary_key=True),
        _text("resource_sid"),
        sa.Column("code", sa.Integer, nullable=False),
        _text("level"),
        _text("message"),
        _text("url"),
        _time("at"),
    )
    _index("notices", "resource_sid", "at")


def _create_calls() -> None:
    op.create_table(
        "calls",
        _text("sid", primary_key=True),
        _text("account_sid"),
        _text("from_"),
        _text("to"),
        _text("direction"),
        _text("status"),
        _time("started_at"),
        _text("sip_call_id"),
        _text("parent_call_sid", nullable=True),
        _time("answered_at", nullable=True),
        _time("ended_at", nullable=True),
        sa.Column("duration_s", sa.Integer),
        _text("cause", nullable=True),
        sa.Column("media", sa.JSON),
    )
    _index("calls", "started_at", "ended_at")


def _create_conferences() -> None:
    op.create_table(
        "conferences",
        _text("sid", primary_key=True),
        _text("friendly_name"),
        _time("created_at"),
        _text("status"),
        _time("started_at", nullable=True),
        _time("ended_at", nullable=True),
        _text("reason_ended", nullable=True),
        _text("call_sid_ending", nullable=True),
    )
    _index("conferences", "friendly_name", "created_at", "ended_at")
    op.create_table(
        "participants",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        _text("conference_sid"),
        _text("call_sid"),
        _time("joined_at"),
        _text("label", nullable=True),
        *(
            sa.Column(flag, sa.Boolean, nullable=False)
            for flag in ("muted", "start_conference_on_enter", "end_conference_on_exit", "coaching")
        ),
        _time("left_at", nullable=True),
        _text("reason_left", nullable=True),
    )
    _index("participants", "conference_sid", "call_sid", "left_at")


def _text(name: str, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, **{"nullable": False, **options})


def _time(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **{"nullable": False, **options})


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])
