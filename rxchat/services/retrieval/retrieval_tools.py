"""Retrieval tools, with which a model searches passages, reads around them and lists documents.

Tools have the current permissions of the user who asked, are limited to the context sources of the conversation, and
only read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as rows
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ToolCall, ToolSpec
from rxchat.domain.errors import RxChatError
from rxchat.domain.grounding import format_passages
from rxchat.domain.retrieval import Passage, SearchScope, Source, within_budget
from rxchat.services.retrieval.search import DocumentSearch

ROUNDS = 4
"""How many rounds of tool calls a model may make before it has to answer."""
_MOST_SOURCES = 40
_DOCUMENTS = 100
_TEXT = {"type": "string"}

SEARCH = ToolSpec(
    "search_documents",
    "Look for passages in the person's own files. Use it when the passages that you were given do not answer the question.",
    {"type": "object", "properties": {"query": {**_TEXT, "description": "what to look for"}}, "required": ["query"]},
)
READ_AROUND = ToolSpec(
    "read_around",
    "Read what stands right before and after a passage, by its number.",
    {
        "type": "object",
        "properties": {"number": {"type": "integer", "description": "the passage's number"}},
        "required": ["number"],
    },
)
LIST = ToolSpec(
    "list_documents", "See which documents can be searched.", {"type": "object", "properties": {}, "required": []}
)
TOOLS = (SEARCH, READ_AROUND, LIST)


class RetrievalTools:
    """The tools of one answer; their results become further numbered sources."""

    def __init__(
        self,
        database: Database,
        document_search: DocumentSearch,
        current_user: CurrentUser,
        scope: SearchScope,
        sources: Sequence[Source],
        tokens: int,
    ) -> None:
        self._database = database
        self._document_search = document_search
        self._current_user = current_user
        self._scope = scope
        self._tokens = tokens
        self.sources = list(sources)

    async def call(self, call: ToolCall) -> str:
        """Return the result of a call as text for the model; errors, too."""
        try:
            match call.name:
                case SEARCH.name:
                    return await self._search(call.arguments)
                case READ_AROUND.name:
                    return await self._read_around(call.arguments)
                case LIST.name:
                    return await self._list()
                case _:
                    return f"There is no tool {call.name!r}. There are: {', '.join(tool.name for tool in TOOLS)}."
        except RxChatError as error:
            return f"This did not work: {error.message}"

    async def _search(self, given: dict[str, Any]) -> str:
        query = given.get("query")
        if not isinstance(query, str) or not query.strip():
            return 'Say what to look for, in words, like {"query": "holidays in the first year"}.'
        found = await self._document_search.search(self._current_user, query, self._scope, is_answer=True)
        passages = within_budget(found.passages, self._tokens)
        return format_passages(self._numbered(passages)) if passages else "No results."

    async def _read_around(self, given: dict[str, Any]) -> str:
        number = _whole_number(given.get("number"))
        if number is None:
            return 'Say which passage: its number alone, like {"number": 2}.'
        known = next((source.passage for source in self.sources if source.number == number), None)
        if known is None:
            return "There is no passage of this number."
        # Stored sources have no position in the index, so look it up.
        async with self._database.begin(self._current_user.user_id) as session:
            ordinal = await rows.ordinal_of(session, known.document_owner_id, known.chunk_id)
        if ordinal is None:
            return "This document is not there any more, or was changed."
        there = await self._document_search.neighbors(
            self._current_user, self._scope, known.document_id, ordinal, reach=1
        )
        around = [item for item in there if item.chunk_id != known.chunk_id]
        return format_passages(self._numbered(around)) if around else "Nothing else stands there."

    async def _list(self) -> str:
        async with self._database.begin(self._current_user.user_id) as session:
            names = await rows.document_names(session, self._scope, _DOCUMENTS + 1)
        more = "\n(and more)" if len(names) > _DOCUMENTS else ""
        return ("\n".join(names[:_DOCUMENTS]) + more) or "There are no documents."

    def _numbered(self, passages: Sequence[Passage]) -> list[Source]:
        """Return passages as sources: known ones with their number, new ones with the next."""
        told = []
        for passage in passages:
            known = next((source for source in self.sources if source.passage.chunk_id == passage.chunk_id), None)
            if known is None and len(self.sources) < _MOST_SOURCES:
                known = Source(len(self.sources) + 1, passage)
                self.sources.append(known)
            if known is not None:
                told.append(known)
        return told


def _whole_number(given: object) -> int | None:
    """Return a number that a model sent, possibly as text like "2" or as 2.0; None if it is none."""
    text = given.strip().strip("[]#").strip() if isinstance(given, str) else given
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    if isinstance(text, int):
        return text
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None
