"""The tables of the first release; a database without any gets those of the models at once."""

revision = "embeds"  # of the databases that were made before it
down_revision = None


def upgrade() -> None:
    """Change nothing."""
