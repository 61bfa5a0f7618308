"""Documents where the model hosts have no embedding model: the embedder that comes with RxChat reads them."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.retrieval import SearchMode, SearchScope
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.embedded import weights_cache
from tests.services.grounded import HANDBOOK, ready

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing says which embedder is used."""
    weights_cache.seed(settings.data)
    return settings.model_copy(update={"embedding_model": ""})


async def test_documents_become_ready_where_the_hosts_have_chat_models_alone(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    found = await services.retrieval.search.search(
        current_user, "Who tidies the espresso?", SearchScope((collection,)), way=SearchMode.VECTOR
    )
    assert found.notice == ""
    assert found.passages[0].heading == "Handbook › Coffee"
    assert (
        await services.retrieval.search.embedder(current_user)
        == "Embedding model: all-minilm:22m, which comes with RxChat."
    )
