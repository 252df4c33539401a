"""What a server is told at its start: folders, database, address, limits."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

SETTINGS_FILE = "FACELIB_SETTINGS"
"""The environment variable that names a TOML file of settings."""


class Settings(BaseSettings):
    """The settings of a server: from arguments, then `FACELIB_*` in the environment, then the file of settings.

    Example:
        >>> Settings(port=9000).port
        9000
    """

    model_config = SettingsConfigDict(env_prefix="FACELIB_", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("data"), description="Holds NAME/people/<Person Name>/* and NAME/videos/*.")
    output_dir: Path = Field(Path("output"), description="Everything made is written to NAME/ in here.")
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Such as postgresql://user:password@host/name; empty for a SQLite file in the output folder.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every network of the machine.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 for any that is free.")
    session_hours: float = Field(168.0, gt=0, description="Hours after which a log-in without use ends.")
    failed_logins: int = Field(5, ge=1, description="Wrong log-ins by one name or address allowed in 15 minutes.")
    secure_cookies: bool = Field(False, description="Send cookies over HTTPS only; set it behind a proxy with TLS.")

    @property
    def state_dir(self) -> Path:
        """The folder of the server's own files, hidden beside the projects' results."""
        return self.output_dir / ".server"

    @property
    def database(self) -> str:
        """The database's address as SQLAlchemy takes it."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite:///{(self.state_dir / 'server.sqlite').absolute().as_posix()}"
        for plain in ("postgres://", "postgresql://"):
            url = url.replace(plain, "postgresql+psycopg://", 1) if url.startswith(plain) else url
        return url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the file of settings behind the environment, when one is named."""
        sources = (init_settings, env_settings)
        named = os.environ.get(SETTINGS_FILE)
        if not named:
            return sources
        if not Path(named).is_file():
            raise FileNotFoundError(f"expected a TOML file of settings at {named!r} ({SETTINGS_FILE}), found none")
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(named)))
