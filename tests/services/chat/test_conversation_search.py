"""One box finds titles, messages and documents: by words, beginnings, in every script, in spite of typing errors."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_search import Found, FoundKind, parsed, snippet_parts
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.stored_conversations import StoredMessage, store_conversation

pytestmark = pytest.mark.anyio

TALKS = {
    "Trip to Lisbon": ("Where shall we stay?", "The hotels near the river are quieter. Running along it is lovely."),
    "Datenbankmigration": ("Wie läuft die Migration?", "Mit `alembic upgrade head`.\n\n```python\nprint('done')\n```"),
    "東京の天気": ("明日の天気は？", "明日の東京は晴れです。"),
    "The 100% plan": ("What is 100%_done?", "Nothing is."),
    "Pages": (
        "Put it into a <script> tag, then configure zebra",
        "See src/foo/shelf.py: `self.database.begin()` migration",
    ),
}


@pytest.fixture
def talks(current_user: CurrentUser, owner_url: str) -> dict[str, UUID]:
    """Conversations of a question and an answer each, by title."""
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        return {
            title: store_conversation(
                cursor,
                current_user.user_id,
                [StoredMessage("user", question), StoredMessage("assistant", answer, "llama3.2:3b")],
                title=title,
                model="llama3.2:3b",
            )
            for title, (question, answer) in TALKS.items()
        }


@pytest.fixture
def find(services: Services, current_user: CurrentUser, talks: dict[str, UUID]):
    assert talks

    async def search(query: str, kind: FoundKind | None = None) -> list[Found]:
        found = await services.chat.search.search(current_user, query)
        return [item for item in found if kind in {None, item.kind}]

    return search


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("hotels river", "Trip to Lisbon"),
        ("hotel", "Trip to Lisbon"),
        ("riv hot", "Trip to Lisbon"),
        ("run", "Trip to Lisbon"),
        ("RUNNING", "Trip to Lisbon"),
        ("alembic", "Datenbankmigration"),
        ("lauft", "Datenbankmigration"),
        ("東京", "東京の天気"),
        ("晴れ", "東京の天気"),
        ("100%_", "The 100% plan"),
        ("what is", "The 100% plan"),
        ("zebra", "Pages"),
        ("shelf.py", "Pages"),
        ("database beg", "Pages"),
    ],
)
async def test_messages_are_found_by_words_beginnings_and_in_every_script(find, query: str, title: str) -> None:
    assert {item.title for item in await find(query, FoundKind.MESSAGE)} == {title}


@pytest.mark.parametrize("query", ["hotels desert", "zzz", "' | *", "a & !b", "\\", "%", "東西"])
async def test_what_is_not_there_is_not_found_and_signs_are_no_operators(find, query: str) -> None:
    assert [item for item in await find(query, FoundKind.MESSAGE) if item.title == "Trip to Lisbon"] == []


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("lisbon", "Trip to Lisbon"),
        ("lisbn", "Trip to Lisbon"),
        ("Datenbankmigraton", "Datenbankmigration"),
        ("天気", "東京の天気"),
    ],
)
async def test_titles_are_found_in_spite_of_typing_errors(find, talks: dict[str, UUID], query: str, title: str) -> None:
    first = (await find(query, FoundKind.CONVERSATION))[0]
    assert (first.title, first.id) == (title, talks[title])


async def test_the_words_that_were_found_are_marked(find) -> None:
    [found] = await find("river run", FoundKind.MESSAGE)
    assert [text for text, is_hit in snippet_parts(found.snippet) if is_hit] == ["river", "Running"]
    [found] = await find("晴れ", FoundKind.MESSAGE)
    assert "明日の東京は晴れです。" in found.snippet


@pytest.mark.parametrize("length", range(5, 10))
async def test_a_word_is_found_with_each_letter_that_is_typed(find, length: int) -> None:
    assert "Pages" in {item.title for item in await find("migration"[:length], FoundKind.MESSAGE)}


@pytest.mark.parametrize(
    "text", ["a1@" * 16_000, "<!--" * 12_000, "a-" * 25_000, "x.y/" * 12_000, "a\x02b\x03c zebu " * 9]
)
async def test_no_text_keeps_a_message_from_being_stored_and_found(
    services: Services, current_user: CurrentUser, owner_url: str, text: str
) -> None:
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '20s'")
        store_conversation(cursor, current_user.user_id, [StoredMessage("user", f"zebu {text}")], title="Odd")
    [found] = await services.chat.search.search(current_user, "zebu")
    assert found.title == "Odd" and ("zebu", True) in snippet_parts(found.snippet)


async def test_filters_narrow_what_is_found(find, talks: dict[str, UUID]) -> None:
    assert {item.title for item in await find("has:code")} == {"Datenbankmigration"}
    assert await find("has:files") == []
    assert len(await find("model:llama")) == len(TALKS) and await find("model:gpt") == []
    today = datetime.now(UTC).date().isoformat()
    assert len(await find(f"after:{today}")) == 2 * len(TALKS) and await find(f"before:{today}") == []
    assert {item.title for item in await find("alembic has:code model:llama")} == {"Datenbankmigration"}
    assert parsed("has:wings after:2026-99-99 x").unknown == ("has:wings", "after:2026-99-99")


async def test_deleted_messages_and_conversations_are_not_found(
    find, services: Services, current_user: CurrentUser, talks: dict[str, UUID]
) -> None:
    trip = talks["Trip to Lisbon"]
    question = (await services.chat.conversations.open(current_user, trip)).messages[0]
    await services.chat.branches.delete(current_user, trip, question.id)
    # The answer follows the deleted question.
    assert await find("hotels") == [] and await find("stay") == []
    await services.chat.branches.restore(current_user, trip, question.id)
    assert len(await find("hotels")) == 1
    await services.chat.conversations.remove(current_user, trip)
    assert await find("hotels") == [] and await find("lisbon") == []


async def test_nothing_of_others_is_found(services: Services, talks: dict[str, UUID], owner_url: str) -> None:
    stranger = add_user(owner_url)
    for query in ("hotels", "lisbon", "has:code", "model:llama", "東京"):
        assert await services.chat.search.search(stranger, query) == []


async def test_a_found_message_is_shown_with_its_branch_and_what_is_before_it(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    with psycopg.connect(owner_url) as connection, connection.cursor() as cursor:
        messages = [StoredMessage("user" if at % 2 == 0 else "assistant", f"number {at}") for at in range(100)]
        conversation_id = store_conversation(cursor, current_user.user_id, messages)
    conversations, branches = services.chat.conversations, services.chat.branches
    everything = (await conversations.open(current_user, conversation_id, limit=100)).messages
    page = await conversations.open(current_user, conversation_id, down_to=everything[30].id)
    assert everything[30].id in {message.id for message in page.messages[:5]} and page.has_older
    await branches.reveal(current_user, conversation_id, everything[30].id)
    assert (await conversations.open(current_user, conversation_id)).seq == page.seq
    await branches.edit_answer(current_user, conversation_id, everything[1].id, "another")
    await branches.reveal(current_user, conversation_id, everything[30].id)
    shown = await conversations.open(current_user, conversation_id)
    assert shown.messages[-1].id == everything[-1].id
    with pytest.raises(NotFound):
        await branches.reveal(current_user, conversation_id, new_id())
