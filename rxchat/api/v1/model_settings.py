"""What administrators set for models, for their programs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.api.v1.conversations import seq_of
from rxchat.api.v1.messages import Parameters
from rxchat.api.v1.scopes import needs
from rxchat.domain.authorization import require
from rxchat.domain.model_parameters import SYSTEM_PROMPT_CHARACTERS
from rxchat.domain.model_settings import (
    DESCRIPTION_CHARACTERS,
    LABEL_CHARACTERS,
    MOST_FALLBACKS,
    ModelSetting,
    ModelSettingDraft,
)
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.preferences import MODEL_CHARACTERS

router = APIRouter(prefix="/api/v1/admin/models", tags=["admin"])


async def _manages_models(current_user: SignedIn) -> None:
    """Refuse others before their requests are read."""
    require(current_user, Permission.MODELS_MANAGE)


_NEEDS = needs(Scope.ADMIN, Depends(_manages_models))
Name = Annotated[str, Path(max_length=MODEL_CHARACTERS)]


class ModelSettingIn(BaseModel, extra="forbid"):
    """What is set for a model; what is left out is not set."""

    label: str = Field(default="", max_length=LABEL_CHARACTERS, description="The name that users see.")
    description: str = Field(default="", max_length=DESCRIPTION_CHARACTERS)
    is_hidden: bool = Field(default=False, description="Left out of lists; conversations that use it continue to.")
    is_default: bool = Field(
        default=False, description="It answers in new conversations; another default is none then."
    )
    system_prompt: str = Field(default="", max_length=SYSTEM_PROMPT_CHARACTERS)
    parameters: Parameters = Field(default_factory=dict)
    fallbacks: list[str] = Field(
        default_factory=list,
        max_length=MOST_FALLBACKS,
        description="Who answers while it does not respond, the best first.",
    )


class ModelSettingOut(BaseModel):
    """What is set for a model. `position` is its position in the list, null if it has none. `ETag` has its version."""

    model: str
    label: str
    description: str
    position: int | None
    is_hidden: bool
    is_default: bool
    system_prompt: str
    parameters: dict[str, Any]
    fallbacks: list[str]


class Move(BaseModel, extra="forbid"):
    """By how many positions a model moves down in the list; negative numbers move it up."""

    step: int = Field(ge=-10_000, le=10_000)


@router.get("", **_NEEDS)
async def list_model_settings(current_user: SignedIn, services: ServicesDep) -> list[ModelSettingOut]:
    """List the models for which something is set. Needs the permission `models.manage`, like all of these routes."""
    return [_out(item) for item in (await services.models.settings.all(current_user)).values()]


@router.get("/{model:path}", **_NEEDS)
async def get_model_setting(
    model: Name, current_user: SignedIn, services: ServicesDep, response: Response
) -> ModelSettingOut:
    """Return what is set for a model."""
    return _tagged(await services.models.settings.get(current_user, model), response)


@router.put("/{model:path}", **_NEEDS)
async def set_model_setting(
    model: Name,
    body: ModelSettingIn,
    current_user: SignedIn,
    request: Request,
    services: ServicesDep,
    response: Response,
    if_match: Annotated[str, Header(max_length=100)] = "",
) -> ModelSettingOut:
    """Set everything for a model except its position. With `If-Match`, only of the version with this `ETag`, otherwise 412.

    It applies in all processes at once, to answers that begin after it.
    """
    found = await services.models.settings.change(
        current_user,
        ModelSettingDraft(model=model, **body.model_dump()),
        client_info_of(request),
        expected_version=seq_of(if_match),
    )
    return _tagged(found, response)


@router.post("/{model:path}/move", status_code=204, **_NEEDS)
async def move_model(model: Name, body: Move, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Move a model in the list that users see."""
    await services.models.settings.move(current_user, model, body.step, client_info_of(request))


@router.delete("/{model:path}", status_code=204, **_NEEDS)
async def reset_model(model: Name, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Remove everything that is set for a model, its position included."""
    await services.models.settings.reset(current_user, model, client_info_of(request))


def _tagged(found: ModelSetting, response: Response) -> ModelSettingOut:
    response.headers["ETag"] = f'"{found.version}"'
    return _out(found)


def _out(found: ModelSetting) -> ModelSettingOut:
    return ModelSettingOut(
        model=found.model,
        label=found.label,
        description=found.description,
        position=found.position,
        is_hidden=found.is_hidden,
        is_default=found.is_default,
        system_prompt=found.configuration.system_prompt,
        parameters=dict(found.configuration.parameters),
        fallbacks=list(found.fallbacks),
    )
