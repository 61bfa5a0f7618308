"""Servers that start slowly and are shared: all modules that use one run in the same worker."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.embedded_models import EmbeddedModels, embedded_models
from tests.peers.sign_in_provider import SignInProviderHost, sign_in_provider
from tests.peers.swift import SwiftS3, swift_s3

# Imported modules are no garbage; collections that scan them take each worker two seconds.
gc.disable()

GROUPS = {
    "a first start": {"tests/journeys/test_first_start"},
    "a server that is killed": {
        "tests/journeys/test_outages",
        "tests/journeys/test_sending",
        "tests/journeys/test_waking",
    },
    "a server where everybody may register": {
        "tests/journeys/" + name
        for name in (
            *("test_content_security", "test_passkeys", "test_providers", "test_registration", "test_second_factor"),
            "test_sessions",
        )
    },
    "a server with documents": {
        "tests/journeys/test_accessibility",
        "tests/journeys/test_administration",
        "tests/journeys/test_citations",
        "tests/journeys/test_documents",
        "tests/journeys/test_grounding",
        "tests/journeys/test_prompts",
    },
    "a server for programs": {
        "tests/security/test_connections",
        "tests/security/test_headers",
        "tests/security/test_origins",
    },
    "sign-in providers": {
        "tests/adapters/test_sign_in",
        "tests/adapters/test_sign_in_faults",
        "tests/security/test_federation",
        "tests/security/test_reviewed",
        "tests/security/test_words_of_daemons",
    },
    "an S3 server": {
        "tests/adapters/test_objects",
        "tests/adapters/test_objects_s3",
        "tests/adapters/test_objects_s3_kinds",
        "tests/services/documents/test_on_s3",
    },
    "the embedded models": {
        "tests/adapters/test_embedders",
        "tests/adapters/test_ollama",
        "tests/retrieval/test_cases",
    },
}
_FIRST = ("tests/journeys/", "tests/faults/", "tests/test_", "tests/services/", "tests/security/", "tests/adapters/")
_GROUP_OF = {module: group for group, modules in GROUPS.items() for module in modules}


def group_of(nodeid: str) -> str:
    """Return the group of a test, which one worker runs: its module, or all modules that share a server."""
    module = nodeid.partition("::")[0].removesuffix(".py")
    return _GROUP_OF.get(module, "tests/journeys" if module.startswith("tests/journeys/") else module)


def pytest_collection_finish() -> None:
    """Enable garbage collection, except for imported modules."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest groups, so that no worker runs one alone at the end."""
    items.sort(
        key=lambda item: next((at for at, part in enumerate(_FIRST) if item.nodeid.startswith(part)), len(_FIRST))
    )


class GroupScheduling(LoadScopeScheduling):
    """Assigns whole groups to workers. (`--dist loadgroup` of pytest-xdist 3.8 does nothing with pytest 9.2.)"""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return the scheduler that assigns tests to workers."""
    return GroupScheduling(config, log)


@pytest.fixture(scope="session")
def running_providers() -> Iterator[SignInProviderHost]:
    """Sign-in providers; tests that make them fail reset them afterwards."""
    with sign_in_provider() as found:
        yield found


@pytest.fixture(scope="session")
def running_swift() -> Iterator[SwiftS3]:
    """A real S3 server; each test has its own bucket."""
    with swift_s3() as found:
        yield found


@pytest.fixture
def swift(running_swift: SwiftS3) -> Iterator[SwiftS3]:
    """A real S3 server that a test may stop, freeze or fill."""
    yield running_swift
    running_swift.stop()
    running_swift.start()


@pytest.fixture(scope="session")
def models() -> Iterator[EmbeddedModels]:
    """The embedded server with the demo model and the embedding model."""
    with embedded_models() as found:
        yield found
