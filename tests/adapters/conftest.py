"""Systems that several adapters' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.sign_in_provider import SignInProviderHost


@pytest.fixture
def host(running_providers: SignInProviderHost) -> Iterator[SignInProviderHost]:
    """Sign-in providers that a test may have misbehave."""
    yield running_providers
    running_providers.calm()
