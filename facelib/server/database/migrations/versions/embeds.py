"""Embedded films."""

import sqlalchemy as sa
from alembic import op

revision = "embeds"
down_revision = "uploads"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "embeds",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("project", sa.String(255), nullable=False, index=True),
        sa.Column("video", sa.String(400), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("created", sa.Float(53), nullable=False),
    )
