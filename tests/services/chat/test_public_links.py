"""Public links: a snapshot for who has the link, without what is private, until it expires or is revoked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import InvalidInput, LinkPasswordRequired, NotAllowed, NotFound, TooManyAttempts
from rxchat.domain.ids import new_id
from rxchat.domain.public_links import PublicLinkOptions, redacted, valid_redactions
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.chat import public_links
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended
from tests.support.blowup import no_blowup

pytestmark = pytest.mark.anyio
MODEL = "scripted:think=3,tokens=2"
HERE = ClientInfo("203.0.113.7")
PASSWORD = "open sesame"


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [MODEL, ENDLESS]
    return ollama


@pytest.fixture
async def conversation_id(services: Services, current_user: CurrentUser) -> UUID:
    """A conversation with one answer."""
    turn = await services.chat.messages.send_message(current_user, None, "Where does Ada Lovelace live?", MODEL)
    await ended(services, current_user, turn.conversation_id)
    return turn.conversation_id


async def create(services: Services, user: CurrentUser, conversation_id: UUID, **options: Any) -> str:
    """Create a link, and return its token."""
    _, token = await services.chat.public_links.create(user, conversation_id, PublicLinkOptions(**options), HERE)
    return token


async def texts(services: Services, token: str, password: str = "") -> list[str]:
    """Return the texts that a visitor sees."""
    found = await services.chat.public_links.open(token, password, ClientInfo("198.51.100.1"))
    return [message["text"] for message in found.messages]


async def test_a_link_shows_the_conversation_as_it_was_and_nothing_private(
    services: Services, current_user: CurrentUser, conversation_id: UUID, owner_url: str
) -> None:
    token = await create(services, current_user, conversation_id)
    assert len(token) == 22, "128 bits"
    await services.chat.messages.send_message(current_user, conversation_id, "A later secret", MODEL)
    await ended(services, current_user, conversation_id)
    found = await services.chat.public_links.open(token, "", HERE)
    assert found.title == "Where does Ada Lovelace live?"
    assert [message["text"] for message in found.messages] == ["Where does Ada Lovelace live?", "word word "]
    assert set(found.messages[1]) == {"id", "role", "model", "text", "state", "at"}, "no reasoning, no sources"
    with psycopg.connect(owner_url) as connection:
        [stored] = connection.execute("SELECT row_to_json(public_link)::text FROM public_link").fetchone() or [""]
    assert token not in stored and current_user.email not in stored


async def test_what_is_blacked_out_is_not_stored(
    services: Services, current_user: CurrentUser, conversation_id: UUID, owner_url: str
) -> None:
    token = await create(services, current_user, conversation_id, redactions="ada lovelace\n\nWORD")
    assert await texts(services, token) == ["Where does █████ live?", "█████ █████ "]
    assert (await services.chat.public_links.open(token, "", HERE)).title == "Where does █████ live?"
    with psycopg.connect(owner_url) as connection:
        [stored] = connection.execute("SELECT row_to_json(public_link)::text FROM public_link").fetchone() or [""]
    assert "Lovelace" not in stored


def test_blacking_out_finds_texts_over_broken_lines_and_never_reads_them_as_patterns() -> None:
    assert redacted("Ada\n  LOVELACE and Ada", valid_redactions("ada lovelace\nada")) == "█████ and █████"
    assert redacted("a.c abc", valid_redactions("a.c")) == "█████ abc"
    assert redacted("(((", valid_redactions("((")) == "█████("
    assert (
        redacted("İSTANBUL  is\n\n big, Istanbul is Big.", valid_redactions("IS BIG"))
        == "İSTANBUL  █████, Istanbul █████."
    )
    assert redacted("x \t ada  y", valid_redactions("ada")) == "x \t █████  y"
    with no_blowup():
        redacted("a " * 1_000_000, valid_redactions("\n".join(f"{'a ' * 98}b{number}" for number in range(50))))
    with pytest.raises(InvalidInput, match="at most 50 texts of 200 characters"):
        valid_redactions("\n".join(map(str, range(51))))
    with pytest.raises(InvalidInput):
        valid_redactions("x" * 201)


async def test_a_password_is_asked_for_and_guesses_are_slowed_down(
    services: Services, current_user: CurrentUser, conversation_id: UUID
) -> None:
    token = await create(services, current_user, conversation_id, password=PASSWORD)
    for _ in range(30):
        with pytest.raises(LinkPasswordRequired, match="has a password"):
            await texts(services, token)
    with pytest.raises(LinkPasswordRequired, match="not the password"):
        await texts(services, token, "open barley")
    assert len(await texts(services, token, PASSWORD)) == 2
    with pytest.raises(TooManyAttempts):
        for number in range(10):
            # Opening it without a password does not make the guesses forgotten.
            for password in (f"guess {number}", ""):
                with pytest.raises(LinkPasswordRequired):
                    await texts(services, token, password)


async def test_links_that_do_not_exist_are_not_found_and_guessing_is_slowed_down(services: Services) -> None:
    with pytest.raises(TooManyAttempts):
        for number in range(40):
            with pytest.raises(NotFound, match="expired or been revoked"):
                await texts(services, f"\ud800{number}")


async def test_a_link_ends_with_its_time_its_conversation_and_its_owner(
    services: Services, current_user: CurrentUser, conversation_id: UUID, owner_url: str
) -> None:
    token = await create(services, current_user, conversation_id, days=1)
    assert len(await texts(services, token)) == 2
    await services.chat.conversations.remove(current_user, conversation_id)
    with pytest.raises(NotFound):
        await texts(services, token)
    await services.chat.conversations.restore(current_user, conversation_id)
    changes: tuple[tuple[LiteralString, LiteralString], ...] = (
        ("UPDATE public_link SET expires_at = now()", "UPDATE public_link SET expires_at = now() + '1 hour'"),
        ("UPDATE user_account SET deletion_at = now()", "UPDATE user_account SET deletion_at = NULL"),
        ("UPDATE user_account SET suspended_at = now()", "UPDATE user_account SET suspended_at = NULL"),
    )
    for statement, undo in changes:
        assert len(await texts(services, token)) == 2
        with psycopg.connect(owner_url) as connection:
            connection.execute(statement)
        with pytest.raises(NotFound):
            await texts(services, token)
        with psycopg.connect(owner_url) as connection:
            connection.execute(undo)
    [link] = await services.chat.public_links.of_conversation(current_user, conversation_id)
    assert link.expires_at is not None and link.expires_at > datetime.now(UTC) and not link.has_password
    await services.chat.public_links.revoke(current_user, link.id, HERE)
    with pytest.raises(NotFound):
        await texts(services, token)
    assert await services.chat.public_links.of_conversation(current_user, conversation_id) == []


async def test_nothing_of_another_users_can_be_shared_listed_or_revoked(
    services: Services, current_user: CurrentUser, conversation_id: UUID, owner_url: str
) -> None:
    other = add_user(owner_url, "Other")
    token = await create(services, current_user, conversation_id)
    await services.access.grants.add(
        current_user, principal_kind="user", principal=str(other.user_id), resource_kind="conversation",
        resource=str(conversation_id), action="read", client_info=HERE,
    )  # fmt: skip
    [link] = await services.chat.public_links.of_conversation(current_user, conversation_id)
    with pytest.raises(NotFound):
        await create(services, other, conversation_id)
    with pytest.raises(NotFound):
        await services.chat.public_links.revoke(other, link.id, HERE)
    assert await services.chat.public_links.of_conversation(other, conversation_id) == []
    with pytest.raises(NotFound):
        await services.chat.public_links.revoke(current_user, new_id(), HERE)
    assert len(await texts(services, token)) == 2


async def test_what_is_out_of_its_limits_is_refused(
    services: Services, current_user: CurrentUser, conversation_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    for options in ({"days": 0}, {"days": 366}, {"password": "short"}, {"password": "x" * 1_001}):
        with pytest.raises(InvalidInput):
            await create(services, current_user, conversation_id, **options)
    turn = await services.chat.messages.send_message(current_user, None, "Now", ENDLESS)
    token = await create(services, current_user, turn.conversation_id)
    assert await texts(services, token) == ["Now"], "an answer in progress is left out"
    await services.chat.messages.stop(current_user, turn.conversation_id)
    monkeypatch.setattr(public_links, "LINKS", 1)
    with pytest.raises(InvalidInput, match="already have 1 links"):
        await create(services, current_user, conversation_id)


@pytest.mark.without_engine
async def test_links_that_are_switched_off_neither_begin_nor_open(
    settings: Settings, at: Connections, services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    off = settings.model_copy(update={"public_links": False})
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    token = await create(services, current_user, turn.conversation_id)
    async with running(off, at) as other:
        with pytest.raises(NotAllowed, match="switched off"):
            await create(other, current_user, turn.conversation_id)
        with pytest.raises(NotFound):
            await texts(other, token)
