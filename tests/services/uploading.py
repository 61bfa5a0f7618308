"""What tests of uploads share: beginning one, breaking it off, and looking at what is kept of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import UUID

import psycopg

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.files import Upload
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.services.grounded import body

LARGE = b"".join(b"line %d of a large file\n" % number for number in range(250_000))


def objects(settings: Settings) -> list[Path]:
    """The pieces that are kept."""
    return [path for path in (settings.data / "files").glob("??/*") if path.is_file()]


def rows(owner_url: str) -> int:
    """How much is remembered of files."""
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT (SELECT count(*) FROM stored_file) + (SELECT count(*) FROM file_part) + (SELECT count(*) FROM document)"
        ).fetchone()
    assert found
    return found[0]


def ack_object_deletions(owner_url: str) -> None:
    """Forget what earlier tests have left to be deleted in stores that are gone."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("DELETE FROM object_deletion")


async def breaking(data: bytes) -> AsyncGenerator[bytes]:
    """A body whose line breaks at its end."""
    async for piece in body(data):
        yield piece
    raise ConnectionError


async def content(
    services: Services, current_user: CurrentUser, document_id: UUID, start: int = 0, end: int | None = None
) -> bytes:
    """Return the content that a user downloads of a file."""
    found = await services.documents.files.content(current_user, document_id, start, end)
    return b"".join([piece async for piece in found.pieces])


async def begun(
    services: Services, current_user: CurrentUser, collection: UUID, data: bytes = LARGE, name: str = "large.txt"
) -> Upload:
    """An upload of which nothing has been sent yet."""
    return await services.documents.files.begin(current_user, name=name, size_bytes=len(data), collection_id=collection)
