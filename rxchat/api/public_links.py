"""Public links to conversations: made and revoked by their owner, opened by everyone who has one."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of, origin_of
from rxchat.domain.public_links import PublicLinkOptions

router = APIRouter(tags=["public links"])


class NewPublicLink(BaseModel):
    """How long a link is valid, its password, and what is blacked out."""

    days: int | None = None
    """None: it never expires."""
    password: str = Field(default="", max_length=10_000)
    redactions: str = Field(default="", max_length=20_000)
    """Texts to black out, one in each line."""


class PublicLinkOut(BaseModel):
    """A public link."""

    id: UUID
    conversation_id: UUID
    title: str
    created_at: datetime
    expires_at: datetime | None
    has_password: bool


class CreatedPublicLink(PublicLinkOut):
    """A new link with its address, which is shown once."""

    url: str


class PublicLinkToken(BaseModel):
    """The token of a link, which stands behind the `#` of its address, and its password."""

    token: str = Field(max_length=200)
    password: str = Field(default="", max_length=10_000)


class PublicConversationOut(BaseModel):
    """What a link shows."""

    title: str
    messages: list[dict[str, Any]]
    created_at: datetime
    expires_at: datetime | None


@router.get("/api/conversations/{conversation_id}/public-links")
async def list_public_links(
    conversation_id: UUID, current_user: SignedIn, services: ServicesDep
) -> list[PublicLinkOut]:
    """List the user's links to a conversation, newest first."""
    found = await services.chat.public_links.of_conversation(current_user, conversation_id)
    return [PublicLinkOut.model_validate(item, from_attributes=True) for item in found]


@router.post("/api/conversations/{conversation_id}/public-links", status_code=201)
async def create_public_link(
    conversation_id: UUID, body: NewPublicLink, request: Request, current_user: SignedIn, services: ServicesDep
) -> CreatedPublicLink:
    """Create a link to the conversation as it is now."""
    options = PublicLinkOptions(body.days, body.password, body.redactions)
    link, token = await services.chat.public_links.create(
        current_user, conversation_id, options, client_info_of(request)
    )
    shown = PublicLinkOut.model_validate(link, from_attributes=True)
    return CreatedPublicLink(**shown.model_dump(), url=f"{origin_of(request)}/shared#token={token}")


@router.delete("/api/public-links/{link_id}", status_code=204)
async def revoke_public_link(link_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep) -> None:
    """Revoke a link; it shows nothing from then on."""
    await services.chat.public_links.revoke(current_user, link_id, client_info_of(request))


@router.post("/api/public-links/open")
async def open_public_link(body: PublicLinkToken, request: Request, services: ServicesDep) -> PublicConversationOut:
    """Return what a link shows; the link itself is the proof, and its password, if it has one."""
    found = await services.chat.public_links.open(body.token, body.password, client_info_of(request))
    return PublicConversationOut.model_validate(found, from_attributes=True)
