"""The models that a program may use."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.permissions import Action, ResourceKind, Scope

router = APIRouter(prefix="/api/v1/models", tags=["models"])


class ModelOut(BaseModel):
    """A model. `capabilities` are in Ollama's words (`completion`, `tools`, `vision`, `thinking`); none if its host names none."""

    name: str
    parameters: str
    context_tokens: int
    capabilities: list[str]
    is_default: bool


@router.get("", **needs(Scope.CHAT))
async def list_models(current_user: SignedIn, services: ServicesDep) -> list[ModelOut]:
    """List the models that the user may use."""
    offer = await services.models.catalog.offer()
    names = [model.name for model in offer.models]
    usable = await services.access.grants.usable(current_user, ResourceKind.MODEL, Action.USE, names)
    return [
        ModelOut(
            name=model.name,
            parameters=model.parameters,
            context_tokens=model.context_tokens,
            capabilities=sorted(model.capabilities),
            is_default=model.name == offer.default,
        )
        for model in offer.models
        if model.name in usable
    ]
