"""The page of the system: the state of its components, versions, queues and storage."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.usage import QueueLength, SystemTotals
from rxchat.services.app import container
from rxchat.services.app.health import ComponentStatus
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.field_views import milliseconds

_COMPONENTS = {
    "database": "Database",
    "migrations": "Database schema",
    "models": "Models",
    "redis": "Redis",
    "files": "File store",
}
_QUEUES = {
    "documents": "Documents",
    "quick": "Small documents",
    "scans": "Scanned documents",
    "mail": "E-mails",
}
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


@dataclass
class ComponentView:
    """A component and its problem."""

    name: str
    problem: str
    is_needed: bool


@dataclass
class QueueView:
    """A queue."""

    name: str
    waiting: int
    running: int
    failed: int
    since: int
    """Since when the oldest one waits, in milliseconds since 1970; 0 if none does."""


@dataclass
class Fact:
    """A number or a version, and what it is about."""

    label: str
    value: str


class SystemState(AdminPage, rx.State):
    """The state of the system when it was last checked."""

    components: list[ComponentView] = []
    queues: list[QueueView] = []
    stored: list[Fact] = []
    versions: list[Fact] = []
    is_healthy: bool = False
    checked_at: int = 0
    check_milliseconds: int = 0

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Check everything now."""
        state = await container.get_services().app.system_status.state(current_user)
        self._done()
        self.components = [_component(item) for item in state.components]
        self.is_healthy = not any(item.problem for item in state.components)
        totals = state.totals
        answers = QueueView(
            "Answers", totals.answers_waiting, totals.answers_running, 0, milliseconds(totals.oldest_waiting)
        )
        self.queues = [answers, *(_queue(item) for item in state.queues)]
        self.stored = _stored(totals)
        self.versions = [Fact(name, version) for name, version in state.versions.items()]
        self.checked_at, self.check_milliseconds = milliseconds(state.checked_at), state.check_milliseconds
        self.loaded = True


def _component(item: ComponentStatus) -> ComponentView:
    return ComponentView(_COMPONENTS.get(item.name, item.name), item.problem, item.is_needed)


def _queue(item: QueueLength) -> QueueView:
    name = _QUEUES.get(item.queue, item.queue)
    return QueueView(name, item.waiting, item.running, item.failed, milliseconds(item.oldest_waiting))


def _stored(totals: SystemTotals) -> list[Fact]:
    return [
        Fact("Users", f"{totals.users:,}"),
        Fact("Active in the last 7 days", f"{totals.active_users:,}"),
        Fact("Conversations", f"{totals.conversations:,}"),
        Fact("Messages", f"{totals.messages:,}"),
        Fact("Documents", f"{totals.documents:,}"),
        Fact("Files", f"{totals.files:,}"),
        Fact("Size of the files", _size(totals.file_bytes)),
        Fact("Size of the database", _size(totals.database_bytes)),
    ]


def _size(count: int) -> str:
    """Return a number of bytes in words, in units of a thousand."""
    size, unit = float(count), 0
    while size >= 999.5 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.0f} {_UNITS[unit]}" if size >= 10 or unit == 0 else f"{size:.1f} {_UNITS[unit]}"
