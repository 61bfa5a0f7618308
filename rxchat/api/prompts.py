"""Prompts: the library of a user, with versions, sharing and the text that variables make, for API clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.prompt_variables import variables_in
from rxchat.domain.prompts import Prompt

router = APIRouter(prefix="/api", tags=["prompts"])
_Number = Annotated[int, Path(ge=1, le=2_000_000_000)]


class NewPrompt(BaseModel):
    """What a prompt says. Without a command it gets the one that its title makes."""

    title: str = Field(max_length=1_000)
    command: str = Field(default="", max_length=1_000)
    text: str = Field(max_length=60_000)
    description: str = Field(default="", max_length=5_000)


class ChangedPrompt(BaseModel):
    """What is to change, of which version; the rest stays."""

    version: int = Field(ge=1, le=2_000_000_000)
    title: str | None = Field(default=None, max_length=1_000)
    command: str | None = Field(default=None, max_length=1_000)
    text: str | None = Field(default=None, max_length=60_000)
    description: str | None = Field(default=None, max_length=5_000)


class RestoredVersion(BaseModel):
    """The newest version that the client knows."""

    version: int = Field(ge=1, le=2_000_000_000)


class Values(BaseModel):
    """Values for a prompt's variables, by their names."""

    values: dict[str, str] = Field(default_factory=dict, max_length=100)


class NewShare(BaseModel):
    """With whom to share: `user` (the e-mail address), `group` (its ID) or `everyone`."""

    kind: str = Field(max_length=20)
    principal: str = Field(default="", max_length=320)
    may_write: bool = False


class PromptLine(BaseModel):
    """A prompt of the library, without its text."""

    id: UUID
    title: str
    command: str
    description: str
    version: int
    updated_at: datetime
    is_own: bool
    is_shared: bool
    may_write: bool


class VariableOut(BaseModel):
    """A variable of a prompt; `default` is null if a value is required."""

    name: str
    default: str | None
    choices: list[str]


class PromptOut(BaseModel):
    """A prompt as it is now."""

    id: UUID
    title: str
    command: str
    description: str
    text: str
    variables: list[VariableOut]
    version: int
    updated_at: datetime
    is_own: bool
    may_write: bool


class VersionOut(BaseModel):
    """A version of a prompt."""

    version: int
    title: str
    command: str
    description: str
    text: str
    changed_at: datetime
    changed_by: str
    restored_from: int | None


class DeletedPromptOut(BaseModel):
    """A deleted prompt that can be restored."""

    id: UUID
    title: str
    deleted_at: datetime


class ShareOut(BaseModel):
    """A share of a prompt."""

    id: UUID
    kind: str
    name: str
    may_write: bool


@router.get("/prompts")
async def list_prompts(current_user: SignedIn, services: ServicesDep) -> list[PromptLine]:
    """List the prompts that the user may read, their own first."""
    return [
        PromptLine(
            id=item.id, title=item.title, command=item.command, description=item.description, version=item.version,
            updated_at=item.updated_at, is_own=item.owner_id == current_user.user_id, is_shared=item.is_shared,
            may_write=item.may_write,
        )
        for item in await services.chat.prompts.library(current_user)
    ]  # fmt: skip


@router.post("/prompts", status_code=201)
async def create_prompt(body: NewPrompt, current_user: SignedIn, services: ServicesDep) -> dict[str, UUID]:
    """Create a prompt."""
    created = await services.chat.prompts.create(
        current_user, title=body.title, command=body.command, text=body.text, description=body.description
    )
    return {"id": created}


@router.get("/prompts/{prompt_id}")
async def get_prompt(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> PromptOut:
    """Return a prompt with its text and variables."""
    return _prompt(await services.chat.prompts.get(current_user, prompt_id), current_user)


@router.patch("/prompts/{prompt_id}")
async def change_prompt(
    prompt_id: UUID, body: ChangedPrompt, request: Request, current_user: SignedIn, services: ServicesDep
) -> PromptOut:
    """Change a prompt: 409 if there is a newer version than the one in the request."""
    prompts = services.chat.prompts
    found = (await prompts.get(current_user, prompt_id)).content
    await prompts.change(
        current_user,
        prompt_id,
        body.version,
        title=found.title if body.title is None else body.title,
        command=found.command if body.command is None else body.command,
        text=found.text if body.text is None else body.text,
        description=found.description if body.description is None else body.description,
        client_info=client_info_of(request),
    )
    return _prompt(await prompts.get(current_user, prompt_id), current_user)


@router.delete("/prompts/{prompt_id}", status_code=204)
async def delete_prompt(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a prompt; it can be restored for 30 days."""
    await services.chat.prompts.remove(current_user, prompt_id)


@router.get("/deleted-prompts")
async def list_deleted_prompts(current_user: SignedIn, services: ServicesDep) -> list[DeletedPromptOut]:
    """List the deleted prompts that can be restored, the latest deleted first."""
    found = await services.chat.prompts.deleted(current_user)
    return [DeletedPromptOut.model_validate(item, from_attributes=True) for item in found]


@router.post("/deleted-prompts/{prompt_id}/restore")
async def restore_prompt(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> PromptOut:
    """Restore a deleted prompt; its command gets a number if another prompt has it by now."""
    await services.chat.prompts.restore(current_user, prompt_id)
    return _prompt(await services.chat.prompts.get(current_user, prompt_id), current_user)


@router.delete("/deleted-prompts/{prompt_id}", status_code=204)
async def purge_prompt(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a deleted prompt permanently."""
    await services.chat.prompts.delete_for_good(current_user, prompt_id)


@router.post("/prompts/{prompt_id}/duplicate", status_code=201)
async def duplicate_prompt(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> dict[str, UUID]:
    """Copy a prompt into the user's own library."""
    return {"id": await services.chat.prompts.duplicate(current_user, prompt_id)}


@router.post("/prompts/{prompt_id}/fill")
async def fill_prompt(prompt_id: UUID, body: Values, current_user: SignedIn, services: ServicesDep) -> dict[str, str]:
    """Return the text of a prompt with values for its variables; those that are left out have their defaults."""
    return {"text": await services.chat.prompts.filled(current_user, prompt_id, body.values)}


@router.get("/prompts/{prompt_id}/versions")
async def list_prompt_versions(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> list[VersionOut]:
    """List all versions of a prompt that the user may change, the newest first."""
    return [
        VersionOut(
            version=item.version, title=item.content.title, command=item.content.command,
            description=item.content.description, text=item.content.text, changed_at=item.changed_at,
            changed_by=item.changed_by, restored_from=item.restored_from,
        )
        for item in await services.chat.prompts.versions(current_user, prompt_id)
    ]  # fmt: skip


@router.post("/prompts/{prompt_id}/versions/{number}/restore")
async def restore_prompt_version(
    prompt_id: UUID, number: _Number, body: RestoredVersion, request: Request, current_user: SignedIn,
    services: ServicesDep,
) -> PromptOut:  # fmt: skip
    """Make an earlier version the newest one, as a new version."""
    prompts = services.chat.prompts
    await prompts.restore_version(current_user, prompt_id, number, body.version, client_info_of(request))
    return _prompt(await prompts.get(current_user, prompt_id), current_user)


@router.get("/prompts/{prompt_id}/shares")
async def list_prompt_shares(prompt_id: UUID, current_user: SignedIn, services: ServicesDep) -> list[ShareOut]:
    """List with whom one of the user's own prompts is shared."""
    return [
        ShareOut(id=item.grant_id, kind=item.principal_kind, name=item.name, may_write=item.may_write)
        for item in await services.chat.prompt_shares.of(current_user, prompt_id)
    ]


@router.post("/prompts/{prompt_id}/shares", status_code=201)
async def share_prompt(
    prompt_id: UUID, body: NewShare, request: Request, current_user: SignedIn, services: ServicesDep
) -> dict[str, str]:
    """Share a prompt, or change how it is shared."""
    name = await services.chat.prompt_shares.add(
        current_user,
        prompt_id,
        body.kind,
        body.principal,
        may_write=body.may_write,
        client_info=client_info_of(request),
    )
    return {"name": name}


@router.delete("/prompts/{prompt_id}/shares/{share_id}", status_code=204)
async def unshare_prompt(
    prompt_id: UUID, share_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep
) -> None:
    """Revoke a share."""
    await services.chat.prompt_shares.remove(current_user, prompt_id, share_id, client_info_of(request))


def _prompt(item: Prompt, current_user: CurrentUser) -> PromptOut:
    return PromptOut(
        id=item.id, title=item.content.title, command=item.content.command, description=item.content.description,
        text=item.content.text, version=item.version, updated_at=item.updated_at, may_write=item.may_write,
        is_own=item.owner_id == current_user.user_id,
        variables=[
            VariableOut(name=variable.name, default=variable.default, choices=list(variable.choices))
            for variable in variables_in(item.content.text)
        ],
    )  # fmt: skip
