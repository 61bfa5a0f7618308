"""Pictures as documents: a model that can see says what is on them, and that is what is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import aclosing
from uuid import UUID

import structlog

from rxchat.db.platform.database import Database
from rxchat.domain.chat import ChatMessage, ModelInfo, Role, TextDelta
from rxchat.domain.documents import Block, BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, EmbedderError, ModelError, ModelRefused, NoTextLayer
from rxchat.domain.ports import ChatModel
from rxchat.domain.text import sanitize
from rxchat.services.access.model_access import may_use_model

log = structlog.get_logger(__name__)

_MOST_BYTES = 20_000_000
_SECONDS = 180.0
_CHARACTERS = 20_000
_NOBODY_SEES = "Pictures are read by a model that can see, and there is none here: pull one, such as llama3.2-vision, and read it again."
_NONE_FOR_YOU = (
    "Pictures are read by a model that can see, and you may use none of those here: ask an administrator for one."
)
_ORDER = (
    "Describe this picture for somebody who looks for it by its content: first what it shows, in a few sentences; then, under"
    " the line “Text:”, all text that is on it, word by word. If there is none, leave that out."
)


class ImageCaptions:
    """Reads pictures with the first model that can see."""

    def __init__(self, database: Database, model: ChatModel) -> None:
        """Know whom to ask, and who may."""
        self._database = database
        self._model = model

    async def read(self, owner_id: UUID, content: AsyncIterable[bytes]) -> ParsedDocument:
        """Return what a picture of somebody's shows.

        Raises:
            NoTextLayer: when there is no model that can see and that they may use.
            DocumentUnreadable: when it says nothing.
            EmbedderError: when the model does not answer just now.
        """
        data = bytearray()
        async for piece in content:
            data += piece
            if len(data) > _MOST_BYTES:
                raise DocumentUnreadable(
                    f"This picture is larger than {_MOST_BYTES // 1_000_000} MB: save a smaller one."
                )
        try:
            model = await self._that_sees(owner_id)
            said = await self._described(model.name, bytes(data))
        except ModelRefused as error:
            raise DocumentUnreadable(f"The model could not read this picture: {error.message}") from error
        except (ModelError, TimeoutError) as error:
            raise EmbedderError("The model that looks at pictures does not answer.") from error
        if not said:
            raise DocumentUnreadable(f"{model.name} had nothing to say about this picture.")
        return ParsedDocument(said, (Block(BlockKind.PARAGRAPH, 0, len(said)),), notes=(f"Described by {model.name}.",))

    async def _that_sees(self, owner_id: UUID) -> ModelInfo:
        seeing = [item for item in await self._model.models() if "vision" in item.capabilities and item.is_allowed]
        async with self._database.begin(owner_id) as session:
            for model in seeing:
                if await may_use_model(session, owner_id, model.name):
                    return model
        raise NoTextLayer(_NONE_FOR_YOU if seeing else _NOBODY_SEES)

    async def _described(self, model: str, image: bytes) -> str:
        said = ""
        async with asyncio.timeout(_SECONDS):
            asked = [ChatMessage(Role.USER, _ORDER, images=(image,))]
            async with aclosing(self._model.chat(model, asked)) as events:
                async for event in events:
                    said += event.text if isinstance(event, TextDelta) else ""
                    if len(said) > _CHARACTERS:
                        break
        return sanitize(said[:_CHARACTERS]).strip()
