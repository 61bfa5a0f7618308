"""Queries about a user's projects, and the conversations in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam
from sqlmodel import col

from rxchat.domain.ids import new_id
from rxchat.domain.projects import Project, ProjectContent
from rxchat.tables import ConversationProject, ProjectRow

_LIST = text(
    """
    SELECT project.id, parent_id, name, instructions, project.model, collection_ids, count(conversation.id) AS conversations
      FROM project LEFT JOIN conversation_project AS placed ON placed.owner_id = project.owner_id AND placed.project_id = project.id
      LEFT JOIN conversation ON conversation.owner_id = placed.owner_id AND conversation.id = placed.conversation_id
                            AND conversation.deleted_at IS NULL
     WHERE project.owner_id = :owner GROUP BY project.owner_id, project.id
    """
)
_IDS = bindparam("conversations", type_=ARRAY(Uuid))
_MOVE = text(
    """
    INSERT INTO conversation_project (owner_id, conversation_id, project_id)
    SELECT conversation.owner_id, conversation.id, project.id
      FROM conversation JOIN project ON project.owner_id = conversation.owner_id AND project.id = :project
     WHERE conversation.owner_id = :owner AND conversation.id = ANY (:conversations)
    ON CONFLICT (owner_id, conversation_id) DO UPDATE SET project_id = excluded.project_id
    RETURNING conversation_id
    """
).bindparams(_IDS)


async def of_user(session: AsyncSession, owner_id: UUID) -> list[Project]:
    """Return the user's projects."""
    return [
        Project(
            row.id,
            ProjectContent(row.name, row.parent_id, row.instructions, row.model, tuple(row.collection_ids)),
            row.conversations,
        )
        for row in await session.execute(_LIST, {"owner": owner_id})
    ]


async def lock_all(session: AsyncSession, owner_id: UUID) -> None:
    """Lock the user's projects until the transaction ends, so that no two changes make a circle together."""
    await session.execute(
        select(col(ProjectRow.id))
        .where(col(ProjectRow.owner_id) == owner_id)
        .order_by(col(ProjectRow.id))
        .with_for_update()
    )


async def create(session: AsyncSession, owner_id: UUID, content: ProjectContent) -> UUID:
    """Create a project, and return its ID."""
    project_id = new_id()
    session.add(ProjectRow(owner_id=owner_id, id=project_id, **_columns(content)))
    await session.flush()
    return project_id


async def change(session: AsyncSession, owner_id: UUID, project_id: UUID, content: ProjectContent) -> None:
    """Store what a project is now."""
    await session.execute(
        update(ProjectRow)
        .where(col(ProjectRow.owner_id) == owner_id, col(ProjectRow.id) == project_id)
        .values(_columns(content))
    )


def _columns(content: ProjectContent) -> dict[str, Any]:
    return asdict(content) | {"collection_ids": list(content.collection_ids)}


async def remove(session: AsyncSession, owner_id: UUID, project_id: UUID) -> None:
    """Delete a project with the projects in it; conversations stay."""
    await session.execute(
        delete(ProjectRow).where(col(ProjectRow.owner_id) == owner_id, col(ProjectRow.id) == project_id)
    )


async def conversations_in(session: AsyncSession, owner_id: UUID, project_ids: Sequence[UUID]) -> list[UUID]:
    """Return the IDs of the conversations in these projects of the user."""
    found = await session.execute(
        select(col(ConversationProject.conversation_id)).where(
            col(ConversationProject.owner_id) == owner_id, col(ConversationProject.project_id).in_(project_ids)
        )
    )
    return list(found.scalars())


async def project_of(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> UUID | None:
    """Return the project that a conversation of the user is in; None if it is in none."""
    found = await session.execute(
        select(col(ConversationProject.project_id)).where(
            col(ConversationProject.owner_id) == owner_id, col(ConversationProject.conversation_id) == conversation_id
        )
    )
    return found.scalar_one_or_none()


async def move(session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID], project_id: UUID) -> bool:
    """Put conversations of the user into one of their projects; False if one of them, or the project, is not the user's."""
    moved = await session.execute(
        _MOVE, {"owner": owner_id, "conversations": list(conversation_ids), "project": project_id}
    )
    return len(moved.all()) == len(set(conversation_ids))


async def take_out(session: AsyncSession, owner_id: UUID, conversation_ids: Sequence[UUID]) -> None:
    """Take conversations of the user out of their projects."""
    await session.execute(
        delete(ConversationProject).where(
            col(ConversationProject.owner_id) == owner_id,
            col(ConversationProject.conversation_id).in_(conversation_ids),
        )
    )
