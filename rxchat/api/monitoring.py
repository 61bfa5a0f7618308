"""Liveness, readiness and metrics, for operators and their monitoring."""

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
    """Return 200 while the process is alive; orchestrators restart one that does not respond."""
    return {"status": "ok", "version": __version__}


@router.get("/readyz")
async def readyz(
    request: Request, response: Response, services: Annotated[Services, Depends(services)]
) -> dict[str, Any]:
    """Return 200, or 503 while a required component is unavailable; only operators see which one."""
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
    """Whether a request has RXCHAT_METRICS_TOKEN as its bearer token.

    Without the setting, requests of this machine are the operator's, unless RxChat is exposed: then all requests may
    come from a proxy on this machine.
    """
    wanted = settings_of(request).metrics_token
    if wanted is None:
        is_here = request.client is not None and is_loopback(request.client.host)
        return is_here and not settings_of(request).is_for_others
    kind, _, shown = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), wanted.get_secret_value().encode())
