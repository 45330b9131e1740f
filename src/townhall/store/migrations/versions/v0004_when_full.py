"""What callers of a line hear when the server is full: the busy tone, or words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("lines", sa.Column("when_full", sa.Text, nullable=False, server_default="busy"))
