"""Finds cited passages in the texts of documents, which may have changed since."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.passages import PassageRef, Span, find_passage, where_it_was
from rxchat.services.documents.documents import Documents, Preview
from rxchat.services.retrieval.search_slots import SearchSlots

_MOST_PIECES = 60
_OVERLAP = 2_000
_SECONDS = 10.0
"""After this time a passage counts as lost: a text may be of characters that take long to compare."""
_WAITING_OF_ONE_USER = 8
# A thread of its own: in the usual pool, searches would delay the encryption of all files.
_THREAD = ThreadPoolExecutor(1, "passages")


class PassageSearch:
    """Searches through documents, one at a time in a process, in turn for the users who wait."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._slots = SearchSlots(1, 1, _WAITING_OF_ONE_USER)

    async def around(
        self, current_user: CurrentUser, document_id: UUID, wanted: PassageRef, lead: int, piece: int
    ) -> tuple[Preview, Span | None, bool]:
        """Return the part of a text around a passage, where the passage is, and whether the text has lost it.

        Args:
            current_user: The reader.
            document_id: The document.
            wanted: The passage.
            lead: How many characters to return before it.
            piece: How many characters from the beginning of the part are shown; the passage must be among them.

        Raises:
            NotFound: when the document does not exist or the user may not read it.
            TooManyAttempts: when the user has too many searches waiting.
        """
        preview = self._documents.preview
        found = await preview(current_user, document_id, max(0, wanted.start - lead))
        if not wanted.is_named or not found.characters:
            return found, None, False
        # Most passages are where they were: these need no search.
        span = where_it_was(found.text, found.start, wanted)
        if span is None:
            async with self._slots.slot(current_user.user_id):
                span = await self._find(current_user, found, wanted)
        if span is None:
            return (found if not found.start else await preview(current_user, document_id, 0)), None, True
        if not found.start <= span.start <= span.end <= found.start + min(len(found.text), piece):
            found = await preview(current_user, document_id, max(0, span.start - lead))
        return found, span, False

    async def _find(self, current_user: CurrentUser, near: Preview, wanted: PassageRef) -> Span | None:
        """Look where it was, then from the beginning of the document."""
        began, start = time.monotonic(), 0
        span = await _in_thread(near, wanted)
        for _ in range(_MOST_PIECES if wanted.quote and span is None else 0):
            part = await self._documents.preview(current_user, near.document.id, start)
            span = await _in_thread(part, wanted)
            end = part.start + len(part.text)
            if span or not part.text or end >= part.characters or time.monotonic() - began > _SECONDS:
                break
            start = end - _OVERLAP
        return span


async def _in_thread(part: Preview, wanted: PassageRef) -> Span | None:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, find_passage, part.text, part.start, wanted)
