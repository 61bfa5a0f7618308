"""Text that turns out to have been reasoning: what is stored, and what other processes have, is the answer alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.messages import MessageState
from rxchat.domain.reasoning_tags import ReasoningTags
from rxchat.domain.runs import ChunkKind, PartialAnswer, RunChunk
from rxchat.services.app.container import Services
from rxchat.services.chat.answer_generator import AnswerGenerator
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.states.chat.stream import Window
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.chat.test_run_engine import ended
from tests.support.page import Page

pytestmark = pytest.mark.anyio

MESSAGE = str(uuid4())


def test_the_page_shows_the_answer_alone_from_then_on() -> None:
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
    answer.move_to_reasoning(0)
    assert push() == {"text": "", "reasoning": "Let me see"}
    answer.add(ChunkKind.TEXT, "Le")
    assert push() == {"text": "Le", "reasoning": "Let me see"}


def _running() -> dict[str, object]:
    return {"id": MESSAGE, "role": "assistant", "text": "", "reasoning": "", "state": "running"}


@pytest.mark.parametrize("start", [0, 5])
def test_what_is_stored_and_copied_ends_where_the_text_was_taken_away(start: int) -> None:
    answer = AnswerStream(uuid4(), uuid4())
    answer.add(ChunkKind.TEXT, "Said.Let me see")
    stored = PartialAnswer().after(1, RunChunk(ChunkKind.TEXT, 0, answer.text))
    copy = AnswerStream(answer.owner_id, answer.run_id)
    assert copy.apply(RunChunk(ChunkKind.TEXT, 0, answer.text))
    answer.move_to_reasoning(start)
    chunks = [RunChunk(ChunkKind.REASONING, 0, answer.reasoning), RunChunk(ChunkKind.TEXT, start, answer.text[start:])]
    for seq, chunk in enumerate(chunks, start=2):
        stored = stored.after(seq, chunk)
        assert copy.apply(chunk)
    expected = ("Said."[:start], "Said.Let me see"[start:])
    assert (stored.text, stored.reasoning) == (copy.text, copy.reasoning) == expected


async def test_a_continued_answer_whose_text_was_reasoning_is_asked_for_once(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    model = "scripted:echo=3,fault=cut,at=8,text=Let me see and think a bit...</think>42"
    turn = await services.chat.messages.send_message(current_user, None, "go", model)
    failed = await ended(services, current_user, turn.conversation_id)
    assert failed.text == "Let me see and think a b"
    asked = len(ollama.asked)
    await services.chat.messages.continue_answer(current_user, turn.conversation_id, failed.id)
    message = await ended(services, current_user, turn.conversation_id)
    assert (message.reasoning, message.text) == ("Let me see and think a bit...", "42")
    assert (message.state, len(ollama.asked) - asked) == (MessageState.DONE, 1)


@pytest.mark.parametrize("is_being_stored", [False, True])
def test_what_is_stored_is_the_answer_even_if_text_is_moved_while_it_is_being_stored(is_being_stored: bool) -> None:
    run, nothing = cast("Any", SimpleNamespace(id=uuid4(), fence=1, model="m")), cast("Any", None)
    answer, tags, stored = AnswerStream(uuid4(), run.id), ReasoningTags(), PartialAnswer()
    flusher = cast("Any", SimpleNamespace(wake=lambda: None))
    generator = AnswerGenerator(nothing, nothing, flusher, uuid4(), run, answer, 1.0, nothing, nothing)
    generator._pieces = 1
    generator._add_text(tags.feed("Let me see..."), 0)
    pieces = generator.pending()
    if is_being_stored:
        generator._add_text(tags.feed("</think>4"), 0)
    generator.stored(pieces)
    if not is_being_stored:
        generator._add_text(tags.feed("</think>4"), 0)
    for more in ("", "2"):
        generator._add_text(tags.feed(more), 0)
        pieces += (new := generator.pending())
        generator.stored(new)
    for piece in pieces:
        stored = stored.after(piece.seq, piece.chunk)
    assert (stored.text, stored.reasoning) == ("42", "Let me see...")
    assert generator.pending() == [] and [piece.seq for piece in pieces] == list(range(1, len(pieces) + 1))
