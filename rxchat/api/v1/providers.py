"""Providers of models, for administrators' programs. Keys and values of headers are accepted, and never returned."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.api.v1.scopes import needs
from rxchat.domain.authorization import require
from rxchat.domain.model_providers import DEFAULT_TIMEOUT, LONGEST_HEADERS, LONGEST_KEY, ProviderDraft
from rxchat.domain.permissions import Permission, Scope
from rxchat.domain.provider_addresses import LONGEST_URLS

router = APIRouter(prefix="/api/v1/admin/providers", tags=["admin"])


async def _manages_models(current_user: SignedIn) -> None:
    """Refuse others before their requests are read."""
    require(current_user, Permission.MODELS_MANAGE)


_NEEDS = needs(Scope.ADMIN, Depends(_manages_models))
Name = Annotated[str, Path(max_length=30)]


class ProviderIn(BaseModel):
    """How to reach a provider. A `key` or `headers` of null stay as stored, if the address leads to the same server."""

    kind: Literal["ollama", "openai", "anthropic"]
    url: str = Field(
        max_length=LONGEST_URLS,
        description="For Ollama, several hosts with the same models may be separated by commas.",
    )
    timeout_seconds: int = Field(
        default=DEFAULT_TIMEOUT, description="How long an answer may take to begin: 5 to 3600."
    )
    key: str | None = Field(default=None, max_length=LONGEST_KEY, repr=False)
    headers: str | None = Field(
        default=None, max_length=LONGEST_HEADERS, repr=False, description="One on each line, as `Name: value`."
    )

    def draft(self, name: str) -> ProviderDraft:
        """Return it as a service takes it."""
        return ProviderDraft(name, self.kind, self.url, self.timeout_seconds, self.key, self.headers)


class NewProvider(ProviderIn):
    """A new provider: with the name with which the names of its models begin."""

    name: str = Field(max_length=30)


class ProviderOut(BaseModel):
    """A provider, whether it works (`problem` is "" then), and how many models it offers."""

    name: str
    kind: str
    url: str
    timeout_seconds: int
    is_enabled: bool
    is_from_settings: bool
    has_key: bool
    header_names: list[str]
    models: int
    problem: str
    created_at: datetime | None
    updated_at: datetime | None


class ProvidersOut(BaseModel):
    """All providers, those of the settings first."""

    providers: list[ProviderOut]


class ProviderTest(BaseModel):
    """The models that a provider has for chats, or why it does not work."""

    models: list[str]
    problem: str


class ModelInUseOut(BaseModel):
    """A model, and how many conversations of how many users are to be answered by it next."""

    model: str
    conversations: int
    users: int


@router.get("", **_NEEDS)
async def list_providers(current_user: SignedIn, services: ServicesDep) -> ProvidersOut:
    """List all providers with their states. Needs the permission `models.manage`, like all routes of providers."""
    found = await services.models.providers.all(current_user)
    return ProvidersOut(
        providers=[
            ProviderOut(
                name=item.provider.name,
                kind=item.provider.kind.value,
                url=item.provider.url,
                timeout_seconds=item.provider.timeout_seconds,
                is_enabled=item.provider.is_enabled,
                is_from_settings=item.provider.is_from_settings,
                has_key=item.provider.has_key,
                header_names=list(item.provider.header_names),
                models=item.models,
                problem=item.problem,
                created_at=item.provider.created_at,
                updated_at=item.provider.updated_at,
            )
            for item in found
        ]
    )


@router.post("", status_code=204, **_NEEDS)
async def add_provider(body: NewProvider, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Add a provider; its models are offered at once."""
    await services.models.providers.add(current_user, body.draft(body.name), client_info_of(request))


@router.put("/{name}", status_code=204, **_NEEDS)
async def change_provider(
    name: Name, body: ProviderIn, current_user: SignedIn, request: Request, services: ServicesDep
) -> None:
    """Change a provider; answers that are being written end on the previous server."""
    await services.models.providers.change(current_user, body.draft(name), client_info_of(request))


@router.post("/{name}/enable", status_code=204, **_NEEDS)
async def enable_provider(name: Name, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Offer a provider's models again."""
    await services.models.providers.set_enabled(current_user, name, client_info_of(request), is_enabled=True)


@router.post("/{name}/disable", status_code=204, **_NEEDS)
async def disable_provider(name: Name, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Offer a provider's models no more, and keep its key."""
    await services.models.providers.set_enabled(current_user, name, client_info_of(request), is_enabled=False)


@router.get("/{name}/use", **_NEEDS)
async def provider_use(name: Name, current_user: SignedIn, services: ServicesDep) -> list[ModelInUseOut]:
    """Count the conversations whose model would be gone without this provider, most first."""
    found = await services.models.providers.in_use(current_user, name)
    return [ModelInUseOut.model_validate(item, from_attributes=True) for item in found]


@router.post("/{name}/test", **_NEEDS)
async def test_provider(name: Name, body: ProviderIn, current_user: SignedIn, services: ServicesDep) -> ProviderTest:
    """Ask a stored provider, with these changes, which models it has; nothing is changed."""
    found = await services.models.providers.test(current_user, body.draft(name), is_stored=True)
    return ProviderTest(models=list(found.models), problem=found.problem)


@router.delete("/{name}", status_code=204, **_NEEDS)
async def delete_provider(name: Name, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Delete a provider with its key. Conversations with its models stay, and say that their model is gone."""
    await services.models.providers.delete(current_user, name, client_info_of(request))
