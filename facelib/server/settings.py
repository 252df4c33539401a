"""The settings of a server: folders, database, address, limits; the projects in the folders."""

from __future__ import annotations

import re
import tomllib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, SettingsConfigDict

from facelib.project import Project, file_lock, path_of, text_of

API = "/api/v1"
"""The path of the API, below `root_path`."""


class ServerSettings(BaseSettings):
    """The settings of a server: by argument or by `FACELIB_*` in the environment.

    Examples:
        >>> ServerSettings(port=9000).port
        9000
    """

    model_config = SettingsConfigDict(env_prefix="FACELIB_", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("data"), description="Holds NAME/people/<Person Name>/* and NAME/videos/*.")
    output_dir: Path = Field(Path("output"), description="Results are written to NAME/ in this folder.")
    database_url: SecretStr = Field(
        SecretStr(""),
        description="Such as postgresql://user:password@host/name; empty for a SQLite file in the output folder.",
    )
    host: str = Field("127.0.0.1", description="The address to listen on; 0.0.0.0 for every network of the machine.")
    port: int = Field(8000, ge=0, le=65535, description="The port to listen on; 0 for any that is free.")
    processes: int = Field(
        1, ge=1, le=64, description="Processes that answer requests; each keeps recent answers in its own memory."
    )
    workers: int = Field(1, ge=0, le=64, description="Jobs done at a time; 0 leaves them to other servers.")
    job_memory_gb: float = Field(8.0, gt=0, description="Gigabytes of memory that each process of a job may take.")
    notebooks: Path | None = Field(None, description="A folder of notebooks to run instead of facelib's own.")
    private_addresses: bool = Field(
        False, description="Let jobs fetch from machines that are not on the public internet, such as this one."
    )
    largest_film_gb: float = Field(50.0, gt=0, description="Gigabytes of the largest film that can be uploaded.")
    largest_picture_mb: float = Field(50.0, gt=0, description="Megabytes of the largest picture that can be uploaded.")
    lease_seconds: float = Field(
        20.0, ge=1, le=3600, description="Seconds after which the job of a server that was killed is taken over."
    )
    job_attempts: int = Field(
        3, ge=1, description="How often a job is tried whose process ends before its time; then it is set aside."
    )
    session_hours: float = Field(168.0, gt=0, description="Hours after which an unused log-in ends.")
    failed_logins: int = Field(5, ge=1, description="Wrong log-ins from one address allowed in 15 minutes.")
    trusted_proxies: str = Field("127.0.0.1", description="Addresses whose X-Forwarded-For and -Proto are believed.")
    secure_cookies: bool = Field(False, description="Send cookies over HTTPS only; set it behind a proxy with TLS.")

    root_path: str = Field(
        "", description="The path under which a proxy shows the server, such as /facelib; the proxy may take it off."
    )
    embed_sites: Annotated[list[str], NoDecode] = Field(
        [],
        description="Sites whose pages may show the player of a film, such as 'https://example.org https://b.example'.",
    )

    @field_validator("data_dir", "output_dir")
    @classmethod
    def _is_no_file(cls, given: Path) -> Path:
        """Refuse a file; a folder that is not there is made."""
        if given.exists() and not given.is_dir():
            raise ValueError(f"expected a folder, got the file {str(given)!r}")
        return given

    @field_validator("root_path")
    @classmethod
    def _is_path(cls, given: str) -> str:
        """Return a path that begins with a slash and ends with none; refuse what would be more than a path."""
        path = given.strip("/")
        if not re.fullmatch(r"[A-Za-z0-9._~/-]*", path) or "//" in path:
            raise ValueError(f"expected a path such as '/facelib', got {given!r}")
        return f"/{path}" if path else ""

    @field_validator("embed_sites", mode="before")
    @classmethod
    def _are_sites(cls, given: object) -> list[str]:
        """Split a text into sites; refuse what would be more than a site in a browser's policy."""
        sites = given.split() if isinstance(given, str) else [str(one) for one in given]  # type: ignore[attr-defined]
        for site in sites:
            if not re.fullmatch(r"https?://[A-Za-z0-9.*-]+(:\d{1,5})?", site):
                raise ValueError(f"expected sites such as 'https://example.org', got {site!r}")
        return sites

    @model_validator(mode="after")
    def _are_apart(self) -> Self:
        """Refuse one folder for what a project has and what is made of it, see `Project`."""
        Project("any", self.data_dir, self.output_dir)
        return self

    @classmethod
    def read(cls, file: Path | None = None, **given: Any) -> Self:
        """Return the settings, checked: those given, then the environment, then a TOML file such as `port = 9000`.

        Raises:
            ValueError: When a value is of another type or out of range, a name is unknown, or the file is no TOML.
            FileNotFoundError: When the file is not there.
        """
        try:
            return cls(**{**_read_file(file), **EnvSettingsSource(cls)(), **given})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'folders'}: {one['msg']}" for one in error.errors())
            raise ValueError(f"expected valid settings, got {wrong}; 'facelib serve --help' explains them") from None

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


def _read_file(file: Path | None) -> dict[str, Any]:
    if file is None:
        return {}
    if not file.is_file():
        raise FileNotFoundError(f"expected a TOML file of settings at {str(file)!r}, found none")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"expected TOML in {str(file)!r}, such as port = 9000, got a fault: {error}") from None


def project_names(settings: ServerSettings) -> list[str]:
    """Return the names of the projects, sorted: the folders in the data folder, hidden ones left out."""
    if not settings.data_dir.is_dir():
        return []
    folders = (path for path in settings.data_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    return sorted(text_of(path.name) for path in folders)


def project_of(settings: ServerSettings, name: str) -> Project:
    """Return the project of a name, whether there is one or not."""
    return Project(path_of(name), settings.data_dir, settings.output_dir)


def while_nobody_is_forgotten(project: Project) -> AbstractContextManager[None]:
    """Hold what keeps jobs of a project from beginning while a person is forgotten in it.

    Raises:
        BlockingIOError: When somebody is being forgotten.
    """
    return file_lock(project.output / ".locks" / "forgetting", what=f"person being forgotten in {project.name!r}")
