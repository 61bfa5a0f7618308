"""Health of this process, component by component."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rxchat.db.platform import schema
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.services.models.catalog import ModelCatalog


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """A component, and its problem ("" if it has none)."""

    name: str
    problem: str = ""
    is_needed: bool = True


class Health:
    """Checks each component."""

    def __init__(
        self,
        database: Database,
        models: ModelCatalog,
        newest_revision: str,
        ping_redis: Callable[[], Awaitable[bool]] | None,
        files_problem: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        self._database = database
        self._models = models
        self._newest_revision = newest_revision
        self._ping_redis = ping_redis
        self._files_problem = files_problem

    async def parts(self) -> list[ComponentStatus]:
        """Return all components; the process is ready if no required one has a problem."""
        offer = await self._models.offer()
        parts = [*await self._database_parts(), ComponentStatus("models", offer.detail or offer.problem)]
        if self._ping_redis is not None:
            problem = "" if await self._ping_redis() else "Redis does not respond. Answers still stream and are saved."
            parts.append(ComponentStatus("redis", problem, is_needed=False))
        if self._files_problem is not None:
            parts.append(ComponentStatus("files", await self._files_problem(), is_needed=False))
        return parts

    async def _database_parts(self) -> list[ComponentStatus]:
        try:
            async with self._database.begin(None) as session:
                revision = await schema.revision(session)
        except DatabaseUnavailable as error:
            return [
                ComponentStatus("database", error.message),
                ComponentStatus("migrations", "Unknown, because the database does not respond."),
            ]
        if revision != self._newest_revision:
            wanted = f"The schema is at {revision or 'nothing'}, this code needs {self._newest_revision}."
            return [
                ComponentStatus("database"),
                ComponentStatus("migrations", f"{wanted} Run: python -m rxchat migrate"),
            ]
        return [ComponentStatus("database"), ComponentStatus("migrations")]
