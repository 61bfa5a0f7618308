"""Text that turns out to have been reasoning: what is stored, and what other processes have, is the answer alone."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from rxchat.domain.runs import ChunkKind, PartialAnswer, RunChunk
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.states.chat.stream import Window
from tests.support.page import Page

pytestmark = pytest.mark.anyio

MESSAGE = str(uuid4())


async def test_the_page_shows_the_answer_alone_from_the_turn_on() -> None:
    answer = AnswerStream(uuid4(), uuid4())
    page = Page(lambda: None)
    page.take_patch({"number": 1, "change": "set", "items": [_running()], "older": False})
    windows = [Window(MESSAGE, kind) for kind in ChunkKind]

    def push() -> dict[str, str]:
        for window in windows:
            if (packet := window.packet(answer)) is not None:
                page.take_packet(packet)
        return {kind: page.text(MESSAGE, kind) for kind in ("text", "reasoning")}

    answer.add(ChunkKind.TEXT, "Let me see")
    assert push() == {"text": "Let me see", "reasoning": ""}
    answer.turn_into_reasoning(0)
    assert push() == {"text": "", "reasoning": "Let me see"}
    answer.add(ChunkKind.TEXT, "Le")
    assert push() == {"text": "Le", "reasoning": "Let me see"}
    await asyncio.sleep(0)


def _running() -> dict[str, object]:
    return {"id": MESSAGE, "role": "assistant", "text": "", "reasoning": "", "state": "running"}


@pytest.mark.parametrize("start", [0, 5])
async def test_what_is_stored_and_copied_ends_where_the_text_was_taken_away(start: int) -> None:
    answer = AnswerStream(uuid4(), uuid4())
    answer.add(ChunkKind.TEXT, "Said.Let me see")
    stored = PartialAnswer().after(1, RunChunk(ChunkKind.TEXT, 0, answer.text))
    copy = AnswerStream(answer.owner_id, answer.run_id)
    assert copy.apply(RunChunk(ChunkKind.TEXT, 0, answer.text))
    answer.turn_into_reasoning(start)
    chunks = [RunChunk(ChunkKind.REASONING, 0, answer.reasoning), RunChunk(ChunkKind.TEXT, start, answer.text[start:])]
    for seq, chunk in enumerate(chunks, start=2):
        stored = stored.after(seq, chunk)
        assert copy.apply(chunk)
    expected = ("Said."[:start], "Said.Let me see"[start:])
    assert (stored.text, stored.reasoning) == (copy.text, copy.reasoning) == expected
