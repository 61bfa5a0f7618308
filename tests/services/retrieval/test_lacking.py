"""What an answer says when not everything that was attached could be looked at."""

from __future__ import annotations

import asyncio

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from tests.parsers import scans
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, HANDBOOK, body, ready, settled

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]


def told(ollama: ScriptedOllama) -> str:
    return "\n".join(item["content"] for item in ollama.asked[-1]["messages"] if item["role"] == "system")


async def test_a_file_that_cannot_be_read_is_told_to_the_model(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    draft = new_id()
    for name, data in (("a.md", HANDBOOK.encode()), ("broken.pdf", b"%PDF-1.7\n" + b"nothing of a PDF" * 50)):
        upload = await services.documents.files.begin(current_user, name=name, size_bytes=len(data), draft_key=draft)
        await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
        await settled(services, current_user, upload.document_id)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", "scripted:tokens=2", attached=Attached(draft_key=draft)
    )
    await ended(services, current_user, turn.conversation_id)
    assert "thirty days" in told(ollama)
    assert "broken.pdf could not be read." in told(ollama)
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.warnings == ["broken.pdf could not be read.", "No source was used for this answer."]
    assert not answer.text.startswith("*")
    assert len(answer.text.split()) == 2


async def test_where_all_was_looked_at_nothing_is_said_of_it(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    collection = await services.documents.collections.create(current_user, "Team")
    await ready(services, current_user, collection, "a.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", "scripted:tokens=2", attached=Attached((collection,))
    )
    await ended(services, current_user, turn.conversation_id)
    assert "thirty days" in told(ollama)
    assert "Not everything" not in told(ollama)
    assert (await ended(services, current_user, turn.conversation_id)).warnings == [
        "No source was used for this answer."
    ]


async def test_an_answer_without_anything_attached_has_no_remarks(
    services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "How many holidays?", "scripted:tokens=2")
    assert (await ended(services, current_user, turn.conversation_id)).warnings == []


async def test_a_message_whose_attachments_are_gone_is_not_sent_without_them(
    services: Services, current_user: CurrentUser
) -> None:
    with pytest.raises(InvalidInput, match="no longer exists"):
        await services.chat.messages.send_message(
            current_user, None, "How many holidays?", "scripted:tokens=2", attached=Attached(draft_key=new_id())
        )


@pytest.mark.slow
async def test_a_scan_that_was_just_attached_is_waited_for(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    draft, scan = new_id(), scans.pdf("Invoice 4711\nThe total is 90 euros.")
    upload = await services.documents.files.begin(current_user, name="scan.pdf", size_bytes=len(scan), draft_key=draft)
    await services.documents.files.receive(current_user, upload.document_id, 0, body(scan))
    turn = await services.chat.messages.send_message(
        current_user, None, "What is the total?", "scripted:tokens=2", attached=Attached(draft_key=draft)
    )
    async with asyncio.timeout(40):
        while not ollama.asked:
            await asyncio.sleep(0.05)
    answer = await ended(services, current_user, turn.conversation_id)
    assert "The total is 90 euros." in told(ollama)
    assert "*" not in answer.text
