"""Messages of files alone: sent without a text, named by their files, answered from them."""

from __future__ import annotations

from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, HANDBOOK, body, ready

pytestmark = pytest.mark.anyio

MODEL = "scripted:tokens=1,text=It is a handbook [1]. "
SLOW = "scripted:tokens=40,rate=5"
OFFERED = [MODEL, SLOW, EMBEDDER]


async def attach(
    services: Services, current_user: CurrentUser, draft: UUID, name: str, data: bytes = HANDBOOK.encode()
) -> None:
    upload = await services.documents.files.begin(current_user, name=name, size_bytes=len(data), draft_key=draft)
    await services.documents.files.receive(current_user, upload.document_id, 0, body(data))


async def test_files_without_a_text_are_sent_named_and_answered_from(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    draft = new_id()
    for name in ("handbook.md", "more.txt"):
        await attach(services, current_user, draft, name, HANDBOOK.encode() + name.encode())
    turn = await services.chat.messages.send_message(
        current_user, None, " \n", MODEL, attached=Attached(draft_key=draft)
    )
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.state is MessageState.DONE
    assert [mark["verified"] for mark in answer.citations] == [True]
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    assert (page.title, page.messages[0].text) == ("Attached files", "Attached: handbook.md, more.txt")
    asked = ollama.asked[-1]["messages"]
    assert asked[-1]["content"] == "Attached: handbook.md, more.txt"
    assert "thirty days of holidays" in asked[0]["content"]


async def test_a_collection_is_sent_without_a_text_too_and_in_a_conversation_that_goes_on(
    services: Services, current_user: CurrentUser, collection: UUID, ollama: ScriptedOllama
) -> None:
    document = await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    await ended(services, current_user, turn.conversation_id)
    for attached in (Attached((collection,)), Attached((collection, document.id))):
        await services.chat.messages.send_message(current_user, turn.conversation_id, "", MODEL, attached=attached)
        await ended(services, current_user, turn.conversation_id)
    page = await services.chat.conversations.open(current_user, turn.conversation_id)
    asked = [item.text for item in page.messages if item.role == "user"]
    assert asked == ["Hello", "Attached: Team", "Attached: Team, handbook.md"]


async def test_what_is_sent_while_an_answer_is_written_waits_under_the_names_of_its_files(
    services: Services, current_user: CurrentUser
) -> None:
    draft = new_id()
    await attach(services, current_user, draft, "handbook.md")
    turn = await services.chat.messages.send_message(current_user, None, "Hello", SLOW)
    waits = await services.chat.messages.send_message(
        current_user, turn.conversation_id, "", SLOW, attached=Attached(draft_key=draft)
    )
    assert waits.is_waiting
    news = await services.chat.conversations.news(current_user, turn.conversation_id, 0)
    assert [item.text for item in news.waiting] == ["Attached: handbook.md"]
    await services.chat.messages.stop(current_user, turn.conversation_id)


@pytest.mark.parametrize("attached", [None, Attached(), Attached(draft_key=new_id()), Attached((new_id(),))])
async def test_a_message_of_nothing_at_all_is_refused(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama, attached: Attached | None
) -> None:
    with pytest.raises(InvalidInput):
        await services.chat.messages.send_message(current_user, None, " ", MODEL, attached=attached)
