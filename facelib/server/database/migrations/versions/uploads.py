"""Uploads."""

import sqlalchemy as sa
from alembic import op

revision = "uploads"
down_revision = "jobs"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(255), nullable=False, index=True),
        sa.Column("person", sa.String(400)),
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("length", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("file", sa.String(1000), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
