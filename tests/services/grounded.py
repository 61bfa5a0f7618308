"""What tests of documents share: uploading, and waiting until something is ready or has failed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.files import Document
from rxchat.services.app.container import Services
from tests.peers.scripted_ollama import ScriptedOllama

HANDBOOK = """# Handbook

## Holidays

Everybody has thirty days of holidays in a year. They are asked for in the calendar.

## Coffee

The coffee machine is cleaned on Fridays by the last to drink.

## Doors

The last one to leave locks the front door and sets the alarm.
"""
EMBEDDER = "scripted-embed:tokens=256"


async def body(data: bytes, piece: int = 100_000) -> AsyncGenerator[bytes]:
    """A request's body."""
    for at in range(0, len(data), piece):
        yield data[at : at + piece]


async def uploaded(
    services: Services, current_user: CurrentUser, collection_id: UUID, name: str, data: bytes | str
) -> UUID:
    """Upload a file whole, and return its document."""
    data = data.encode() if isinstance(data, str) else data
    upload = await services.documents.files.begin(
        current_user, name=name, size_bytes=len(data), collection_id=collection_id
    )
    received = await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
    assert received.is_stored
    return received.document_id


async def found(services: Services, current_user: CurrentUser, document_id: UUID) -> Document:
    """Return a document as it stands."""
    return (await services.documents.documents.preview(current_user, document_id)).document


async def settled(services: Services, current_user: CurrentUser, document_id: UUID, seconds: float = 180) -> Document:
    """Wait until a document is ready or has failed; hundreds of passages take half a minute on a busy machine."""
    async with asyncio.timeout(seconds):
        # Without its text and its citations: it is asked for many times.
        while not (document := await services.documents.documents.get(current_user, document_id)).state.is_final:
            await asyncio.sleep(0.05)
    return document


async def ready(
    services: Services, current_user: CurrentUser, collection_id: UUID, name: str, data: bytes | str
) -> Document:
    """Upload a file and wait until it can be found."""
    document = await settled(services, current_user, await uploaded(services, current_user, collection_id, name, data))
    assert document.state is DocumentState.READY, document.error
    return document


def offer(services: Services, ollama: ScriptedOllama, *models: str, wanted: str = "") -> None:
    """Have other models there, and one of them configured, as after a restart."""
    ollama.offered = ["scripted:tokens=2", *models]
    embedder = services.documents.ingestion._vector_index._embedder
    embedder._found.clear()  # pyright: ignore[reportAttributeAccessIssue]
    embedder._own = None  # pyright: ignore[reportAttributeAccessIssue]
    embedder._wanted = wanted  # pyright: ignore[reportAttributeAccessIssue]
