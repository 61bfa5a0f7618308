"""An administrator and a member."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from tests.factories import add_user


@pytest.fixture
async def ada(services: Services, owner_url: str) -> CurrentUser:
    """An administrator."""
    assert services
    return add_user(owner_url, "Ada", "admin")


@pytest.fixture
async def grace(services: Services, owner_url: str) -> CurrentUser:
    """A member."""
    assert services
    return add_user(owner_url, "Grace")
