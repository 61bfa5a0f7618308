"""What operators and their machines ask: is it alive, can it work, what has it done."""

from __future__ import annotations

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from rxchat import __version__
from rxchat.api.requests import services, settings_of
from rxchat.domain.errors import NotFound
from rxchat.services.app.container import Services
from rxchat.settings import is_loopback

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process is alive; a load balancer restarts one that does not respond."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz")
async def readyz(
    request: Request, response: Response, services: Annotated[Services, Depends(services)]
) -> dict[str, Any]:
    """Say whether it can do its work; 503 while something needed is missing. What that is, operators alone are told."""
    parts = await services.app.health.parts()
    ready = not any(part.problem for part in parts if part.is_needed)
    response.status_code = 200 if ready else 503
    if not _is_operator(request):
        return {"ready": ready}
    return {"ready": ready, "parts": {part.name: part.problem or "ok" for part in parts}}


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """Return the metrics in Prometheus' text format."""
    if not _is_operator(request):
        raise NotFound
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _is_operator(request: Request) -> bool:
    """Whether a request shows RXCHAT_METRICS_TOKEN as its bearer token.

    Where none is set, this machine may ask, unless RxChat is for others: then a proxy asks from here for all of them.
    """
    wanted = settings_of(request).metrics_token
    if wanted is None:
        is_here = request.client is not None and is_loopback(request.client.host)
        return is_here and not settings_of(request).is_for_others
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), wanted.get_secret_value().encode())
