"""What a model saw for an answer, for the owner of the conversation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.chat import run_prompts as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import in_scope, require_scope
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Scope
from rxchat.domain.prompt_records import as_readable

_NONE = (
    "Nothing is recorded for this answer: nothing was sent to the model, or it is older than the records,"
    " which begin with this version and are kept for the last 200 answers of a conversation."
)


class PromptRecords:
    """Use cases for the records. Readers of a shared conversation do not see them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_run(self, current_user: CurrentUser, run_id: UUID) -> dict[str, Any]:
        """Return the record of one of the user's runs.

        Raises:
            NotFound: when there is none, or it is another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        found = await rows.of_run(self._database.reading(current_user.user_id), current_user.user_id, run_id)
        if found is None:
            raise NotFound(_NONE)
        message_id, record = found
        return {"run_id": str(run_id), "message_id": str(message_id), **await self._readable(current_user, record)}

    async def of_answer(
        self, current_user: CurrentUser, conversation_id: UUID, message_id: UUID
    ) -> tuple[UUID, dict[str, Any]]:
        """Return the last run of one of the user's answers that has a record, and the record.

        Raises:
            NotFound: when there is none, or it is another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        read = self._database.reading(current_user.user_id)
        found = await rows.of_message(read, current_user.user_id, conversation_id, message_id)
        if found is None:
            raise NotFound(_NONE)
        run_id, record = found
        return run_id, await self._readable(current_user, record)

    async def _readable(self, current_user: CurrentUser, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record without passages of documents that the user may not read now, or an API key without the scope."""
        if not in_scope(current_user, Scope.FILES):
            return as_readable(record, frozenset())
        ids = [found for item in record["sources"] if (found := parse_id(item["document_id"])) is not None]
        async with self._database.begin(current_user.user_id) as session:
            readable = await source_rows.readable(session, ids, with_uploads=True)
        return as_readable(record, readable)
