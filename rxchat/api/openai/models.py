"""`GET /v1/models`: the models that the user may use, and the embedding model."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.models import list_models
from rxchat.api.v1.scopes import needs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import ModelUnknown
from rxchat.domain.permissions import Scope
from rxchat.services.app.container import Services

router = APIRouter(prefix="/v1/models", tags=["OpenAI"])
_CREATED = 1_700_000_000
"""Hosts do not say when a model was made, and clients want a number."""


async def _models(services: Services, current_user: CurrentUser) -> dict[str, dict[str, Any]]:
    names = [model.name for model in await list_models(current_user, services)]
    embedder = await services.retrieval.embeddings.model()
    if embedder is not None:
        names.append(embedder.model)
    return {name: {"id": name, "object": "model", "created": _CREATED, "owned_by": "rxchat"} for name in names}


@router.get("", **needs(Scope.CHAT))
async def list_openai_models(current_user: SignedIn, services: ServicesDep) -> dict[str, Any]:
    """List the models as OpenAI's API does."""
    return {"object": "list", "data": list((await _models(services, current_user)).values())}


@router.get("/{model:path}", **needs(Scope.CHAT))
async def get_openai_model(model: str, current_user: SignedIn, services: ServicesDep) -> dict[str, Any]:
    """Return one model."""
    found = (await _models(services, current_user)).get(model)
    if found is None:
        raise ModelUnknown("There is no such model, or you may not use it.")
    return found
