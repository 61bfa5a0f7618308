"""Questions that searches of other systems fail at, over documents made for them; the embedder is the one that comes along."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.retrieval import SearchScope
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.embedded_models import EmbeddedModels
from tests.services.grounded import settled, uploaded

pytestmark = pytest.mark.anyio

CASES = Path(__file__).parents[1] / "parsers" / "cases"
SEARCHES = [case for case in json.loads((CASES / "expected.json").read_text())["files"] if case.get("search")]
INGESTION_SECONDS = 300


@pytest.fixture
def at(at: Connections, models: EmbeddedModels) -> Connections:
    """Where this test's servers are, with the real embedder among them."""
    return replace(at, demo_hosts=(models.host,))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The embedder is the one that comes with RxChat."""
    return settings.model_copy(update={"embedding_model": ""})


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["id"], marks=() if case["id"] == "stop_words" else pytest.mark.slow)
        for case in SEARCHES
    ],
)
async def test_the_passage_is_among_the_first_eight(
    services: Services, current_user: CurrentUser, case: dict[str, str]
) -> None:
    question, needle = case["search"]
    collection = await services.documents.collections.create(current_user, case["id"])
    name = case.get("name", case["file"])
    document = await uploaded(services, current_user, collection, name, (CASES / case["file"]).read_bytes())
    await settled(services, current_user, document, INGESTION_SECONDS)
    found = await services.retrieval.search.search(current_user, question, SearchScope((collection,)))
    assert any(_flat(needle) in _flat(passage.text) for passage in found.passages), [
        passage.text[:120] for passage in found.passages
    ]


def _flat(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
