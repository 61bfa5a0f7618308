"""What the model saw: exactly, after fitting, with what was left out, for the owner alone, and without what may no longer be read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.chat import AnswerFinished, ChatMessage, PreparedPrompt, Role
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.permissions import Scope
from rxchat.domain.prompt_records import PromptRecorder, as_readable, packed, unpacked
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, HANDBOOK, ready

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=3"
CALLER = ClientInfo("203.0.113.7", "a browser")


async def seen(services: Services, user: CurrentUser, conversation_id: UUID) -> tuple[UUID, dict]:
    answer = await ended(services, user, conversation_id)
    return await services.chat.prompt_records.of_answer(user, conversation_id, answer.id)


async def test_it_is_what_was_sent_with_parameters_counts_and_times(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [MODEL]
    await services.models.catalog.offer()
    said = Configuration("Be brief.", {"temperature": 0.5})
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL, configuration=said)
    run_id, record = await seen(services, current_user, turn.conversation_id)
    sent = [{"role": item["role"], "content": item["content"]} for item in record["messages"]]
    assert sent == ollama.asked[-1]["messages"]
    assert (record["model"], record["digest"], record["parameters"]) == (MODEL, "0" * 64, {"temperature": 0.5})
    assert (record["left_out"], record["tools"], record["sources"], record["cost"]) == ([], [], [], None)
    [request] = record["requests"]
    assert request["answer_tokens"] == 3 and request["reason"] == "stop"
    assert 0 <= record["first_token_seconds"] <= record["seconds"] and record["context_tokens"] == 8_192
    # The same by the run's ID; what is asked again is another run.
    assert (await services.chat.prompt_records.of_run(current_user, run_id))["messages"] == record["messages"]
    await services.chat.branches.regenerate(current_user, turn.conversation_id, turn.question_id, MODEL)
    again, _ = await seen(services, current_user, turn.conversation_id)
    assert again != run_id


async def test_what_did_not_fit_is_left_out_and_recorded(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    narrow, first = Configuration("", {"num_ctx": 512}), f"first {'word ' * 250}"
    turn = await services.chat.messages.send_message(current_user, None, first, MODEL, configuration=narrow)
    await ended(services, current_user, turn.conversation_id)
    await services.chat.messages.send_message(current_user, turn.conversation_id, f"second {'word ' * 250}", MODEL)
    _, record = await seen(services, current_user, turn.conversation_id)
    assert [item["content"] for item in record["messages"]] == [
        item["content"] for item in ollama.asked[-1]["messages"]
    ]
    assert [item["content"][:5] for item in record["left_out"]] == ["first", "word "]
    # A message that does not fit by itself is not sent.
    await services.chat.messages.send_message(current_user, turn.conversation_id, "word " * 3_000, MODEL)
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.state is MessageState.FAILED
    with pytest.raises(NotFound, match="Nothing is recorded"):
        await services.chat.prompt_records.of_answer(current_user, turn.conversation_id, answer.id)


async def test_only_the_owner_sees_it_and_it_goes_with_the_conversation(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    run_id, _ = await seen(services, current_user, turn.conversation_id)
    answer = await ended(services, current_user, turn.conversation_id)
    reader = add_user(owner_url, "Reader")
    await services.access.grants.add(
        current_user, principal_kind="user", principal=str(reader.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=CALLER,
    )  # fmt: skip
    assert (await services.chat.conversations.open(reader, turn.conversation_id)).title == "Hello"
    with pytest.raises(NotFound):
        await services.chat.prompt_records.of_run(reader, run_id)
    with pytest.raises(NotFound):
        await services.chat.prompt_records.of_answer(reader, turn.conversation_id, answer.id)
    await services.chat.conversations.remove(current_user, turn.conversation_id)
    with pytest.raises(NotFound):
        await services.chat.prompt_records.of_run(current_user, run_id)


async def test_passages_are_for_who_may_read_their_documents_and_for_keys_with_that_scope(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [MODEL, EMBEDDER]
    library = await services.documents.collections.create(current_user, "Library")
    handbook = await ready(services, current_user, library, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many days of holidays?", MODEL, attached=Attached((library,))
    )
    _, record = await seen(services, current_user, turn.conversation_id)
    assert "thirty days of holidays" in str(record["messages"]) and record["sources"][0]["name"] == "handbook.md"
    key = replace(current_user, scopes=frozenset({Scope.READ}))
    _, shown = await seen(services, key, turn.conversation_id)
    assert "thirty days" not in str(shown) and "handbook" not in str(shown)
    await services.documents.files.remove(current_user, [handbook.id])
    _, shown = await seen(services, current_user, turn.conversation_id)
    assert "thirty days" not in str(shown) and "handbook" not in str(shown)
    assert "How many days of holidays?" in str(shown["messages"])


def test_passages_of_documents_that_may_no_longer_be_read_are_hidden() -> None:
    document = new_id()
    record = {
        "messages": [
            {"role": "system", "content": "secret passage", "has_sources": True}, {"role": "user", "content": "Hello"},
        ],
        "left_out": [],
        "sources": [{"number": 1, "document_id": str(document), "name": "Secret.txt", "heading": "", "page": 2}],
    }  # fmt: skip
    assert as_readable(record, {document}) == record
    hidden = as_readable(record, set())
    assert "secret" not in str(hidden).lower() and hidden["messages"][1]["content"] == "Hello"
    assert hidden["sources"][0]["is_hidden"]


def test_a_record_has_a_limit_and_survives_being_stored() -> None:
    recorder = PromptRecorder()
    assert recorder.record("m", {}, (), ()) is None
    messages = [ChatMessage(Role.USER, "a" * 500_000), ChatMessage(Role.USER, "b\ud800" * 150_000)]
    recorder.sent(PreparedPrompt(messages), messages, ())
    recorder.finished(AnswerFinished("stop"))
    record = recorder.record("m", {}, (), messages)
    assert record is not None
    first, last = record["messages"]
    assert (len(last["content"]), len(first["content"]), first["cut_characters"]) == (300_000, 300_000, 200_000)
    stored = unpacked(packed(record))
    assert stored["messages"][0] == first and len(packed(record)) < 100_000
    with pytest.raises(ValueError, match="cannot be read"):
        unpacked(b"no record")
