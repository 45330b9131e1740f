"""What a crash left open is closed when the server starts again: it failed, and we do not know when."""

import logging
from datetime import UTC, datetime

import sqlalchemy as sa

from townhall.store.tables import calls, conferences, participants

log = logging.getLogger(__name__)

CAUSE = "server stopped"


def close_leftovers(connection: sa.Connection) -> int:
    """How many calls were still open. Their end is dated now, when it was noticed; their duration stays
    unknown.
    """
    now = datetime.now(UTC)
    count = connection.execute(
        calls.update()
        .where(calls.c.ended_at.is_(None))
        .values(status="failed", ended_at=now, updated_at=now, cause=CAUSE)
    ).rowcount
    connection.execute(
        conferences.update()
        .where(conferences.c.ended_at.is_(None))
        .values(status="completed", ended_at=now, updated_at=now, reason_ended=CAUSE)
    )
    connection.execute(
        participants.update()
        .where(participants.c.left_at.is_(None))
        .values(left_at=now, updated_at=now, reason_left=CAUSE)
    )
    if count:
        log.warning("%d calls were going on when the server stopped; they are recorded as failed", count)
    return count
