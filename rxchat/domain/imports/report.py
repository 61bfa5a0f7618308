"""The progress of an import, and its report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

REPORTED = 500
"""How many conversations a report names of each kind; the others are counted."""


class ImportState(StrEnum):
    """The state of an import."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    """The file could not be read to its end; what was imported before stays."""
    INTERRUPTED = "interrupted"
    """The process that read the file ended."""


@dataclass(frozen=True, slots=True)
class FoundConversations:
    """How many more conversations a file has."""

    count: int


@dataclass(frozen=True, slots=True)
class ImportedItem:
    """A conversation that was imported."""

    id: UUID
    title: str
    source: str
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SkippedItem:
    """A conversation that was not imported."""

    title: str
    """"" if it has none that could be read."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """An import of a file."""

    id: UUID
    file_name: str
    state: ImportState
    found: int
    imported: int
    skipped: int
    imported_items: list[ImportedItem]
    skipped_items: list[SkippedItem]
    error: str
    created_at: datetime
    finished_at: datetime | None
