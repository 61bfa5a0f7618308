"""A page with a user's library of things that can be shared: its list, kept up to date while it is open, and its toast."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.domain.permissions import Permission
from rxchat.services.access.shares import Shares
from rxchat.services.platform.change_feeds import ChangeFeed
from rxchat.states.platform.auth_guard import current_path, current_user_of
from rxchat.states.platform.dialogs import DialogState
from rxchat.states.platform.tab_registry import tabs

_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.25
_AWAY_SECONDS = 2.0
_WORDS = 100


@dataclass
class GroupChoice:
    """A group that the user can share with."""

    id: str
    name: str


class LibraryPage(DialogState, mixin=True):
    """The variables of such a page. Its state reads (`_found`) and shows (`_show_found`) what it lists."""

    words: str = ""
    """The words of the search."""
    count: int = 0
    """How many things there are, whatever the search is for."""
    groups: list[GroupChoice] = []
    may_share: bool = False
    removed: str = ""
    """The id of the thing that was just deleted and can be restored, for the toast."""
    flash: str = ""
    """The text of the toast."""
    flashes: int = 0
    """How often something was done, by which the same words are shown again."""
    loaded: bool = False
    _times_shown: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""

    async def _found(self, current_user: CurrentUser) -> Any:
        """Return the values of the page."""
        raise NotImplementedError

    def _show_found(self, found: Any) -> None:
        """Show the values; unchanged ones are not sent again."""
        raise NotImplementedError

    def _show(self, found: Any) -> None:
        self._times_shown += 1
        self._show_found(found)

    async def _load(self, current_user: CurrentUser, shares: Shares) -> None:
        """Show the page as it is when it is opened."""
        self.flash = self.removed = self.words = ""
        self._done()
        self._show(await self._found(current_user))
        self.may_share = Permission.COLLECTIONS_CREATE in current_user.permissions
        self.groups = [GroupChoice(*item) for item in await shares.groups(current_user)]
        self.loaded = True

    def _search(self, words: str) -> None:
        self.words = words[:_WORDS]

    def _dismiss(self) -> None:
        """Hide the toast."""
        self.flash = self.removed = ""

    async def _confirm(self, current_user: CurrentUser, flash: str, form: dict[str, Any] | None = None) -> None:
        """Show the result of an action, and confirm it."""
        self._show(await self._found(current_user))
        self.flash, self.removed, self.flashes = flash, "", self.flashes + 1
        self._done(form)

    async def _stay_up_to_date(self, current_user: CurrentUser, feed: ChangeFeed, path: str) -> None:
        """Show changes while the page at this path is open; in the background."""
        async with self:
            token = self.router.session.client_token
        with feed.watching(current_user.user_id, None) as watch, tabs.on_disconnect(token, watch.notify):
            # A change before this watch began has notified no watch.
            watch.notify()
            while tabs.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if not current_path(self).startswith(path):
                        return
                if is_new and not await self._look_again():
                    watch.notify()
                    await asyncio.sleep(_AWAY_SECONDS)
                await asyncio.sleep(_BREATH_SECONDS)

    async def _look_again(self) -> bool:
        """Show changes; False if they have to be read again: the database does not respond, or an action was first."""
        try:
            # The session is checked each time: permissions may have changed.
            async with self:
                current_user, times_shown = await current_user_of(self), self._times_shown
            found = await self._found(current_user)
        except DatabaseUnavailable:
            return False
        async with self:
            if self._times_shown != times_shown:
                return False
            self._show(found)
        return True


def number_in(form: dict[str, Any], name: str) -> int:
    """Return a positive number of a form; 0 if it is none."""
    value = form.get(name, "")
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else 0
