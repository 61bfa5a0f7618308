"""What clients of Ollama ask about models: which there are, and what they can do."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelUnknown
from rxchat.domain.permissions import Action, ResourceKind, Scope
from rxchat.services.app.container import Services

router = APIRouter(prefix="/ollama/api", tags=["Ollama"])
VERSION = "0.32.15"
"""The version of the daemon whose API this is."""
_MODIFIED = "2026-01-01T00:00:00Z"


class ModelName(BaseModel):
    """A model, as older and newer clients name it."""

    model: str = Field(default="", max_length=300)
    name: str = Field(default="", max_length=300)


async def _usable(services: Services, current_user: CurrentUser) -> list[ModelInfo]:
    offer = await services.models.catalog.offer()
    names = [model.name for model in offer.models]
    usable = await services.access.grants.usable(current_user, ResourceKind.MODEL, Action.USE, names)
    return [model for model in offer.models if model.name in usable]


@router.get("/version", **needs(Scope.CHAT))
async def get_ollama_version() -> dict[str, str]:
    """Return the version of the API."""
    return {"version": VERSION}


@router.get("/tags", **needs(Scope.CHAT))
async def list_ollama_models(current_user: SignedIn, services: ServicesDep) -> dict[str, Any]:
    """List the models that the user may use."""
    return {"models": [_tag(model) for model in await _usable(services, current_user)]}


@router.get("/ps", **needs(Scope.CHAT))
async def list_running_models() -> dict[str, Any]:
    """Return nothing: what a host has in memory is the operator's business."""
    return {"models": []}


@router.post("/show", **needs(Scope.CHAT))
async def show_ollama_model(body: ModelName, current_user: SignedIn, services: ServicesDep) -> dict[str, Any]:
    """Return what a model can do."""
    wanted = body.model or body.name
    found = next((model for model in await _usable(services, current_user) if model.name == wanted), None)
    if found is None:
        raise ModelUnknown("There is no such model, or you may not use it.")
    shown = _tag(found)
    return {
        "details": shown["details"],
        "capabilities": shown["capabilities"],
        "model_info": {"general.architecture": "unknown", "unknown.context_length": found.context_tokens},
        "modified_at": _MODIFIED,
    }


def _tag(model: ModelInfo) -> dict[str, Any]:
    return {
        "name": model.name,
        "model": model.name,
        "modified_at": _MODIFIED,
        "size": model.size_bytes,
        # Of the name: clients compare digests to see whether two entries are one model.
        "digest": hashlib.sha256(model.name.encode(errors="replace")).hexdigest(),
        "details": {"format": "", "family": "", "parameter_size": model.parameters, "quantization_level": ""},
        "capabilities": sorted(model.capabilities or {"completion"}),
    }
