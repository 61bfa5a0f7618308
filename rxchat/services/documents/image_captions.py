"""Pictures as documents: a vision model describes them, and searches find the description."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import aclosing
from uuid import UUID

import structlog

from rxchat.db.platform.database import Database
from rxchat.domain.chat import ChatMessage, ModelInfo, Role, TextDelta
from rxchat.domain.documents import Block, BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, EmbedderError, ModelError, ModelRefused, NoTextLayer, QuotaExceeded
from rxchat.domain.ports import ChatModel
from rxchat.domain.text import sanitize
from rxchat.services.access.model_access import may_use_model
from rxchat.services.models.metering import Metering

log = structlog.get_logger(__name__)

_MOST_BYTES = 20_000_000
_SECONDS = 180.0
_CHARACTERS = 20_000
_NOBODY_SEES = "Describing pictures needs a vision model, and none is installed. Install one, such as llama3.2-vision, and parse the document again."
_NONE_FOR_YOU = "Describing pictures needs a vision model, and you have access to none. Ask an administrator for one."
_ORDER = (
    "Describe this picture for somebody who looks for it by its content: first what it shows, in a few sentences; then, under"
    " the line “Text:”, all text that is on it, word by word. If there is none, leave that out."
)


class ImageCaptions:
    """Describes pictures with the first vision model."""

    def __init__(self, database: Database, model: ChatModel, metering: Metering) -> None:
        self._database = database
        self._model = model
        self._metering = metering

    async def read(self, owner_id: UUID, content: AsyncIterable[bytes]) -> ParsedDocument:
        """Return the description of a user's picture.

        Raises:
            NoTextLayer: when the user may use no vision model.
            DocumentUnreadable: when the model returns nothing.
            EmbedderError: when the model does not respond.
        """
        data = bytearray()
        async for piece in content:
            data += piece
            if len(data) > _MOST_BYTES:
                raise DocumentUnreadable(
                    f"This picture is larger than {_MOST_BYTES // 1_000_000} MB: save a smaller version."
                )
        try:
            model = await self._that_sees(owner_id)
            said = await self._described(owner_id, model.name, bytes(data))
        except ModelRefused as error:
            raise DocumentUnreadable(f"The model could not read this picture: {error.message}") from error
        except QuotaExceeded as error:
            raise EmbedderError(error.message) from error
        except (ModelError, TimeoutError) as error:
            raise EmbedderError("The vision model does not respond.") from error
        if not said:
            raise DocumentUnreadable(f"{model.name} returned no description of this picture.")
        return ParsedDocument(said, (Block(BlockKind.PARAGRAPH, 0, len(said)),), notes=(f"Described by {model.name}.",))

    async def _that_sees(self, owner_id: UUID) -> ModelInfo:
        seeing = [item for item in await self._model.models() if "vision" in item.capabilities and item.is_allowed]
        async with self._database.begin(owner_id) as session:
            for model in seeing:
                if await may_use_model(session, owner_id, model.name):
                    return model
        raise NoTextLayer(_NONE_FOR_YOU if seeing else _NOBODY_SEES)

    async def _described(self, owner_id: UUID, model: str, image: bytes) -> str:
        said = ""
        async with asyncio.timeout(_SECONDS):
            asked = [ChatMessage(Role.USER, _ORDER, images=(image,))]
            async with aclosing(self._metering.chat(owner_id, model, asked)) as events:
                async for event in events:
                    said += event.text if isinstance(event, TextDelta) else ""
                    if len(said) > _CHARACTERS:
                        break
        return sanitize(said[:_CHARACTERS]).strip()
