"""The dialog “What the model saw”."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat.prompt_record import PromptRecordState, record_view
from rxchat.states.chat.thread import ThreadState
from tests.factories import signed_in_as
from tests.services.answering import ended
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=2"


async def test_the_dialog_shows_the_messages_and_the_facts(services: Services, current_user: CurrentUser) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL, parameters={"seed": 3})
    answer = await ended(services, current_user, turn.conversation_id)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        tab.visit(turn.conversation_id)
        await tab.do(ThreadState, "open")
        await tab.do(PromptRecordState, "show", form={"id": str(answer.id), "dialog": "3"})
        record = tab.shown(PromptRecordState, "record")
        assert tab.shown(PromptRecordState, "opened") == 3
        assert [(item.who, item.text) for item in record.messages] == [("You", "Hello")]
        facts = dict(record.facts)
        assert (facts["Model"], facts["Parameters"]) == (MODEL, "Seed 3") and "written" in facts["Tokens"]
        await tab.do(PromptRecordState, "show", form={"id": str(new_id()), "dialog": "4"})
        assert (tab.shown(PromptRecordState, "opened"), tab.shown(PromptRecordState, "problem_dialog")) == (3, 4)


def test_a_long_record_fits_into_an_event() -> None:
    message = {"role": "tool", "content": "x" * 50_000, "tool_name": "search_documents", "cut_characters": 5}
    source = {"number": 1, "document_id": "", "name": "A.txt", "heading": "One", "page": 2}
    record = {
        "model": "m", "digest": "", "context_tokens": 0, "parameters": {}, "messages": [message] * 300,
        "left_out": [message] * 300, "tools": ["search_documents"], "sources": [source, source | {"is_hidden": True}] * 100,
        "requests": [], "first_token_seconds": None, "seconds": 1.0, "cost": None,
    }  # fmt: skip
    view = record_view("run", record)
    assert len(json.dumps(asdict(view))) < 64_000
    assert view.messages[-1].note == "search_documents · 44,005 more characters" and view.note
    assert view.sources[:2] == [
        "[1] A.txt, One, page 2", "[1] a document that was deleted, or is no longer shared with you",
    ]  # fmt: skip
