"""Systems that several adapters' tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.sign_in_provider import SignInProviderHost, sign_in_provider


@pytest.fixture(scope="session")
def running_host() -> Iterator[SignInProviderHost]:
    """Sign-in providers for the whole session."""
    with sign_in_provider() as found:
        yield found


@pytest.fixture
def host(running_host: SignInProviderHost) -> Iterator[SignInProviderHost]:
    """Sign-in providers that a test may have misbehave."""
    yield running_host
    running_host.calm()
