"""The server itself: whether it runs, and its figures."""

from __future__ import annotations

import os
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic import BaseModel, Field
from sqlalchemy import text

from facelib.server.dependencies import Anyone, CurrentStore
from facelib.server.problems import Problem, describe
from facelib.server.settings import API

router = APIRouter(tags=["server"])


class Health(BaseModel):
    """Whether the server can work."""

    status: str = Field(examples=["ok"])


@router.get("/health", responses=describe())
def health(store: CurrentStore) -> Health:
    """Say that the server runs and reaches its database; this alone needs no log-in."""
    with store.read() as session:
        session.execute(text("select 1"))
    return Health(status="ok")


@router.get(f"{API}/openapi.json", include_in_schema=False)
def describe_api(_caller: Anyone, request: Request) -> dict[str, Any]:
    """Describe the API (OpenAPI)."""
    described: dict[str, Any] = request.app.openapi()
    return described


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={**describe(), 200: {"content": {"text/plain": {}}, "description": "Figures for Prometheus."}},
)
def metrics(caller: Anyone, request: Request) -> Response:
    """Return the server's metrics in Prometheus' format; needs the scope `read` for all projects."""
    if not caller.may("read"):
        raise Problem(403, "expected the scope 'read' for all projects; ask the server's owner for it")
    registry = request.app.state.registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # one of several processes, which add up their figures there
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
