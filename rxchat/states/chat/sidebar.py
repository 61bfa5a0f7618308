"""The list of conversations in the sidebar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.bulk_actions import MOST_AT_ONCE, BulkAction
from rxchat.domain.conversations import ConversationList, ConversationSummary, ListPosition
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import parse_id
from rxchat.services.app import container
from rxchat.services.chat.conversations import PAGE_CONVERSATIONS
from rxchat.services.chat.sidebar import Sidebar
from rxchat.states.chat.sidebar_views import (
    ConversationView,
    Group,
    ProjectView,
    TagView,
    conversation_view,
    grouped,
    project_views,
    tag_view,
)
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.current_user import CurrentUserState, Navigation
from rxchat.states.platform.dialogs import dialog_number, ids_in, text_in

_DONE = {
    BulkAction.ARCHIVE: "Archived",
    BulkAction.PIN: "Pinned",
    BulkAction.UNPIN: "Unpinned",
    BulkAction.REMOVE: "Deleted",
}
_END: ListPosition = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)


def _take_back(state: SidebarState, _error: RxChatError, given: dict[str, Any]) -> bool:
    """Show the title from before a refused rename; the banner shows the error."""
    state.answered_rename = dialog_number(given.get("form"))
    return False


@dataclass(frozen=True)
class Listing:
    """What the list shows: down to a position, or its first page, of a tag and a project, if they are chosen."""

    until: ListPosition | None
    tag_id: UUID | None
    project_id: UUID | None

    async def read(self, current_user: CurrentUser, opened: str) -> Sidebar:
        """Return it, with the tags of the opened conversation."""
        lists = container.get_services().chat.organizing.sidebar.lists
        return await lists(
            current_user, self.until, tag_id=self.tag_id, project_id=self.project_id, opened=parse_id(opened)
        )


class SidebarState(rx.State):
    """The user's conversations, newest first, and which of them are being answered."""

    pinned: list[ConversationView] = []
    groups: list[Group] = []
    """The first page of the list."""
    older: list[Group] = []
    """The pages after it: they rarely change, so they are rarely sent again."""
    running: list[str] = []
    loaded: bool = False
    next_after: str = ""
    """The ID of the last conversation of the list, if there are more; else ""."""
    answered_rename: int = 0
    """The number of the rename that was done or refused last; until then the page shows the title that was typed."""
    unread: list[str] = []
    """Those with an answer that the user has not seen, without the one that this tab shows."""
    announcement: str = ""
    """What screen readers read out when one of them gets an answer."""
    tags: list[TagView] = []
    """All of the user's, by name."""
    tag: str = ""
    """The ID of the one that the list is filtered by; "" for all conversations."""
    projects: list[ProjectView] = []
    """All of the user's, each before those in it."""
    project: str = ""
    """The ID of the one that the list is filtered by, in which new conversations begin; "" for none."""
    project_name: str = ""
    opened: str = ""
    """The conversation that `opened_tags` and `opened_project` belong to."""
    opened_project: str = ""
    """The ID of its project; "" if it is in none."""
    opened_project_name: str = ""
    opened_tags: list[TagView] = []
    flash: str = ""
    """What was just done with conversations, in words; it can be undone."""
    _undo_ids: list[UUID] = []
    _undo_action: BulkAction = BulkAction.RESTORE
    _times_shown: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""
    _until: ListPosition | None = None
    """The last position of the list, if it has more than one page."""
    _project_ids: list[UUID] | None = None
    """The chosen project with those in it."""
    _project_model: str = ""
    """The model of new conversations there; "" for the user's default."""
    _first_page_until: ListPosition | None = None
    _listed: Listing | None = None
    """What the list showed last."""
    _last: ListPosition | None = None

    @rx.event
    @requires_user
    async def load(self, current_user: CurrentUser) -> None:
        """Show the current list."""
        if (await self.get_state(CurrentUserState))._navigation is Navigation.LOADS:
            await self._refresh(current_user)

    async def _refresh(self, current_user: CurrentUser) -> None:
        opened = self._addressed()
        self._show(await self._listing().read(current_user, opened), opened)

    def _listing(self) -> Listing:
        return Listing(self._until, parse_id(self.tag), parse_id(self.project))

    def _addressed(self) -> str:
        return self.router_data.get("query", {}).get("conversation_id", "")

    def _show(self, found: Sidebar, opened: str) -> None:
        """Show these conversations, which were read down to the end of the list; unchanged values are not sent again.

        `opened` is the ID of the conversation that the tab shows: nothing of it is unread here.
        """
        self._times_shown += 1
        pinned, conversations = found.pinned, found.recent
        split = self._first_page_until
        first = [item for item in conversations if split is None or item.position >= split]
        now, tags = datetime.now(UTC), {tag.id: tag_view(tag) for tag in found.tags}
        groups = grouped(first, now, tags)
        older = grouped(conversations[len(first) :], now, tags)
        if groups and older:
            older[0].is_continued = older[0].label == groups[-1].label
        running = [str(item.id) for item in [*pinned, *conversations] if item.is_running]
        self._show_unread([item for item in [*pinned, *conversations] if item.is_unread and str(item.id) != opened])
        self._listed = self._listing()
        set_changed(self, pinned=[conversation_view(item, tags) for item in pinned])
        set_changed(self, groups=groups, older=older, running=running, loaded=True)
        shown = [view for tag_id, view in tags.items() if tag_id in found.opened_tag_ids]
        set_changed(self, tags=list(tags.values()), tag=str(found.tag_id or ""), opened=opened, opened_tags=shown)
        self._show_projects(found)
        if self._until is None:
            self._end(conversations)

    def _show_projects(self, found: Sidebar) -> None:
        tree, chosen, opened = found.projects, found.project_id, found.opened_project_id
        names = {str(project.id): project.content.name for project, _ in tree.ordered()}
        set_changed(self, projects=project_views(tree), project=str(chosen or ""), opened_project=str(opened or ""))
        set_changed(self, project_name=names.get(self.project, ""))
        set_changed(self, opened_project_name=names.get(self.opened_project, ""))
        self._project_ids, self._project_model = found.project_ids, tree.model_of(chosen)

    def _show_unread(self, found: list[ConversationSummary]) -> None:
        new = [item.title for item in found if str(item.id) not in self.unread]
        # Where another filter was chosen, or more of the list is shown, they are not new.
        if self._listed == self._listing() and new:
            words = f"New answer in “{new[0]}”." if len(new) == 1 else f"New answers in {len(new)} conversations."
            # The same words are read out again only if they differ.
            self.announcement = words if words != self.announcement else f"{words}\N{NO-BREAK SPACE}"
        set_changed(self, unread=[str(item.id) for item in found])

    def _end(self, page: list[ConversationSummary]) -> None:
        """Offer more after the last page, if it is full."""
        set_changed(self, next_after=str(page[-1].id) if len(page) >= PAGE_CONVERSATIONS else "")
        self._last = page[-1].position if page else self._last

    @rx.event
    @requires_user
    async def more(self, current_user: CurrentUser, after: str) -> None:
        """Show the page of the list after a conversation; the browser may ask for it twice."""
        if not after or after != self.next_after or self._last is None:
            return
        conversations = container.get_services().chat.conversations
        page = await conversations.page(
            current_user,
            ConversationList.RECENT,
            after=self._last,
            tag_id=parse_id(self.tag),
            project_ids=self._project_ids,
        )
        self._first_page_until = self._first_page_until or self._last
        # At the end of the list all of it is shown, also what comes back into it with an older position.
        self._until = page[-1].position if len(page) >= PAGE_CONVERSATIONS else _END
        await self._refresh(current_user)
        self._end(page)

    @rx.event
    @requires_user
    async def filter_by(self, current_user: CurrentUser, tag_id: str) -> None:
        """List only the conversations with this tag; all for ""."""
        self.tag = tag_id
        await self._begin_list(current_user)

    async def _begin_list(self, current_user: CurrentUser) -> None:
        # Another list, from its beginning.
        self._until = self._first_page_until = self._last = None
        await self._refresh(current_user)

    @rx.event
    @partial(requires_user, refuse=_take_back)
    async def rename(self, current_user: CurrentUser, form: dict) -> None:
        """Rename the conversation with the form's id; `dialog` is the number of the rename."""
        title = text_in(form, "title")
        await container.get_services().chat.conversations.rename(current_user, _id(text_in(form, "id")), title)
        await self._refresh(current_user)
        self.answered_rename = dialog_number(form)

    @rx.event
    @requires_user
    async def pin(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Pin a conversation to the top."""
        await container.get_services().chat.conversations.pin(current_user, _id(conversation_id), is_pinned=True)
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def unpin(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Move a conversation from the top to its place in the list."""
        await container.get_services().chat.conversations.pin(current_user, _id(conversation_id), is_pinned=False)
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def archive(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Move a conversation to the archive, and offer to undo it."""
        await self._change(current_user, [_id(conversation_id)], BulkAction.ARCHIVE)

    @rx.event
    @requires_user
    async def remove(self, current_user: CurrentUser, conversation_id: str) -> None:
        """Delete a conversation, and offer to undo it."""
        await self._change(current_user, [_id(conversation_id)], BulkAction.REMOVE)

    @rx.event
    @requires_user
    async def change_all(self, current_user: CurrentUser, form: dict) -> None:
        """Do the form's `action` with the conversations whose `ids` it has, and offer to undo it."""
        action = text_in(form, "action")
        if action not in {BulkAction.ARCHIVE, BulkAction.PIN, BulkAction.UNPIN, BulkAction.REMOVE}:
            raise InvalidInput("This action does not exist. Reload the page.")
        await self._change(current_user, ids_in(form, "ids", MOST_AT_ONCE), BulkAction(action))

    async def _change(self, current_user: CurrentUser, ids: list[UUID], action: BulkAction) -> None:
        changed = await container.get_services().chat.organizing.bulk_actions.change(current_user, ids, action)
        rows = (row for group in [*self.groups, *self.older] for row in group.rows)
        titles = {row.id: row.title for row in [*self.pinned, *rows]}
        # Of what was archived or deleted in another tab meanwhile, the toast says so; there is nothing to undo then.
        what = f"“{titles.get(str(ids[0]), 'Conversation')}”" if len(ids) == 1 else f"{len(ids):,} conversations"
        self.flash = f"{_DONE[action]} {what}"
        self._undo_ids, self._undo_action = changed, action.reverse
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def undo(self, current_user: CurrentUser) -> None:
        """Reverse what was just done with conversations."""
        ids, self._undo_ids = self._undo_ids, []
        # What cannot be undone, as one of them is purged, is not offered again.
        self.flash = ""
        if ids:
            await container.get_services().chat.organizing.bulk_actions.change(current_user, ids, self._undo_action)
        await self._refresh(current_user)

    @rx.event
    @requires_user
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide the offer to undo."""
        del current_user
        self.flash = ""


def _id(value: str) -> UUID:
    identifier = parse_id(value)
    if identifier is None:
        raise InvalidInput("This conversation does not exist.")
    return identifier
