"""Whether the files attached to the message that is being written have been read by RxChat."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.files import Document
from rxchat.domain.ids import require_id
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import ANY_LENGTH, current_user_of, requires_user, requires_user_in_background
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.tab_registry import tabs

_MOST = 1_000
"""Further files have no state on their chips; the answer waits for them all the same."""
_LONGEST = 100_000
_IDLE_SECONDS = 20.0
_BREATH_SECONDS = 0.5


class AttachedFilesState(rx.State):
    """What the chips above the composer show about files that were uploaded."""

    of: str = ""
    """The IDs of the files that are looked at, with spaces between them: the page asks again when it has others."""
    being_read: list[str] = []
    """The IDs of those that are still being read."""
    problems: dict[str, str] = {}
    """Why a file could not be read, by its ID."""
    _times_shown: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""

    @rx.event
    @partial(requires_user, longest=ANY_LENGTH)
    async def watch(self, current_user: CurrentUser, ids: str) -> Any:
        """Show whether these files have been read, and follow them until they have."""
        ids = ids[:_LONGEST]
        self._show(await _find(current_user, ids))
        self.of = ids
        return AttachedFilesState.follow if self.being_read else None

    def _show(self, found: list[Document]) -> None:
        self._times_shown += 1
        set_changed(
            self,
            being_read=[str(item.id) for item in found if not item.state.is_final],
            problems={str(item.id): _problem(item) for item in found if item.state is DocumentState.FAILED},
        )

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Look again at each change of the user's documents, until all files have been read."""
        async with self:
            of, token = self.of, self.router.session.client_token
        feed = container.get_services().platform.document_feed
        with feed.watching(current_user.user_id, None) as watch, tabs.on_disconnect(token, watch.notify):
            watch.notify()
            while tabs.is_open(token):
                await watch.wait(_IDLE_SECONDS)
                if not await self._look_again(of):
                    return
                await asyncio.sleep(_BREATH_SECONDS)
        async with self:
            # The page that comes back asks again.
            if self.of == of:
                self.of = ""

    async def _look_again(self, of: str) -> bool:
        """Show changes; False if there is nothing more to wait for."""
        async with self:
            if self.of != of:
                return False
            # The session is checked each time: permissions may have changed.
            current_user, times_shown = await current_user_of(self), self._times_shown
        try:
            found = await _find(current_user, of)
        except DatabaseUnavailable:
            return True
        async with self:
            if self.of == of and self._times_shown == times_shown:
                self._show(found)
            return self.of == of and bool(self.being_read)


async def _find(current_user: CurrentUser, ids: str) -> list[Document]:
    if not ids:
        return []
    wanted = [require_id(item) for item in ids.split()[:_MOST]]
    return await container.get_services().documents.documents.readable(current_user, wanted)


def _problem(document: Document) -> str:
    return f"This file could not be read. {document.error}".strip()
