"""The table of embedded films."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from facelib.server.database.models import Base


class Embed(Base):
    """An address that shows one film to everybody who has it; the key is as public as the pages that it stands in."""

    __tablename__ = "embeds"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    project: Mapped[str] = mapped_column(String(255), index=True)
    video: Mapped[str] = mapped_column(String(400))
    by: Mapped[str] = mapped_column(String(200))
    created: Mapped[float]
