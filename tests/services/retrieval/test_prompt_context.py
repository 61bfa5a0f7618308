"""Answers from files: what the model is shown, what it asks for itself, and what is kept with the answer."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ToolCall
from rxchat.domain.messages import MessageState
from rxchat.domain.projects import ProjectContent
from rxchat.domain.retrieval import SearchScope
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from rxchat.services.retrieval.retrieval_tools import RetrievalTools
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended, following, grown
from tests.services.grounded import EMBEDDER, HANDBOOK, body, ready

pytestmark = pytest.mark.anyio

CITING = 'scripted:tokens=1,text=It says "thirty days of holidays" [1] and more [9]. '
CALLING = "scripted:tokens=1,text=Look [1] [2].,call=coffee machine"
MANY = "\n\n".join(
    f"## Part {number}\n\nThis part tells about subject{number} in some detail. " * 6 for number in range(40)
)


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [CITING, CALLING, ENDLESS, EMBEDDER]
    return ollama


def tools_for(services: Services, current_user: CurrentUser, collection: UUID) -> RetrievalTools:
    """Return tools for a collection with which nothing was found yet."""
    return RetrievalTools(
        services.documents.files._database,
        services.retrieval.search,
        current_user,
        SearchScope((collection,)),
        [],
        1000,
    )


def told(ollama: ScriptedOllama, number: int = -1) -> str:
    return next((item["content"] for item in ollama.asked[number]["messages"] if item["role"] == "system"), "")


async def test_an_answer_cites_and_every_mark_is_checked(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", CITING, attached=Attached((collection,))
    )
    answer = await ended(services, current_user, turn.conversation_id)
    first, second = answer.citations
    assert (first["number"], first["verified"], first["quote"]) == (1, True, "thirty days of holidays")
    assert (second["number"], second["verified"], second["reason"]) == (9, False, "no such source")
    assert answer.warnings == []
    # It is small: all of it was shown, in its order.
    sources = await services.documents.documents.shown_sources(
        current_user, current_user.user_id, turn.conversation_id, answer.id
    )
    assert [source.heading for source in sources] == ["Handbook › Holidays", "Handbook › Coffee", "Handbook › Doors"]
    assert [source.is_cited for source in sources] == [True, False, False]
    assert "thirty days" in told(ollama)
    history = await services.chat.conversations.history(current_user, turn.conversation_id)
    assert history.messages[answer.id].citations == answer.citations
    assert [source.name for source in history.context_sources.values()] == ["Team"]


async def test_a_continued_answer_keeps_its_sources(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", ENDLESS, attached=Attached((collection,))
    )
    async with following(services, current_user, turn) as answer:
        await grown(answer, 20)
    await services.chat.messages.stop(current_user, turn.conversation_id)
    stopped = await ended(services, current_user, turn.conversation_id)
    await services.chat.messages.continue_answer(current_user, turn.conversation_id, stopped.id)
    async with following(services, current_user, turn) as answer:
        await grown(answer, len(stopped.text) + 20)
    await services.chat.messages.stop(current_user, turn.conversation_id)
    continued = await ended(services, current_user, turn.conversation_id)
    assert (continued.state, continued.error) == (MessageState.STOPPED, "")
    assert continued.text.startswith(stopped.text) and len(continued.text) > len(stopped.text)
    assert "thirty days" in told(ollama)


async def test_of_many_passages_the_best_are_shown_and_no_more_than_fit(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    document = await ready(services, current_user, collection, "many.md", MANY)
    attached = Attached((document.id,))
    turn = await services.chat.messages.send_message(
        current_user, None, "What is said about subject17?", CITING, attached=attached
    )
    await ended(services, current_user, turn.conversation_id)
    assert "subject17" in told(ollama)
    assert 1 <= told(ollama).count("<passage>") <= 8
    assert len(told(ollama)) < 12_000


async def test_files_of_the_message_itself_are_waited_for(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rxchat.domain.ids import new_id

    parse, may_go_on = services.documents.ingestion._quick_parser.parse, asyncio.Event()

    async def slowly(*given):
        await may_go_on.wait()
        return await parse(*given)

    monkeypatch.setattr(services.documents.ingestion._quick_parser, "parse", slowly)
    draft = new_id()
    upload = await services.documents.files.begin(current_user, name="a.md", size_bytes=len(HANDBOOK), draft_key=draft)
    await services.documents.files.receive(current_user, upload.document_id, 0, body(HANDBOOK.encode()))
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", CITING, attached=Attached(draft_key=draft)
    )
    await asyncio.sleep(0.3)
    assert ollama.asked == []
    may_go_on.set()
    await ended(services, current_user, turn.conversation_id)
    assert "thirty days" in told(ollama)
    [known] = await services.chat.context_sources.of(current_user, turn.conversation_id)
    assert (known.kind, known.name) == ("attachments", "a.md")
    assert [item.name for item in await services.documents.collections.readable(current_user)] == []


async def test_what_is_taken_out_is_not_looked_at_any_more(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", CITING, attached=Attached((collection,))
    )
    first = await ended(services, current_user, turn.conversation_id)
    await services.chat.context_sources.detach(current_user, turn.conversation_id, collection)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "And how many are there now?", CITING)
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.id != first.id
    assert answer.citations == []
    assert told(ollama) == ""


async def test_a_model_with_tools_looks_for_itself(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "many.md", MANY)
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    turn = await services.chat.messages.send_message(
        current_user, None, "What is subject3?", CALLING, attached=Attached((collection,))
    )
    answer = await ended(services, current_user, turn.conversation_id)
    assert (answer.state, answer.text) == (MessageState.DONE, "Look [1] [2].")
    first, second = ollama.asked[-2:]
    assert {tool["function"]["name"] for tool in first["tools"]} == {
        "search_documents",
        "read_around",
        "list_documents",
    }
    assert [message["role"] for message in second["messages"]][-2:] == ["assistant", "tool"]
    assert "coffee machine is cleaned" in second["messages"][-1]["content"]
    sources = await services.documents.documents.shown_sources(
        current_user, current_user.user_id, turn.conversation_id, answer.id
    )
    assert any("coffee machine is cleaned" in source.text for source in sources)
    assert [source.number for source in sources] == list(range(1, len(sources) + 1))


async def test_tools_read_around_list_and_stay_in_their_scope(
    services: Services, current_user: CurrentUser, collection
) -> None:
    other = await services.documents.collections.create(current_user, "Other")
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    await ready(services, current_user, other, "secret.md", "The secret of the coffee machine.")
    tools = tools_for(services, current_user, collection)
    assert await tools.call(ToolCall("list_documents", {})) == "handbook.md"
    found = await tools.call(ToolCall("search_documents", {"query": "coffee machine"}))
    assert "cleaned on Fridays" in found
    assert "secret" not in found
    number = next(source.number for source in tools.sources if "Fridays" in source.passage.text)
    around = await tools.call(ToolCall("read_around", {"number": number}))
    assert "thirty days" in around
    assert "locks the front door" in around


async def test_a_number_is_understood_however_a_model_writes_it(
    services: Services, current_user: CurrentUser, collection, subtests: pytest.Subtests
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    for number in ("{}", " {} ", "{}.0", "[{}]", "#{}", 1.0, 1):
        with subtests.test(number=number):
            tools = tools_for(services, current_user, collection)
            await tools.call(ToolCall("search_documents", {"query": "coffee machine"}))
            wanted = next(source.number for source in tools.sources if "Fridays" in source.passage.text)
            given = number.format(wanted) if isinstance(number, str) else number * wanted
            assert "thirty days" in await tools.call(ToolCall("read_around", {"number": given}))


async def test_a_number_that_is_none_is_answered_with_what_is_expected(
    services: Services, current_user: CurrentUser, collection, subtests: pytest.Subtests
) -> None:
    for number in ("two", "", None, True, 1.5, "nan", "inf", "-inf", "1e999", [], {"a": 1}, "1" * 5_000, "²"):
        with subtests.test(number=repr(number)[:20]):
            told_back = await tools_for(services, current_user, collection).call(
                ToolCall("read_around", {"number": number})
            )
            assert told_back == 'Say which passage: its number alone, like {"number": 2}.'


async def test_whatever_a_model_asks_for_it_gets_a_sentence(
    services: Services, current_user: CurrentUser, collection, subtests: pytest.Subtests
) -> None:
    for call in (
        ToolCall("rm", {}),
        ToolCall("search_documents", {}),
        ToolCall("search_documents", {"query": {"$ne": ""}}),
        ToolCall("read_around", {"number": "x"}),
        ToolCall("read_around", {}),
        ToolCall("read_around", {"number": 10**30}),
    ):
        with subtests.test(call=repr(call)):
            assert (await tools_for(services, current_user, collection).call(call)).endswith(".")


async def test_answers_draw_on_the_collections_of_the_projects_around(
    services: Services, current_user: CurrentUser, collection, ollama: ScriptedOllama
) -> None:
    await ready(services, current_user, collection, "handbook.md", HANDBOOK)
    projects = services.chat.organizing.projects
    office = await projects.create(current_user, ProjectContent("Office", collection_ids=(collection,)))
    holidays = await projects.create(current_user, ProjectContent("Holidays", office))
    turn = await services.chat.messages.send_message(
        current_user, None, "How many holidays?", CITING, project_id=holidays
    )
    answer = await ended(services, current_user, turn.conversation_id)
    assert answer.citations[0]["verified"] and "thirty days" in told(ollama)
    # It is no source of the conversation, and ends with the project.
    assert await services.chat.context_sources.of(current_user, turn.conversation_id) == []
    await projects.move(current_user, [turn.conversation_id], None)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "Again?", CITING)
    again = await ended(services, current_user, turn.conversation_id)
    assert not again.citations or not again.citations[0]["verified"]
