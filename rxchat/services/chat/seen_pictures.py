"""Adds the pictures that users attached to their messages, for models that see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from rxchat.domain.chat import ChatMessage
from rxchat.domain.errors import DocumentUnreadable, ModelError, NotFound, StorageError
from rxchat.domain.files import is_picture
from rxchat.domain.ports import ChatModel
from rxchat.domain.runs import ClaimedRun
from rxchat.services.documents.resized_pictures import ResizedPictures

log = structlog.get_logger(__name__)

MOST_PICTURES = 10
"""The latest ones of a conversation that a model gets; each takes hundreds of tokens."""


@dataclass(frozen=True, slots=True)
class SeenMessages:
    """Messages with their pictures."""

    messages: list[ChatMessage]
    warnings: tuple[str, ...] = ()
    """Sentences about pictures that the model did not get, shown below the answer."""
    sees: bool = False
    """Whether the model sees."""


class SeenPictures:
    """Reads pictures with the permissions of the user who asked, at the time of the answer."""

    def __init__(self, model: ChatModel, pictures: ResizedPictures) -> None:
        self._model, self._pictures = model, pictures

    async def added(
        self, run: ClaimedRun, messages: Sequence[ChatMessage], attached: Sequence[Sequence[Mapping[str, Any]]]
    ) -> SeenMessages:
        """Return the messages of a run with the pictures among their attachments; unchanged for a model that sees none."""
        wanted = [
            (number, item)
            for number, items in enumerate(attached)
            for item in items
            if is_picture(item.get("name", ""))
        ]
        if not wanted or not await self._sees(run.model):
            return SeenMessages(list(messages))
        found, lacking = list(messages), list[str]()
        for number, item in wanted[-MOST_PICTURES:]:
            try:
                picture = await self._pictures.get(run.owner_id, UUID(item["id"]))
            except (NotFound, DocumentUnreadable, StorageError) as error:
                log.info("a picture cannot be shown to a model", run_id=str(run.id), reason=error.code)
                lacking.append(
                    f"{item['name']} could not be shown to the model: it is damaged, deleted, or not shared with you."
                )
                continue
            found[number] = replace(found[number], images=(*found[number].images, picture.content))
        if len(wanted) > MOST_PICTURES:
            lacking.append(f"The model saw the latest {MOST_PICTURES} pictures of this conversation.")
        return SeenMessages(found, tuple(lacking), sees=True)

    async def _sees(self, model: str) -> bool:
        try:
            return any(item.name == model and "vision" in item.capabilities for item in await self._model.models())
        except ModelError:
            return False
