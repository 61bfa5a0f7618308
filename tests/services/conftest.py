"""What tests of documents have in common: a model host with what a module names in OFFERED, and a collection."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from tests.peers.scripted_ollama import ScriptedOllama


@pytest.fixture
async def ollama(ollama: ScriptedOllama, request: pytest.FixtureRequest) -> ScriptedOllama:
    """The scripted host; with other models where a module says so."""
    ollama.offered = list(getattr(request.module, "OFFERED", ollama.offered))
    return ollama


@pytest.fixture
async def collection(services: Services, current_user: CurrentUser) -> UUID:
    """A collection of the viewer's own."""
    return await services.documents.collections.create(current_user, "Team")
