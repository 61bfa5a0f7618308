"""What the sidebar shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from rxchat.db.chat import conversation_lists as list_rows
from rxchat.db.chat import projects as project_rows
from rxchat.db.chat import tags as tag_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversations import ConversationList, ConversationSummary, ListPosition
from rxchat.domain.permissions import Scope
from rxchat.domain.projects import ProjectTree
from rxchat.domain.tags import Tag
from rxchat.services.chat.conversations import PAGE_CONVERSATIONS


@dataclass(frozen=True, slots=True)
class Sidebar:
    """What the sidebar lists, and what it needs to show it."""

    pinned: list[ConversationSummary]
    recent: list[ConversationSummary]
    tags: list[Tag]
    """All of the user's, by name."""
    tag_id: UUID | None
    """The one that the lists are filtered by."""
    opened_tag_ids: frozenset[UUID]
    """Those of the opened conversation."""
    projects: ProjectTree
    """All of the user's."""
    project_id: UUID | None
    """The one that the lists are filtered by."""
    project_ids: list[UUID] | None
    """The same, with those in it."""
    opened_project_id: UUID | None
    """The one that the opened conversation is in."""


class SidebarLists:
    """Reads the lists of the sidebar in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lists(
        self,
        current_user: CurrentUser,
        until: ListPosition | None,
        *,
        tag_id: UUID | None = None,
        project_id: UUID | None = None,
        opened: UUID | None = None,
    ) -> Sidebar:
        """Return what the sidebar shows: recent conversations down to a position, but a page of them at least.

        With a tag, only the conversations that have it; with a project, only those in it or in one of its own. `opened` is
        the conversation whose tags and project are shown above it.
        """
        require_scope(current_user, Scope.READ)
        owner_id, recent, size = current_user.user_id, ConversationList.RECENT, PAGE_CONVERSATIONS
        async with self._database.begin(owner_id) as session:
            tags = await tag_rows.of_user(session, owner_id)
            tree = ProjectTree(await project_rows.of_user(session, owner_id))
            # What was deleted meanwhile filters nothing.
            tag_id = tag_id if tag_id in {tag.id for tag in tags} else None
            project_id = project_id if project_id in tree else None
            inside = tree.within(project_id) if project_id else None
            lists = partial(list_rows.list_owned, session, owner_id, tag_id=tag_id, project_ids=inside)
            pinned = await lists(ConversationList.PINNED)
            found = await lists(recent, until=until) if until else []
            if len(found) < size:
                found = await lists(recent, limit=size)
            pairs = await tag_rows.of_conversations(session, owner_id, [opened]) if opened and tags else []
            place = await project_rows.project_of(session, owner_id, opened) if opened and len(tree) else None
        return Sidebar(pinned, found, tags, tag_id, frozenset(tag for _, tag in pairs), tree, project_id, inside, place)
