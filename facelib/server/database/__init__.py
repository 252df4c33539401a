"""The server's database: users, tokens, jobs and audit, in SQLite or PostgreSQL."""

from facelib.server.database.models import Attempt, AuditEntry, Base, Embed, Event, Job, Login, Token, Upload, User
from facelib.server.database.store import Store, open_store

__all__ = [
    "Attempt", "AuditEntry", "Base", "Embed", "Event", "Job", "Login", "Store", "Token", "Upload", "User", "open_store",
]  # fmt: skip
