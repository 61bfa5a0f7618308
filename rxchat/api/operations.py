"""What operators and their machines ask: is it alive, can it work, what has it done."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rxchat import __version__
from rxchat.api.requests import services
from rxchat.services.graph import Services

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is alive; a load balancer restarts one that does not answer."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz")
async def readyz(response: Response, services: Annotated[Services, Depends(services)]) -> dict[str, Any]:
    """Say whether it can do its work, and what is missing; 503 while something needed is."""
    parts = await services.health.parts()
    ready = not any(part.problem for part in parts if part.is_needed)
    response.status_code = 200 if ready else 503
    return {"ready": ready, "parts": {part.name: part.problem or "ok" for part in parts}}


@router.get("/metrics")
async def metrics() -> Response:
    """Return the metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
