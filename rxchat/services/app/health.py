"""Whether this process can do its work, part by part."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rxchat.db.platform import schema
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.services.models.catalog import ModelCatalog


@dataclass(frozen=True, slots=True)
class ComponentStatus:
    """One thing that RxChat works with, and what is wrong with it ("" when nothing is)."""

    name: str
    problem: str = ""
    is_needed: bool = True


class Health:
    """Asks each part how it is."""

    def __init__(
        self,
        database: Database,
        models: ModelCatalog,
        newest_revision: str,
        ping_redis: Callable[[], Awaitable[bool]] | None,
        files_problem: Callable[[], Awaitable[str]] | None = None,
    ) -> None:
        """Know the parts."""
        self._database = database
        self._models = models
        self._newest_revision = newest_revision
        self._ping_redis = ping_redis
        self._files_problem = files_problem

    async def parts(self) -> list[ComponentStatus]:
        """Return all parts; the process is ready when no needed one has a problem."""
        offer = await self._models.offer()
        parts = [*await self._database_parts(), ComponentStatus("models", offer.detail or offer.problem)]
        if self._ping_redis is not None:
            problem = "" if await self._ping_redis() else "Redis does not answer; answers still stream and are saved."
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
                ComponentStatus("migrations", "Unknown while the database is away."),
            ]
        if revision != self._newest_revision:
            wanted = f"The schema is at {revision or 'nothing'}, this code needs {self._newest_revision}."
            return [
                ComponentStatus("database"),
                ComponentStatus("migrations", f"{wanted} Run: python -m rxchat migrate"),
            ]
        return [ComponentStatus("database"), ComponentStatus("migrations")]
