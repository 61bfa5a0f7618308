"""The models that a program may use."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.permissions import Action, ResourceKind, Scope
from rxchat.domain.preferences import MODEL_CHARACTERS

router = APIRouter(prefix="/api/v1/models", tags=["models"])


class ModelOut(BaseModel):
    """A model. `capabilities` are in Ollama's words (`completion`, `tools`, `vision`, `thinking`); none if its host names none.

    `remote_host` is the service outside of this network that answers, if one does.
    """

    name: str
    title: str
    description: str
    parameters: str
    context_tokens: int
    capabilities: list[str]
    remote_host: str
    is_default: bool
    is_favorite: bool


class Favorite(BaseModel, extra="forbid"):
    """Whether a model is among the user's favorites."""

    model: str = Field(max_length=MODEL_CHARACTERS)
    is_favorite: bool


class Favorites(BaseModel):
    """The user's favorite models."""

    models: list[str]


@router.get("", **needs(Scope.CHAT))
async def list_models(current_user: SignedIn, services: ServicesDep) -> list[ModelOut]:
    """List the models that the user may use, in the order that administrators set."""
    offer = await services.models.catalog.offer()
    names = [model.name for model in offer.models]
    favorites = await services.app.preferences.favorite_models(current_user)
    usable = await services.access.grants.usable(current_user, ResourceKind.MODEL, Action.USE, names)
    return [
        ModelOut(
            name=model.name,
            title=model.title,
            description=model.description,
            parameters=model.parameters,
            context_tokens=model.context_tokens,
            capabilities=sorted(model.capabilities),
            remote_host=model.remote_host,
            is_default=model.name == offer.default,
            is_favorite=model.name in favorites,
        )
        for model in offer.models
        if model.name in usable
    ]


@router.put("/favorites", **needs(Scope.CHAT))
async def set_favorite_model(body: Favorite, current_user: SignedIn, services: ServicesDep) -> Favorites:
    """Put a model among the user's favorites, or remove it from them."""
    found = await services.app.preferences.set_favorite_model(current_user, body.model, is_favorite=body.is_favorite)
    return Favorites(models=list(found))
