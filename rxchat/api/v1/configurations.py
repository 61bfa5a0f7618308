"""How the answers of a conversation are to be, for programs: its system prompt and parameters."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.conversations import PATH, seq_of
from rxchat.api.v1.messages import Parameters
from rxchat.api.v1.scopes import needs
from rxchat.domain.model_parameters import SYSTEM_PROMPT_CHARACTERS
from rxchat.domain.permissions import Scope
from rxchat.services.chat.configurations import Configured

router = APIRouter(prefix=PATH, tags=["conversations"])


class NewConfiguration(BaseModel, extra="forbid"):
    """What is set for all answers of a conversation from now on; what is left out is not set."""

    system_prompt: str = Field(default="", max_length=SYSTEM_PROMPT_CHARACTERS, examples=["Answer in one sentence."])
    parameters: Parameters = Field(default_factory=dict)


class ConfigurationOut(BaseModel):
    """What is set for a conversation. `ETag` has the conversation's version."""

    system_prompt: str
    parameters: dict[str, Any]


@router.get("/{conversation_id}/configuration", **needs(Scope.READ))
async def get_configuration(
    conversation_id: UUID, current_user: SignedIn, services: ServicesDep, response: Response
) -> ConfigurationOut:
    """Return the system prompt and the parameters of one of the user's own conversations."""
    return _shown(await services.chat.configurations.of(current_user, conversation_id), response)


@router.put("/{conversation_id}/configuration", **needs(Scope.CHAT))
async def set_configuration(
    conversation_id: UUID,
    body: NewConfiguration,
    current_user: SignedIn,
    services: ServicesDep,
    response: Response,
    if_match: Annotated[str, Header(max_length=100)] = "",
) -> ConfigurationOut:
    """Set the system prompt and the parameters of a conversation. With `If-Match`, only of the version with this `ETag`, otherwise 412.

    What the conversation's model does not take is refused with 422, and `field` names it.
    """
    changed = await services.chat.configurations.change(
        current_user, conversation_id, body.system_prompt, body.parameters, expected_seq=seq_of(if_match)
    )
    return _shown(changed, response)


def _shown(found: Configured, response: Response) -> ConfigurationOut:
    response.headers["ETag"] = f'"{found.seq}"'
    said = found.configuration
    return ConfigurationOut(system_prompt=said.system_prompt, parameters=dict(said.parameters))
