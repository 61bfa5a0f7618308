"""Assistants for programs: list, create, read, change, share, versions, and which one a conversation has."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.api.v1.conversations import PATH as CONVERSATIONS
from rxchat.api.v1.conversations import seq_of
from rxchat.api.v1.messages import Parameters
from rxchat.api.v1.paging import link_next, name_cursor_of, name_position_of
from rxchat.api.v1.scopes import needs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.assistants import Assistant, AssistantContent, AssistantMark, AssistantVersion
from rxchat.domain.permissions import Scope

PATH = "/api/v1/assistants"
_MOST_LISTED = 100
_Number = Annotated[int, Field(ge=1, le=1_000_000)]

router = APIRouter(tags=["assistants"])


class AssistantBody(BaseModel, extra="forbid"):
    """What an assistant is; limits are those of the editor."""

    name: str = Field(max_length=1_000, examples=["Translator"])
    description: str = Field(default="", max_length=2_000)
    icon: str = Field(default="", max_length=50, examples=["🌍"])
    model: str = Field(default="", max_length=300)
    """The model of new conversations with it; empty: the user's own."""
    system_prompt: str = Field(default="", max_length=20_000, examples=["Translate everything into French."])
    parameters: Parameters = Field(default_factory=dict)
    may_use_tools: bool = True
    collection_ids: list[UUID] = Field(default_factory=list, max_length=100)
    starters: list[str] = Field(default_factory=list, max_length=50)

    def content(self) -> AssistantContent:
        """Return it as the domain's value."""
        given = self.model_dump()
        return AssistantContent(
            **given | {"collection_ids": tuple(self.collection_ids), "starters": tuple(self.starters)}
        )


class AssistantOut(BaseModel):
    """An assistant. `version` is what `ETag` has, too."""

    id: UUID
    name: str
    description: str
    icon: str
    model: str
    system_prompt: str
    parameters: dict[str, Any]
    may_use_tools: bool
    collection_ids: list[UUID]
    starters: list[str]
    version: int
    updated_at: datetime
    is_own: bool
    may_write: bool


class AssistantPage(BaseModel):
    """A page of the list. The header `Link` has the address of the next one, with `next_cursor`."""

    assistants: list[AssistantOut]
    next_cursor: str | None


class VersionOut(BaseModel):
    """A version of an assistant, which is kept."""

    version: int
    name: str
    content: dict[str, Any]
    changed_at: datetime
    changed_by: str
    restored_from: int | None


class AssistantShare(BaseModel):
    """A share of an assistant."""

    id: UUID
    kind: str
    name: str
    may_write: bool


class NewAssistantShare(BaseModel, extra="forbid"):
    """With whom an assistant is shared: a user by address, a group by ID, or everyone (`*`)."""

    kind: Literal["user", "group", "everyone"]
    principal: str = Field(default="", max_length=400)
    may_write: bool = False


class ChosenOut(BaseModel):
    """The assistant of a conversation; `newest_version` is null if it was deleted, or is no longer shared with you."""

    id: UUID
    name: str
    version: int
    newest_version: int | None


class ChosenBody(BaseModel, extra="forbid"):
    """The assistant whose newest version the conversation gets; null for none."""

    assistant_id: UUID | None


@router.get(PATH, **needs(Scope.READ))
async def list_assistants(
    current_user: SignedIn,
    services: ServicesDep,
    response: Response,
    cursor: Annotated[str, Query(max_length=1_000)] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST_LISTED)] = 50,
) -> AssistantPage:
    """List the assistants that the user may use, by name."""
    found = await services.chat.assistants.readable(current_user, after=name_position_of(cursor), limit=limit + 1)
    shown = found[:limit]
    following = name_cursor_of(shown[-1].content.name.lower(), shown[-1].id) if len(found) > limit else None
    if following is not None:
        link_next(response, PATH, cursor=following, limit=limit)
    return AssistantPage(assistants=[_out(item, current_user) for item in shown], next_cursor=following)


@router.post(PATH, status_code=201, **needs(Scope.CHAT))
async def create_assistant(
    body: AssistantBody, current_user: SignedIn, services: ServicesDep, response: Response
) -> AssistantOut:
    """Create an assistant."""
    assistant_id = await services.chat.assistants.create(current_user, body.content())
    response.headers["Location"] = f"{PATH}/{assistant_id}"
    return _shown(await services.chat.assistants.get(current_user, assistant_id), current_user, response)


@router.get(f"{PATH}/{{assistant_id}}", **needs(Scope.READ))
async def get_assistant(
    assistant_id: UUID, current_user: SignedIn, services: ServicesDep, response: Response
) -> AssistantOut:
    """Return an assistant that the user may use."""
    return _shown(await services.chat.assistants.get(current_user, assistant_id), current_user, response)


@router.put(f"{PATH}/{{assistant_id}}", **needs(Scope.CHAT))
async def change_assistant(
    assistant_id: UUID,
    body: AssistantBody,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    response: Response,
    if_match: Annotated[str, Header(max_length=100)] = "",
) -> AssistantOut:
    """Change an assistant: its next version. With `If-Match`, only the version with this `ETag`, otherwise 412."""
    assistants = services.chat.assistants
    await assistants.change(
        current_user, assistant_id, body.content(), client_info_of(request), version=seq_of(if_match)
    )
    return _shown(await assistants.get(current_user, assistant_id), current_user, response)


@router.delete(f"{PATH}/{{assistant_id}}", status_code=204, **needs(Scope.CHAT))
async def delete_assistant(assistant_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete one of the user's own assistants. It can be restored for 30 days."""
    await services.chat.assistants.remove(current_user, assistant_id)


@router.post(f"{PATH}/{{assistant_id}}/restore", status_code=204, **needs(Scope.CHAT))
async def restore_assistant(assistant_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Restore a deleted assistant."""
    await services.chat.assistants.restore(current_user, assistant_id)


@router.get(f"{PATH}/{{assistant_id}}/versions", **needs(Scope.READ))
async def list_assistant_versions(
    assistant_id: UUID, current_user: SignedIn, services: ServicesDep
) -> list[VersionOut]:
    """List all versions of an assistant that the user may change, the newest first; this needs the scope `chat`, too."""
    return [_version(item) for item in await services.chat.assistants.versions(current_user, assistant_id)]


@router.post(f"{PATH}/{{assistant_id}}/versions/{{number}}/restore", **needs(Scope.CHAT))
async def restore_assistant_version(
    assistant_id: UUID, number: _Number, request: Request, current_user: SignedIn, services: ServicesDep,
    response: Response,
) -> AssistantOut:  # fmt: skip
    """Make an earlier version the newest one, as a new version."""
    assistants = services.chat.assistants
    newest = (await assistants.get(current_user, assistant_id)).version
    await assistants.restore_version(current_user, assistant_id, number, newest, client_info_of(request))
    return _shown(await assistants.get(current_user, assistant_id), current_user, response)


@router.get(f"{PATH}/{{assistant_id}}/shares", **needs(Scope.CHAT))
async def list_assistant_shares(
    assistant_id: UUID, current_user: SignedIn, services: ServicesDep
) -> list[AssistantShare]:
    """List with whom one of the user's own assistants is shared."""
    return [
        AssistantShare(id=item.grant_id, kind=item.principal_kind, name=item.name, may_write=item.may_write)
        for item in await services.chat.assistant_shares.of(current_user, assistant_id)
    ]


@router.post(f"{PATH}/{{assistant_id}}/shares", status_code=201, **needs(Scope.CHAT))
async def share_assistant(
    assistant_id: UUID, body: NewAssistantShare, request: Request, current_user: SignedIn, services: ServicesDep
) -> dict[str, str]:
    """Share an assistant, or change how it is shared."""
    name = await services.chat.assistant_shares.add(
        current_user, assistant_id, body.kind, body.principal, client_info_of(request), may_write=body.may_write
    )
    return {"name": name}


@router.delete(f"{PATH}/{{assistant_id}}/shares/{{share_id}}", status_code=204, **needs(Scope.CHAT))
async def unshare_assistant(
    assistant_id: UUID, share_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep
) -> None:
    """Revoke a share."""
    await services.chat.assistant_shares.remove(current_user, assistant_id, share_id, client_info_of(request))


@router.get(f"{CONVERSATIONS}/{{conversation_id}}/assistant", **needs(Scope.READ))
async def get_conversation_assistant(
    conversation_id: UUID, current_user: SignedIn, services: ServicesDep
) -> ChosenOut | None:
    """Return the assistant of one of the user's own conversations; null if it has none."""
    return _chosen(await services.chat.conversation_assistants.of(current_user, conversation_id))


@router.put(f"{CONVERSATIONS}/{{conversation_id}}/assistant", **needs(Scope.CHAT))
async def set_conversation_assistant(
    conversation_id: UUID, body: ChosenBody, current_user: SignedIn, services: ServicesDep
) -> ChosenOut | None:
    """Give a conversation the newest version of an assistant, from its next answer on; its model stays. Null for none."""
    found = await services.chat.conversation_assistants.choose(current_user, conversation_id, body.assistant_id)
    return _chosen(found)


def _shown(found: Assistant, current_user: CurrentUser, response: Response) -> AssistantOut:
    response.headers["ETag"] = f'"{found.version}"'
    return _out(found, current_user)


def _out(found: Assistant, current_user: CurrentUser) -> AssistantOut:
    return AssistantOut(
        **found.content.data,
        id=found.id,
        version=found.version,
        updated_at=found.updated_at,
        is_own=found.owner_id == current_user.user_id,
        may_write=found.may_write,
    )


def _version(item: AssistantVersion) -> VersionOut:
    return VersionOut(
        version=item.version, name=item.content.name, content=item.content.data, changed_at=item.changed_at,
        changed_by=item.changed_by, restored_from=item.restored_from,
    )  # fmt: skip


def _chosen(found: AssistantMark | None) -> ChosenOut | None:
    if found is None:
        return None
    return ChosenOut(id=found.id, name=found.name, version=found.version, newest_version=found.newest or None)
