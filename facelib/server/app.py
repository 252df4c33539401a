"""The server's application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from importlib.metadata import version
from threading import Event, Thread
from types import ModuleType
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from facelib.server import embedded, front
from facelib.server.answers import Answers, KnownAnswers
from facelib.server.api import (
    corrections,
    doctor,
    embeds,
    events,
    forget,
    identify,
    jobs,
    media,
    people,
    pictures,
    projects,
    recognizer,
    search,
    server,
    session,
    tokens,
    tracks,
    unknowns,
    uploads,
    users,
    videos,
)
from facelib.server.api.doctor import GalleryDoctor
from facelib.server.api.identify import Networks
from facelib.server.api.tokens import make_first_token
from facelib.server.cached import Kept
from facelib.server.database import Store, open_store
from facelib.server.events import EventFeed
from facelib.server.examples import add_examples
from facelib.server.films import FilmPages
from facelib.server.jobs.worker import Workers
from facelib.server.middleware import LARGEST_BODY, BodyLimit, ETags, Heads, Observe, Prefix, SecurityHeaders
from facelib.server.problems import ProblemDocument, add_handlers, describe
from facelib.server.reviews import Reviews
from facelib.server.security.recognise import Callers
from facelib.server.settings import API, ServerSettings
from facelib.server.warming import get_ready

_THUMBNAILS = 2048  # in memory
_DECODED = 2  # uploaded pictures and films at a time

ROUTERS: tuple[ModuleType, ...] = (
    session, users, tokens, projects, jobs, uploads, events, people, pictures, doctor, forget, recognizer, videos,
    media, embeds, tracks, corrections, unknowns, search, identify,
)  # fmt: skip


def create_app(settings: ServerSettings, *, warm: bool = False) -> FastAPI:
    """Return the application of a server, with its database open and up to date.

    `app.state` carries `settings`, `store`, and `first_token`: the token made when nobody could log in yet, to be shown
    once, otherwise None.

    Args:
        settings: The server's settings.
        warm: Whether to make the newest films ready in the background, once it runs.

    Raises:
        OSError: When the database cannot be reached.
    """
    store = open_store(settings.database)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        workers = Workers(store, settings)
        workers.start()
        stop = Event()
        if warm:
            given = (settings, app.state.pages, app.state.reviews, stop)
            Thread(target=get_ready, args=given, daemon=True).start()
        yield
        stop.set()
        await to_thread.run_sync(workers.stop)
        store.close()

    app = _new_app(lifespan=life)
    _hold(app, settings, store)
    add_handlers(app, settings)
    app.router.routes.extend(_routes())
    place = {"servers": [{"url": settings.root_path}]} if settings.root_path else {}
    app.openapi = lambda: _description() | place  # type: ignore[method-assign]
    _add_middleware(app, settings)
    return app


def _hold(app: FastAPI, settings: ServerSettings, store: Store) -> None:
    """Put into the app's state what the endpoints take from it, see `held_by_app`."""
    app.state.settings, app.state.store = settings, store
    app.state.feed = EventFeed(store)
    app.state.pages, app.state.reviews, app.state.networks = FilmPages(), Reviews(), Networks()
    app.state.doctor, app.state.answers = GalleryDoctor(), Answers()
    app.state.thumbnails, app.state.turns = Kept(_THUMBNAILS), CapacityLimiter(_DECODED)
    app.state.callers = Callers(store, settings.session_hours)
    app.state.registry = CollectorRegistry()
    app.state.first_token = make_first_token(store)


def _add_middleware(app: FastAPI, settings: ServerSettings) -> None:
    """Add what every request passes, the innermost first."""
    app.add_middleware(ETags)
    app.add_middleware(BodyLimit)
    app.add_middleware(KnownAnswers, answers=app.state.answers, callers=app.state.callers, settings=settings)
    app.add_middleware(Heads)
    if settings.root_path:
        app.add_middleware(Prefix, prefix=settings.root_path)
    app.add_middleware(SecurityHeaders, only_https=settings.secure_cookies)
    app.add_middleware(Observe, registry=app.state.registry)


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return the routes of every server: they hold nothing of one, and take most of the time that an app takes."""
    app, api = FastAPI(openapi_url=None), APIRouter(prefix=API, responses=describe())
    for module in ROUTERS:
        api.include_router(module.router)
    app.include_router(api, max_body_size=LARGEST_BODY)
    for module in (server, embedded, front):
        app.include_router(module.router)
    return tuple(app.router.routes)


@cache
def _description() -> dict[str, Any]:
    """Return the description of every server's API, with the problem document and examples; it takes half a second."""
    app = _new_app()
    app.router.routes.extend(_routes())
    made = app.openapi()
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("ProblemDocument", ProblemDocument.model_json_schema())
    add_examples(schemas)
    return made


def _new_app(**options: Any) -> FastAPI:
    return FastAPI(
        title="facelib",
        version=version("facelib"),
        summary="Who is in a film, and when.",
        openapi_url=None,  # `server` has it, for those who are logged in
        docs_url=None,
        redoc_url=None,
        **options,
    )
