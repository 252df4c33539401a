"""The server's database: users, tokens, jobs and audit, in SQLite or PostgreSQL."""

from facelib.server.database.embeds import Embed
from facelib.server.database.jobs import Event, Job
from facelib.server.database.models import Attempt, AuditEntry, Base, Login, Token, User
from facelib.server.database.store import Store, open_store
from facelib.server.database.uploads import Upload

__all__ = [
    "Attempt", "AuditEntry", "Base", "Embed", "Event", "Job", "Login", "Store", "Token", "Upload", "User", "open_store",
]  # fmt: skip
