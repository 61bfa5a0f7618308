"""What was sent with a message is kept with it: shown to its owner while it is there, and to others as far as they may read it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_events import AnswerEnded
from rxchat.domain.errors import NotFound
from rxchat.domain.grounding import NO_SOURCE_USED
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.security.test_sharing import CALLER
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, body

pytestmark = pytest.mark.anyio

QUICK = "scripted:tokens=2"
SLOW = "scripted:tokens=40,rate=5"


@pytest.fixture
def ada(current_user: CurrentUser, ollama: ScriptedOllama) -> CurrentUser:
    ollama.offered = [QUICK, SLOW, EMBEDDER]
    return current_user


async def upload(
    services: Services,
    current_user: CurrentUser,
    name: str,
    collection_id: UUID | None = None,
    draft_key: UUID | None = None,
) -> UUID:
    # A PDF that begins as one, and is none.
    data = f"{'%PDF-1.7 ' if name.endswith('.pdf') else ''}The text of {name}.".encode()
    begun = await services.documents.files.begin(
        current_user, name=name, size_bytes=len(data), collection_id=collection_id, draft_key=draft_key
    )
    return (await services.documents.files.receive(current_user, begun.document_id, 0, body(data))).document_id


async def shown(services: Services, current_user: CurrentUser, conversation_id: UUID) -> list[dict[str, Any]]:
    page = await services.chat.conversations.open(current_user, conversation_id)
    return next(message for message in reversed(page.messages) if message.role == "user").attachments


async def test_files_collections_and_documents_stay_with_their_message_until_they_are_deleted(
    services: Services, ada: CurrentUser
) -> None:
    rules, draft = await services.documents.collections.create(ada, "Rules"), new_id()
    note = await upload(services, ada, "note.txt", collection_id=rules)
    first, second = [await upload(services, ada, name, draft_key=draft) for name in ("one.txt", "two.txt")]
    turn = await services.chat.messages.send_message(
        ada, None, "Why?", QUICK, attached=Attached((rules, note), draft_key=draft)
    )
    await ended(services, ada, turn.conversation_id)
    expected = [
        {"id": str(first), "kind": "document", "name": "one.txt"},
        {"id": str(second), "kind": "document", "name": "two.txt"},
        {"id": str(rules), "kind": "collection", "name": "Rules"},
        {"id": str(note), "kind": "document", "name": "note.txt"},
    ]
    assert await shown(services, ada, turn.conversation_id) == [{**item, "is_there": True} for item in expected]
    history = await services.chat.conversations.history(ada, turn.conversation_id)
    assert history.messages[turn.question_id].attachments == expected
    await services.documents.files.remove(ada, [first])
    await services.documents.files.remove_collection(ada, rules)
    there = {item["name"]: item["is_there"] for item in await shown(services, ada, turn.conversation_id)}
    assert there == {"one.txt": False, "two.txt": True, "Rules": False, "note.txt": False}


async def test_a_queued_message_brings_its_files_when_its_turn_comes(services: Services, ada: CurrentUser) -> None:
    draft = new_id()
    await upload(services, ada, "late.txt", draft_key=draft)
    turn = await services.chat.messages.send_message(ada, None, "Hello", SLOW)
    queued = await services.chat.messages.send_message(
        ada, turn.conversation_id, "And this?", QUICK, attached=Attached(draft_key=draft)
    )
    assert queued.is_waiting
    news = await services.chat.conversations.news(ada, turn.conversation_id, 0)
    assert [item["name"] for message in news.waiting for item in message.attachments] == ["late.txt"]
    await services.chat.messages.stop(ada, turn.conversation_id)
    answer = await ended(services, ada, turn.conversation_id)
    assert answer.model == QUICK
    assert [item["name"] for item in await shown(services, ada, turn.conversation_id)] == ["late.txt"]


async def test_readers_of_a_shared_conversation_see_what_they_may_read_and_no_name_of_the_rest(
    services: Services, ada: CurrentUser, owner_url: str
) -> None:
    grace = add_user(owner_url, "Grace")
    shared, draft = await services.documents.collections.create(ada, "Shared"), new_id()
    await upload(services, ada, "secret.txt", draft_key=draft)
    turn = await services.chat.messages.send_message(
        ada, None, "Why?", QUICK, attached=Attached((shared,), draft_key=draft)
    )
    await ended(services, ada, turn.conversation_id)
    await services.access.grants.add(
        ada, principal_kind="user", principal=str(grace.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=CALLER,
    )  # fmt: skip
    await services.documents.collection_shares.add(ada, shared, "user", grace.email, CALLER)
    seen = await shown(services, grace, turn.conversation_id)
    assert [(item["name"], item["is_there"]) for item in seen] == [("", False), ("Shared", True)]
    message = await services.chat.conversations.message(grace, turn.conversation_id, turn.question_id)
    assert "secret.txt" not in str(message)
    # A message of files alone has their names as its text.
    more = new_id()
    await upload(services, ada, "secret too.txt", draft_key=more)
    wordless = await services.chat.messages.send_message(
        ada, turn.conversation_id, "", QUICK, attached=Attached(draft_key=more)
    )
    await ended(services, ada, turn.conversation_id)
    of_ada, of_grace = [
        await services.chat.conversations.message(user, turn.conversation_id, wordless.question_id)
        for user in (ada, grace)
    ]
    assert of_ada.text == "Attached: secret too.txt"
    assert of_grace.text == "" and "secret too.txt" not in str(of_grace)
    # Nor is it in the title of a conversation that begins with one.
    last = new_id()
    await upload(services, ada, "secret three.txt", draft_key=last)
    begun = await services.chat.messages.send_message(ada, None, "", QUICK, attached=Attached(draft_key=last))
    page = await services.chat.conversations.open(ada, begun.conversation_id)
    assert (page.title, page.messages[0].text) == ("Attached files", "Attached: secret three.txt")


async def test_readers_of_a_shared_conversation_see_neither_its_warnings_about_files_nor_its_queue(
    services: Services, ada: CurrentUser, owner_url: str
) -> None:
    grace, draft, conversations = add_user(owner_url, "Grace"), new_id(), services.chat.conversations
    await upload(services, ada, "secret.pdf", draft_key=draft)
    turn = await services.chat.messages.send_message(ada, None, "Why?", QUICK, attached=Attached(draft_key=draft))
    answer = await ended(services, ada, turn.conversation_id)
    await services.access.grants.add(
        ada, principal_kind="user", principal=str(grace.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=CALLER,
    )  # fmt: skip
    for user, expected in ((ada, ["secret.pdf could not be read.", NO_SOURCE_USED]), (grace, [NO_SOURCE_USED])):
        message = await conversations.message(user, turn.conversation_id, answer.id)
        page = await conversations.open(user, turn.conversation_id)
        news = await conversations.news(user, turn.conversation_id, 0)
        endings = [event.warnings for _, event in news.events if isinstance(event, AnswerEnded)]
        assert [message.warnings, page.messages[1].warnings, *endings] == [expected] * 3
    await services.chat.messages.send_message(ada, turn.conversation_id, "And now?", SLOW)
    queued = await services.chat.messages.send_message(ada, turn.conversation_id, "A second thought", QUICK)
    assert queued.is_waiting
    assert await conversations.queued_text(ada, turn.conversation_id, queued.question_id) == "A second thought"
    assert (await conversations.news(grace, turn.conversation_id, 0)).waiting == ()
    with pytest.raises(NotFound):
        await conversations.queued_text(grace, turn.conversation_id, queued.question_id)
    await services.chat.messages.stop(ada, turn.conversation_id)
    await ended(services, ada, turn.conversation_id)
