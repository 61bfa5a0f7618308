"""Queries about documents that are attached to other documents."""

from __future__ import annotations

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.documents.documents import FACTS, document_of
from rxchat.domain.files import Document
from rxchat.tables import DocumentRow


async def children(session: AsyncSession, document: Document) -> list[Document]:
    """Return the documents that are attached to one of the user's own."""
    found = await session.execute(
        select(*FACTS)
        .where(col(DocumentRow.owner_id) == document.owner_id, col(DocumentRow.parent_id) == document.id)
        .order_by(col(DocumentRow.created_at), col(DocumentRow.id))
    )
    return [document_of(row) for row in found]


_DEPTH = text(
    """
    WITH RECURSIVE above AS (
        SELECT parent_id, 0 AS depth FROM document WHERE owner_id = :owner AND id = :document
        UNION ALL
        SELECT document.parent_id, above.depth + 1
          FROM above JOIN document ON document.owner_id = :owner AND document.id = above.parent_id)
    SELECT coalesce(max(depth), 0) FROM above
    """
)


async def depth(session: AsyncSession, document: Document) -> int:
    """Return the depth at which one of the user's own documents is attached; 0 if it is not attached."""
    return (await session.execute(_DEPTH, {"owner": document.owner_id, "document": document.id})).scalar_one()


_COUNT_IN_UPLOAD = text(
    """
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM document WHERE owner_id = :owner AND id = :document
        UNION ALL
        SELECT document.id, document.parent_id
          FROM above JOIN document ON document.owner_id = :owner AND document.id = above.parent_id),
    below AS (
        SELECT id FROM above WHERE parent_id IS NULL
        UNION ALL
        SELECT child.id FROM below JOIN document AS child ON child.owner_id = :owner AND child.parent_id = below.id)
    SELECT count(*) - 1 FROM below
    """
)


async def count_in_upload(session: AsyncSession, document: Document) -> int:
    """Return the number of documents, at any depth, attached to the upload of one of the user's own documents."""
    return (await session.execute(_COUNT_IN_UPLOAD, {"owner": document.owner_id, "document": document.id})).scalar_one()
