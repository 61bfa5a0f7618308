"""What is missing is named, part by part."""

from __future__ import annotations

import pytest

from rxchat.db.platform.database import Database
from rxchat.db.platform.migrations import newest_revision
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelHostUnavailable
from rxchat.domain.model_parameters import ParameterSupport
from rxchat.services.app.health import Health
from rxchat.services.models.catalog import ModelCatalog

pytestmark = pytest.mark.anyio


class Provider:
    """A provider that offers these models, or fails."""

    def __init__(self, *models: ModelInfo, failure: ModelHostUnavailable | None = None) -> None:
        self.offered, self.failure, self.asked = list(models), failure, 0

    async def is_loading(self, model: str) -> bool:
        return False

    async def models(self) -> list[ModelInfo]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return self.offered

    def chat(self, model: str, messages: object, tools: object = (), options: object = None):
        raise AssertionError("a health check asks it nothing")

    async def prepare(self, model: str, messages: object, options: object = None):
        raise AssertionError("a health check asks it nothing")

    async def parameters(self, model: str) -> ParameterSupport:
        return ParameterSupport(frozenset())

    def hosts_heard_since(self, moment: float) -> list[str]:
        return []

    def note_heard(self, host: str) -> None:
        pass

    async def aclose(self) -> None:
        pass


CHAT = ModelInfo("chat", "h", capabilities=frozenset({"completion"}))
EMBEDDER = ModelInfo("embedder", "h", capabilities=frozenset({"embedding"}))


async def problems(database: Database, provider: Provider, revision: str, redis: bool | None = True) -> dict[str, str]:
    async def ping() -> bool:
        return bool(redis)

    health = Health(database, ModelCatalog(provider), revision, None if redis is None else ping)
    return {part.name: part.problem for part in await health.parts()}


async def test_with_everything_there_nothing_is_missing(database: Database) -> None:
    found = await problems(database, Provider(CHAT), newest_revision())
    assert found == {"database": "", "migrations": "", "models": "", "redis": ""}


async def test_each_thing_that_is_missing_is_named_with_what_to_do(database: Database) -> None:
    found = await problems(database, Provider(EMBEDDER), "9999", redis=False)
    assert "python -m rxchat migrate" in found["migrations"] and "9999" in found["migrations"]
    assert "ollama pull" in found["models"]
    assert "still stream" in found["redis"] and found["database"] == ""
    assert "redis" not in await problems(database, Provider(CHAT), newest_revision(), redis=None)


async def test_a_file_store_that_is_away_is_named_and_keeps_nothing_else_from_working(database: Database) -> None:
    async def away() -> str:
        return "The file store does not respond."

    health = Health(database, ModelCatalog(Provider(CHAT)), newest_revision(), None, away)
    [part] = [part for part in await health.parts() if part.problem]
    assert (part.name, part.problem, part.is_needed) == ("files", "The file store does not respond.", False)


async def test_a_database_that_is_away_is_the_only_thing_said_of_it() -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/none", pool_size=2)
    found = await problems(away, Provider(failure=ModelHostUnavailable("gone")), "0001")
    assert "does not respond" in found["database"] and "because the database does not respond" in found["migrations"]
    assert found["models"] == "gone"
    await away.aclose()


async def test_the_operators_choice_is_the_default_when_it_is_on_offer() -> None:
    second = ModelInfo("second", "h")
    assert (await ModelCatalog(Provider(CHAT, second), default="second").offer()).default == "second"
    assert (await ModelCatalog(Provider(CHAT, second), default="gone").offer()).default == "chat"
    assert [model.name for model in (await ModelCatalog(Provider(EMBEDDER, CHAT)).offer()).models] == ["chat"]


async def test_what_was_on_offer_stays_known_while_the_host_is_away_and_is_asked_again() -> None:
    provider = Provider(CHAT)
    models = ModelCatalog(provider)
    await models.offer()
    await models.offer()
    assert provider.asked == 1
    models._asked_at -= 60
    provider.failure = ModelHostUnavailable("gone")
    offer = await models.offer()
    assert (offer.problem, [model.name for model in offer.models]) == ("gone", ["chat"])
    provider.failure = None
    assert (await models.offer()).problem == ""
