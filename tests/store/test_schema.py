"""The migrations and the tables say the same, on SQLite and as far as a dialect can tell on PostgreSQL."""

import asyncio
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql

from townhall.store import Store, StoreError
from townhall.store.engines import connect
from townhall.store.schema import HEAD, MIGRATIONS, revision_of
from townhall.store.tables import metadata


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_migrations_make_the_tables_that_the_code_has(store: Store, url: str) -> None:
    transactions, engine = connect(url)

    def differences(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await transactions.run(differences) == []
    assert await transactions.run(revision_of) == HEAD
    await transactions.close()
    await engine.close()


async def test_open_of_a_current_database_does_not_import_alembic(url: str) -> None:
    await (await Store.open(url)).close()
    code = (
        "import asyncio, sys; from townhall.store import Store\n"
        f"async def main(): await (await Store.open({url!r}, takes_calls=True)).close()\n"
        "asyncio.run(main()); print('alembic' in sys.modules)"
    )
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    output, _ = await program.communicate()
    assert output == b"False\n"


async def test_database_of_a_newer_townhall_is_refused_and_left_alone(url: str) -> None:
    await (await Store.open(url)).close()
    transactions, engine = connect(url)
    newer = sa.text("UPDATE alembic_version SET version_num = '9999'")
    await transactions.run(lambda connection: connection.execute(newer).rowcount)
    with pytest.raises(StoreError, match=f"revision 9999, this Townhall knows up to {HEAD}"):
        await Store.open(url)
    assert await transactions.run(revision_of) == "9999"
    await transactions.close()
    await engine.close()


async def test_migration_that_fails_leaves_an_empty_database(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise sa.exc.OperationalError("CREATE TABLE", {}, Exception("disk I/O error"))

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", fail)
        with pytest.raises(StoreError, match="disk I/O error"):
            await Store.open(url)
    store = await Store.open(url)
    assert await store.lines.list() == []
    await store.close()


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_tables_can_be_made_on_postgresql(table: sa.Table) -> None:
    made = str(sa.schema.CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "BIGSERIAL" in made if table.name in ("participants", "events") else "BIGSERIAL" not in made


def test_migrations_belong_to_the_package() -> None:
    import townhall

    assert MIGRATIONS.is_relative_to(Path(townhall.__file__).parent)
    assert (MIGRATIONS / "env.py").is_file()
