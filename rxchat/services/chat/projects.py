"""A user's projects: folders of conversations, and what applies to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from rxchat.db.chat import bulk_actions as bulk_rows
from rxchat.db.chat import projects as rows
from rxchat.db.chat import tags as tag_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.conversation_events import ConversationRemoved
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.permissions import Scope
from rxchat.domain.projects import MOST_PROJECTS, ProjectContent, ProjectTree, valid_content
from rxchat.services.chat.bulk_actions import require_few
from rxchat.services.chat.context_sources import are_collections
from rxchat.services.chat.messages import stop_answer

_NO_COLLECTION = "One of these collections does not exist, or you have no access to it any more."


class Projects:
    """Makes, changes and deletes projects, and moves conversations into them and out of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, current_user: CurrentUser) -> ProjectTree:
        """Return the user's projects."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return ProjectTree(await rows.of_user(session, current_user.user_id))

    async def create(self, current_user: CurrentUser, content: ProjectContent) -> UUID:
        """Create a project, and return its ID.

        Raises:
            InvalidInput: when something of it is missing, too long, nested too deep, or there are too many.
            NotFound: when the project around it or a collection does not exist, or is not the user's to use.
        """
        content = await self._valid(current_user, content)
        async with self._database.begin(current_user.user_id) as session:
            await rows.lock_all(session, current_user.user_id)
            tree = ProjectTree(await rows.of_user(session, current_user.user_id))
            if len(tree) >= MOST_PROJECTS:
                raise InvalidInput(f"You have {MOST_PROJECTS} projects. Delete one first.", field="name")
            tree.require_place(None, content.parent_id)
            project_id = await rows.create(session, current_user.user_id, content)
            await tag_rows.notify_tabs(session, current_user.user_id)
        return project_id

    async def change(self, current_user: CurrentUser, project_id: UUID, content: ProjectContent) -> None:
        """Change a project to this.

        Raises:
            InvalidInput: when something of it is missing or too long, or it would be in itself, or too deep.
            NotFound: when it, the project around it or a collection does not exist, or is not the user's to use.
        """
        content = await self._valid(current_user, content, project_id)
        async with self._database.begin(current_user.user_id) as session:
            await rows.lock_all(session, current_user.user_id)
            tree = ProjectTree(await rows.of_user(session, current_user.user_id))
            tree.get(project_id)
            tree.require_place(project_id, content.parent_id)
            await rows.change(session, current_user.user_id, project_id, content)
            await tag_rows.notify_tabs(session, current_user.user_id)

    async def _valid(
        self, current_user: CurrentUser, content: ProjectContent, project_id: UUID | None = None
    ) -> ProjectContent:
        require_scope(current_user, Scope.CHAT)
        content = valid_content(content)
        if content.collection_ids:
            require_scope(current_user, Scope.FILES)
            async with self._database.begin(current_user.user_id) as session:
                tree = ProjectTree(await rows.of_user(session, current_user.user_id))
                # One that is gone meanwhile stays, and is not searched.
                had = tree.get(project_id).content.collection_ids if project_id else ()
                new = [found for found in content.collection_ids if found not in had]
                if not await are_collections(session, current_user, new):
                    raise NotFound(_NO_COLLECTION)
        return content

    async def delete(self, current_user: CurrentUser, project_id: UUID, *, with_conversations: bool) -> int:
        """Delete a project with those in it; its conversations stay, or go to the trash. Returns how many went.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        owner_id, removed = current_user.user_id, []
        async with self._database.begin(owner_id) as session:
            inside = ProjectTree(await rows.of_user(session, owner_id))
            inside.get(project_id)
            if with_conversations:
                found = await rows.conversations_in(session, owner_id, inside.within(project_id))
                removed = await bulk_rows.append_to_all(session, found, ConversationRemoved()) or []
            await rows.remove(session, owner_id, project_id)
            await tag_rows.notify_tabs(session, owner_id)
        async with self._database.begin(owner_id) as session:
            for conversation_id in await bulk_rows.with_answers(session, owner_id, removed):
                await stop_answer(session, owner_id, conversation_id)
        return len(removed)

    async def move(self, current_user: CurrentUser, conversation_ids: Sequence[UUID], project_id: UUID | None) -> None:
        """Put conversations into a project, or take them out of theirs: all of them, or none.

        Raises:
            InvalidInput: when there are too many.
            NotFound: when the project or one of them does not exist, or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        wanted, owner_id = list(dict.fromkeys(conversation_ids)), current_user.user_id
        require_few(wanted)
        async with self._database.begin(owner_id) as session:
            if await tag_rows.count_owned(session, owner_id, wanted) != len(wanted):
                raise NotFound("One of these conversations does not exist. Nothing was changed: reload the page.")
            if project_id is None:
                await rows.take_out(session, owner_id, wanted)
            elif not await rows.move(session, owner_id, wanted, project_id):
                raise NotFound("This project does not exist: it was deleted, maybe in another tab.")
            await tag_rows.notify_tabs(session, owner_id)
