"""Pictures as models and pages get them: upright, smaller, and without metadata."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from uuid import UUID

from rxchat.domain.errors import NotFound
from rxchat.domain.ports import PictureReader
from rxchat.services.documents.files import Files

_CACHED_BYTES = 64_000_000
_MOST_BYTES = 30_000_000
_AT_ONCE = 2
"""How many pictures of a user are made smaller at the same time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is small enough for a model."""

    media_type: str
    content: bytes


class ResizedPictures:
    """Makes pictures smaller when they are asked for; the latest ones stay in memory."""

    def __init__(self, files: Files, reader: PictureReader) -> None:
        self._files, self._reader = files, reader
        self._cache: OrderedDict[UUID, Picture] = OrderedDict()
        self._cached_bytes = 0
        self._turns: defaultdict[UUID, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))
        self._waiting: defaultdict[UUID, int] = defaultdict(int)

    async def get(self, user_id: UUID, document_id: UUID) -> Picture:
        """Return the picture of a document that the user may read.

        Raises:
            NotFound: when the user may not read it, or it is no picture of a usual size.
            DocumentUnreadable: when it is damaged.
            StorageError: when its file cannot be read.
        """
        document, content = await self._files.readable(user_id, document_id)
        try:
            if not document.media_type.startswith("image/") or document.size_bytes > _MOST_BYTES:
                raise NotFound
            if (known := self._cache.get(document.file_id)) is not None:
                self._cache.move_to_end(document.file_id)
                return known
            self._waiting[user_id] += 1
            try:
                async with self._turns[user_id]:
                    if (known := self._cache.get(document.file_id)) is None:
                        made = await self._reader.picture(content)
                        known = Picture(made.name, made.content)
                        self._keep(document.file_id, known)
                    return known
            finally:
                self._waiting[user_id] -= 1
                if not self._waiting[user_id]:
                    del self._waiting[user_id], self._turns[user_id]
        finally:
            await content.aclose()

    def _keep(self, file_id: UUID, picture: Picture) -> None:
        self._cache[file_id] = picture
        self._cached_bytes += len(picture.content)
        while self._cached_bytes > _CACHED_BYTES:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest.content)
