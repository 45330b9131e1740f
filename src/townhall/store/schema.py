"""Bringing the database's tables up to date.

Alembic takes longer to import than everything else here to run, so it is asked only when the database's
revision is not ours.
"""

from pathlib import Path

import sqlalchemy as sa

from townhall.store.errors import StoreError

HEAD = "0004"
"""The newest revision in `migrations/versions`; a test compares them."""

MIGRATIONS = Path(__file__).parent / "migrations"

_REVISION = sa.table("alembic_version", sa.column("version_num"))


def bring_up_to_date(connection: sa.Connection) -> None:
    """Run the missing migrations in this transaction; raises `StoreError` for a newer database."""
    if revision_of(connection) != HEAD:
        upgrade(connection)


def revision_of(connection: sa.Connection) -> str | None:
    """The database's revision; None for a fresh one."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.select(_REVISION.c.version_num)).scalar()


def upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise StoreError(
            f"the database is of revision {revision_of(connection)}, this Townhall knows up to {HEAD}: "
            "it was last used by a newer one, which is needed to open it"
        ) from error
