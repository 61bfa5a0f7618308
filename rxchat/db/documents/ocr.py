"""Queries about recognized pages of scans whose other pages are not recognized yet."""

from __future__ import annotations

import json

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.domain.documents import RecognizedLine, RecognizedPage
from rxchat.domain.files import Document
from rxchat.tables import RecognizedPageRow

_SAVE = text(
    """
    INSERT INTO recognized_page (owner_id, document_id, generation, page, lines)
    VALUES (:owner, :document, :generation, :page, CAST(:lines AS jsonb)) ON CONFLICT DO NOTHING
    """
)


async def save_page(session: AsyncSession, document: Document, page: RecognizedPage) -> None:
    """Store a recognized page of a document's current generation."""
    lines = [[line.text, line.left, line.bottom, line.height] for line in page.lines]
    facts = {"owner": document.owner_id, "document": document.id, "generation": document.generation}
    await session.execute(_SAVE, {**facts, "page": page.number, "lines": json.dumps(lines)})


async def pages(session: AsyncSession, document: Document) -> list[RecognizedPage]:
    """Return the recognized pages of a document's current generation."""
    found = await session.execute(
        select(RecognizedPageRow)
        .where(
            col(RecognizedPageRow.owner_id) == document.owner_id,
            col(RecognizedPageRow.document_id) == document.id,
            col(RecognizedPageRow.generation) == document.generation,
        )
        .order_by(col(RecognizedPageRow.page))
    )
    return [RecognizedPage(row.page, tuple(RecognizedLine(*line) for line in row.lines)) for row in found.scalars()]


async def delete_pages(session: AsyncSession, document: Document) -> None:
    """Delete a document's recognized pages. Call after the whole document is parsed."""
    await session.execute(
        delete(RecognizedPageRow).where(
            col(RecognizedPageRow.owner_id) == document.owner_id, col(RecognizedPageRow.document_id) == document.id
        )
    )
