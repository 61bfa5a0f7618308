"""Fixtures of the tests of documents' states."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    """The model host, with an embedding model."""
    ollama.offered = [EMBEDDER]
    return ollama


@pytest.fixture
async def ada(services: Services, owner_url: str) -> CurrentUser:
    """A user."""
    assert services
    return add_user(owner_url, "Ada")
