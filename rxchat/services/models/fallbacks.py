"""Finds the models that may answer a user instead of one that is not available."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from rxchat.db.platform.database import Database
from rxchat.domain.model_fallbacks import ANY_MODEL, usable_fallbacks
from rxchat.services.access.model_access import may_use_model
from rxchat.services.models.catalog import ModelCatalog
from rxchat.services.models.model_settings import KnownModelSettings

FallbackOf = Callable[[str], Awaitable[Sequence[str]]]
"""Returns the fallbacks that administrators have set for a model, by its name, the best first."""


def configured_fallbacks(settings: Mapping[str, Sequence[str]], known: KnownModelSettings) -> FallbackOf:
    """Return the fallbacks of a model: those of the interface, then those of the environment for it and for all models."""

    async def fallback_of(model: str) -> Sequence[str]:
        return [*known.of(model).fallbacks, *settings.get(model, ()), *settings.get(ANY_MODEL, ())]

    return fallback_of


class Fallbacks:
    """Offers fallbacks that the user may use, and that do not leave the network when the model itself does not."""

    def __init__(self, database: Database, catalog: ModelCatalog, fallback_of: FallbackOf) -> None:
        self._database, self._catalog, self._fallback_of = database, catalog, fallback_of

    async def of(self, owner_id: UUID, model: str) -> list[str]:
        """Return the models to ask instead of one that failed, the best first."""
        wanted = await self._fallback_of(model)
        if not wanted:
            return []
        offer = await self._catalog.offer()
        usable = usable_fallbacks(model, wanted, {item.name: item for item in offer.known})
        async with self._database.begin(owner_id) as session:
            return [name for name in usable if await may_use_model(session, owner_id, name)]
