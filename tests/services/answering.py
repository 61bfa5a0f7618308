"""What tests of answers share: asking, following, and waiting for the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.messages import ThreadMessage
from rxchat.domain.runs import ChunkKind
from rxchat.services.app.container import Services
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.chat.messages import Turn
from rxchat.services.chat.run_engine import Interruption

ENDLESS = "scripted:tokens=100000,rate=100"


async def ended(
    services: Services, current_user: CurrentUser, conversation_id: UUID, seconds: float = 60
) -> ThreadMessage:
    """Wait until no answer is being written, and return the last message."""
    async with asyncio.timeout(seconds):
        while (page := await services.chat.conversations.open(current_user, conversation_id)).run is not None:
            await asyncio.sleep(0.02)
    return page.messages[-1]


async def grown(answer: AnswerStream, characters: int) -> None:
    """Wait until so much of it is written, or it has ended."""
    async with asyncio.timeout(60):
        while len(answer.text) < characters and not answer.ended:
            await answer.changed(10)


async def stored(services: Services, turn: Turn, characters: int) -> None:
    """Wait until so much of the answer that this process writes is stored."""
    [writer] = [
        job.writer
        for job in services.chat.run_engine._jobs.values()
        if job.writer is not None and job.run.conversation_id == turn.conversation_id
    ]
    async with asyncio.timeout(60):
        while writer._saved[ChunkKind.TEXT] < characters:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def following(services: Services, current_user: CurrentUser, turn: Turn) -> AsyncGenerator[AnswerStream]:
    """Follow the answer of a turn."""
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert page.run is not None
    async with services.chat.answer_streams.following(current_user.user_id, page.run.id) as answer:
        yield answer


def kill(services: Services) -> None:
    """Stop an engine as if its process had died: without renewals, writes and releases."""
    engine = services.chat.run_engine
    for task in engine._loops:
        task.cancel()
    flushing = engine._chunk_flusher._task._task
    if flushing is not None:
        flushing.cancel()
    for job in engine._jobs.values():
        job.interrupt(Interruption.LOST)
