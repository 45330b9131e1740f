"""Alembic's entry: runs the migrations on the connection that `schema.upgrade` hands over, in its
transaction.
"""

from alembic import context

from townhall.store.tables import metadata

connection = context.config.attributes["connection"]
# SQLite changes tables only by copying them; batch mode does that where later migrations need it.
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
