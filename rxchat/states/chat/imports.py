"""The page that imports conversations: the progress of an import, and the reports of the last ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.imports.report import ImportReport, ImportState
from rxchat.services.app import container
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import (
    current_path,
    current_user_of,
    requires_user,
    requires_user_in_background,
)
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, show_problem
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.tab_registry import tabs

PAGE = "/account/import"
_LINES = 100
"""How many conversations of a report the page names."""
_EARLIER = 5
_WAIT_SECONDS = 1.0
_BREATH_SECONDS = 0.25
"""The shortest time between two reads: each imported conversation is a change."""
_INTERRUPTED = (
    "The server was restarted before the file was read to its end. Import it again: what is here already is skipped."
)


@dataclass
class ImportedLine:
    """A conversation that was imported."""

    id: str
    title: str
    source: str
    notes: str


@dataclass
class SkippedLine:
    """A conversation that was skipped."""

    title: str
    reason: str


@dataclass
class ImportView:
    """An import of a file."""

    id: str = ""
    file_name: str = ""
    at: int = 0
    """When it began, in milliseconds since 1970."""
    is_running: bool = False
    is_failed: bool = False
    done: int = 0
    """How many conversations were imported or skipped."""
    found: int = 0
    summary: str = ""
    error: str = ""
    imported: list[ImportedLine] = field(default_factory=list)
    skipped: list[SkippedLine] = field(default_factory=list)
    more_imported: int = 0
    """How many imported ones are not named."""
    more_skipped: int = 0


_guarded = partial(requires_user, refuse=show_problem)


class ImportsState(DialogState, rx.State):
    """The user's imports."""

    loaded: bool = False
    has_latest: bool = False
    latest: ImportView = ImportView()
    earlier: list[ImportView] = []
    _times_shown: int = 0

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the last imports, and follow one that is running."""
        self._done()
        self._show(await container.get_services().chat.conversation_imports.latest(current_user))
        return ImportsState.follow

    def _show(self, reports: list[ImportReport]) -> None:
        self._times_shown += 1
        set_changed(
            self,
            latest=_view(reports[0]) if reports else ImportView(),
            earlier=[_view(item, with_lines=False) for item in reports[1 : 1 + _EARLIER]],
            has_latest=bool(reports),
            loaded=True,
        )

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> Any:
        """Show the progress of an import until it has ended, and the sidebar with what it has brought."""
        async with self:
            token, was_running = self.router.session.client_token, self.latest.is_running
        feed = container.get_services().platform.conversation_feed
        with feed.watching(current_user.user_id, None) as watch, tabs.on_disconnect(token, watch.notify):
            while tabs.is_open(token):
                async with self:
                    if current_path(self) != PAGE:
                        return None
                    is_running = self.latest.is_running
                if not is_running:
                    return SidebarState.load if was_running else None
                await watch.wait(_WAIT_SECONDS)
                await self._look_again()
                await asyncio.sleep(_BREATH_SECONDS)
        return None

    async def _look_again(self) -> None:
        try:
            # The session is checked each time: it may have ended.
            async with self:
                current_user, times_shown = await current_user_of(self), self._times_shown
            reports = await container.get_services().chat.conversation_imports.latest(current_user)
        except DatabaseUnavailable:
            return
        async with self:
            # The page may have been loaded again meanwhile, with what is newer.
            if self._times_shown == times_shown:
                self._show(reports)


def _view(report: ImportReport, *, with_lines: bool = True) -> ImportView:
    imported = report.imported_items[:_LINES] if with_lines else []
    skipped = report.skipped_items[:_LINES] if with_lines else []
    is_interrupted = report.state is ImportState.INTERRUPTED
    return ImportView(
        id=str(report.id),
        file_name=report.file_name,
        at=milliseconds(report.created_at),
        is_running=report.state is ImportState.RUNNING,
        is_failed=is_interrupted or report.state is ImportState.FAILED,
        done=report.imported + report.skipped,
        found=report.found,
        summary=_summary(report),
        error=_INTERRUPTED if is_interrupted else report.error,
        imported=[ImportedLine(str(item.id), item.title, item.source, " ".join(item.notes)) for item in imported],
        skipped=[SkippedLine(item.title or "Without a title", item.reason) for item in skipped],
        more_imported=report.imported - len(imported) if with_lines else 0,
        more_skipped=report.skipped - len(skipped) if with_lines else 0,
    )


def _summary(report: ImportReport) -> str:
    if report.state is ImportState.RUNNING and not report.found:
        return "Reading the file…"
    imported = _counted(report.imported)
    skipped = f", {report.skipped:,} skipped" if report.skipped else ""
    if report.state is ImportState.RUNNING:
        return f"{imported} of {report.found:,} imported{skipped}…"
    return f"{imported} imported{skipped}."


def _counted(count: int) -> str:
    return "1 conversation" if count == 1 else f"{count:,} conversations"
