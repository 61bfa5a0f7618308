"""The user's tags, and the conversations that have them, for API clients."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.domain.tags import TagColor

router = APIRouter(prefix="/api", tags=["tags"])


class TagOut(BaseModel):
    """A tag, and how many conversations have it."""

    id: UUID
    name: str
    color: TagColor
    count: int


class NewTag(BaseModel):
    """A tag to create; without a color it gets one that is used little."""

    name: str
    color: TagColor | None = None


class TagChange(BaseModel):
    """What changes of a tag; what is left out stays."""

    name: str | None = None
    color: TagColor | None = None


class TagId(BaseModel):
    """The ID of a tag."""

    id: UUID


@router.get("/tags")
async def list_tags(current_user: SignedIn, services: ServicesDep) -> list[TagOut]:
    """List the user's tags by name."""
    found = await services.chat.organizing.tags.of_user(current_user)
    return [TagOut.model_validate(tag, from_attributes=True) for tag in found]


@router.post("/tags", status_code=201)
async def create_tag(wanted: NewTag, current_user: SignedIn, services: ServicesDep) -> TagId:
    """Create a tag, or return the ID of the one that has this name."""
    return TagId(id=await services.chat.organizing.tags.create(current_user, wanted.name, wanted.color))


@router.patch("/tags/{tag_id}", status_code=204)
async def change_tag(tag_id: UUID, wanted: TagChange, current_user: SignedIn, services: ServicesDep) -> None:
    """Change a tag's name or color."""
    await services.chat.organizing.tags.change(current_user, tag_id, name=wanted.name, color=wanted.color)


@router.delete("/tags/{tag_id}", status_code=204)
async def delete_tag(tag_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a tag; its conversations stay."""
    await services.chat.organizing.tags.delete(current_user, tag_id)


@router.put("/conversations/{conversation_id}/tags/{tag_id}", status_code=204)
async def add_tag(conversation_id: UUID, tag_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Add a tag to a conversation."""
    await services.chat.organizing.tags.set(current_user, [conversation_id], tag_id, is_set=True)


@router.delete("/conversations/{conversation_id}/tags/{tag_id}", status_code=204)
async def remove_tag(conversation_id: UUID, tag_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Remove a tag from a conversation."""
    await services.chat.organizing.tags.set(current_user, [conversation_id], tag_id, is_set=False)
