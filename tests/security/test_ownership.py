"""Rows 1-5 and 9: what is somebody else's looks like what is not there, at every door and for every verb."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat.messages import Turn
from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, signed_in_as
from tests.security.http import Open, create_user, error_of, sign_in
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

SECRET = "the merger happens on Friday"
SLOW = "scripted:tokens=100000,rate=50"


@pytest.fixture
async def victim(services: Services, owner_url: str) -> CurrentUser:
    return await create_user(services, owner_url, "Victim")


@pytest.fixture
async def turn(services: Services, victim: CurrentUser) -> Turn:
    return await services.chat.messages.send_message(victim, None, SECRET, SLOW)


@pytest.fixture
async def stranger(services: Services, owner_url: str) -> CurrentUser:
    return await create_user(services, owner_url, "Stranger")


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_over_http_a_strangers_conversation_is_not_found(
    services: Services, clients: Open, turn: Turn, stranger: CurrentUser, owner_url: str, verb: str
) -> None:
    client = clients()
    await sign_in(client, stranger)
    path = "/api/conversations/{}" + ("/stop" if verb == "POST" else "")
    answers = [await client.request(verb, path.format(item)) for item in (turn.conversation_id, new_id())]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json() == answers[1].json()
    assert SECRET not in answers[0].text
    # A link to what does not exist is wrong, and no attempt to read what is another user's.
    denied = 1 if verb == "GET" else 0
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute("SELECT actor_id, data->>'door' FROM audit_event WHERE action = 'denied'").fetchall()
    assert rows == [(stranger.user_id, "GET /api/conversations/{conversation_id}")] * denied


async def test_a_closed_door_is_one_row_of_the_audit_and_nobody_fills_it(
    services: Services, turn: Turn, stranger: CurrentUser, owner_url: str
) -> None:
    async with open_tab(await signed_in_as(services, stranger)) as tab:
        for number in range(40):
            tab.visit(turn.conversation_id)
            await tab.send_event(ThreadState, "open")
            title = f"mine {number}"
            await tab.send_event(SidebarState, "rename", form={"id": str(turn.conversation_id), "title": title})
        await tab.until(lambda: tab.shown(ThreadState, "missing"))
        async with asyncio.timeout(60):
            while len(denied_of(owner_url, stranger)) < 31:
                await asyncio.sleep(0.05)
    http_clients = denied_of(owner_url, stranger)
    assert {"ThreadState.open", "SidebarState.rename"} == set(http_clients) and len(http_clients) == 31


def denied_of(owner_url: str, current_user: CurrentUser) -> list[str]:
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT data->>'door' FROM audit_event WHERE action = 'denied' AND actor_id = %s", (current_user.user_id,)
        ).fetchall()
    return [door for (door,) in found]


async def test_a_strangers_stop_stops_nothing(
    services: Services, clients: Open, turn: Turn, victim: CurrentUser, stranger: CurrentUser
) -> None:
    client = clients()
    await sign_in(client, stranger)
    assert (await client.post(f"/api/conversations/{turn.conversation_id}/stop")).json() == {"stopped": False}
    page = await services.chat.conversations.open(victim, turn.conversation_id)
    assert page.run is not None
    await services.chat.messages.stop(victim, turn.conversation_id)


async def test_no_use_case_works_on_a_strangers_conversation(
    services: Services, turn: Turn, victim: CurrentUser, stranger: CurrentUser
) -> None:
    theirs = turn.conversation_id
    page = await services.chat.conversations.open(victim, theirs)
    attempts = (
        services.chat.messages.send_message(stranger, theirs, "mine now", SLOW),
        services.chat.messages.retry(stranger, theirs, page.messages[-1].id),
        services.chat.conversations.open(stranger, theirs),
        services.chat.conversations.news(stranger, theirs, 0),
        services.chat.conversations.message(stranger, theirs, page.messages[0].id),
        services.chat.conversations.history(stranger, theirs),
        services.chat.conversations.rename(stranger, theirs, "mine"),
        services.chat.conversations.remove(stranger, theirs),
        services.chat.conversations.restore(stranger, theirs),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            await attempt
    after = await services.chat.conversations.open(victim, theirs)
    assert (after.title, len(after.messages)) == (page.title, len(page.messages))


async def test_a_message_of_a_stranger_is_not_found_in_ones_own_conversation(
    services: Services, turn: Turn, victim: CurrentUser, stranger: CurrentUser
) -> None:
    own = await services.chat.messages.send_message(stranger, None, "hello", "scripted:tokens=3")
    page = await services.chat.conversations.open(victim, turn.conversation_id)
    for message in page.messages:
        with pytest.raises(NotFound):
            await services.chat.conversations.message(stranger, own.conversation_id, message.id)
        with pytest.raises(NotFound):
            await services.chat.conversations.open(stranger, own.conversation_id, before=message.id)
        with pytest.raises(NotFound):
            await services.chat.messages.retry(stranger, own.conversation_id, message.id)


async def test_following_a_strangers_run_shows_nothing(
    services: Services, turn: Turn, victim: CurrentUser, stranger: CurrentUser
) -> None:
    page = await services.chat.conversations.open(victim, turn.conversation_id)
    assert page.run
    async with services.chat.answer_streams.following(stranger.user_id, page.run.id) as answer:
        await answer.changed(2)
        assert answer.ended and answer.text == "" and answer.reasoning == ""


@pytest.fixture
async def reader(services: Services, owner_url: str, victim: CurrentUser, turn: Turn) -> CurrentUser:
    """Somebody with whom the conversation was shared for reading."""
    found = add_user(owner_url, "Reader")
    await services.access.grants.add(
        victim, principal_kind="user", principal=str(found.user_id), resource_kind="conversation",
        resource=str(turn.conversation_id), action="read", client_info=ClientInfo(),
    )  # fmt: skip
    return found


async def test_whoever_was_granted_to_read_reads_and_does_nothing_else(
    services: Services, turn: Turn, reader: CurrentUser, stranger: CurrentUser, victim: CurrentUser
) -> None:
    theirs = turn.conversation_id
    page = await services.chat.conversations.open(reader, theirs)
    assert page.messages[0].text == SECRET
    answer = page.messages[1].id
    await services.chat.messages.send_message(victim, theirs, "what waits is the owner's own", SLOW)
    news = await services.chat.conversations.news(reader, theirs, 0)
    assert len(news.events) >= 3 and news.run is not None and news.waiting == ()
    with pytest.raises(NotFound):
        await services.chat.conversations.open(stranger, theirs)
    for attempt in (
        services.chat.messages.send_message(reader, theirs, "mine now", SLOW),
        services.chat.conversations.rename(reader, theirs, "mine"),
        services.chat.conversations.remove(reader, theirs),
        services.chat.branches.edit_question(reader, theirs, turn.question_id, "mine", SLOW, question_id=new_id()),
        services.chat.branches.edit_answer(reader, theirs, answer, "mine"),
        services.chat.messages.retry(reader, theirs, answer),
        services.chat.messages.continue_answer(reader, theirs, answer),
        services.chat.branches.regenerate(reader, theirs, turn.question_id, SLOW),
        services.chat.branches.choose_version(reader, theirs, turn.question_id),
        services.chat.branches.delete(reader, theirs, turn.question_id),
        services.chat.branches.restore(reader, theirs, turn.question_id),
        services.chat.forks.fork(reader, theirs, turn.question_id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert not await services.chat.messages.stop(reader, theirs)


async def test_a_reader_who_sends_what_a_page_would_changes_nothing(
    services: Services, turn: Turn, reader: CurrentUser, victim: CurrentUser
) -> None:
    before = await services.chat.conversations.open(victim, turn.conversation_id)
    async with open_tab(await signed_in_as(services, reader)) as tab:
        tab.visit(turn.conversation_id)
        await tab.send_event(ThreadState, "open")
        await tab.until(tab.messages)
        assert tab.messages()[0]["text"] == SECRET
        assert tab.shown(ThreadState, "is_shared") is True
        form = {"id": str(turn.question_id), "text": "mine now", "client_id": str(new_id()), "dialog": "1"}
        for handler in ("edit", "edit_answer"):
            await tab.send_event(MessageActionsState, handler, form=form)
        for handler in ("regenerate", "show_version", "delete", "fork"):
            await tab.send_event(MessageActionsState, handler, message_id=str(turn.question_id))
        await tab.send_event(ThreadState, "send", text="mine now", client_id=str(new_id()))
        await tab.send_event(ThreadState, "stop")
        await tab.send_event(SidebarState, "rename", form={"id": str(turn.conversation_id), "title": "mine"})
        await tab.send_event(SidebarState, "remove", conversation_id=str(turn.conversation_id))
        await tab.until(lambda: tab.shown(ThreadState, "refused"))
    after = await services.chat.conversations.open(victim, turn.conversation_id)
    assert (after.title, len(after.messages), after.run is not None) == (before.title, len(before.messages), True)


async def test_a_grant_that_is_taken_back_is_over(
    services: Services, at: Connections, turn: Turn, reader: CurrentUser
) -> None:
    with psycopg.connect(at.database_owner_url) as connection:
        connection.execute("DELETE FROM access_grant")
    with pytest.raises(NotFound):
        await services.chat.conversations.open(reader, turn.conversation_id)


async def test_nobody_shares_what_is_not_theirs(services: Services, turn: Turn, stranger: CurrentUser) -> None:
    for kind, resource, action in (("conversation", str(turn.conversation_id), "read"), ("model", "*", "use")):
        with pytest.raises(NotAllowed):
            await services.access.grants.add(
                stranger, principal_kind="user", principal=str(stranger.user_id), resource_kind=kind,
                resource=resource, action=action, client_info=ClientInfo(),
            )  # fmt: skip


async def test_somebody_elses_session_key_and_passkey_are_not_found(
    services: Services, clients: Open, victim: CurrentUser, stranger: CurrentUser, owner_url: str
) -> None:
    theirs, mine = clients(), clients()
    await sign_in(theirs, victim)
    await sign_in(mine, stranger)
    session = next(item["id"] for item in (await theirs.get("/api/me/sessions")).json())
    body = {"password": "correct horse battery", "name": "k", "scopes": ["read"]}
    key = (await theirs.post("/api/me/keys", json=body)).json()["id"]
    passkey = add_passkey(owner_url, victim.user_id)
    for method, path in (
        ("DELETE", f"/api/me/sessions/{session}"),
        ("DELETE", f"/api/me/keys/{key}"),
        ("POST", f"/api/me/passkeys/{passkey}/remove"),
    ):
        json = {"password": "correct horse battery"} if method == "POST" else None
        answer = await mine.request(method, path, json=json)
        assert (answer.status_code, error_of(answer)) == (404, "not_found"), path
    assert (await theirs.get("/api/me")).status_code == 200
    assert [item["id"] for item in (await theirs.get("/api/me/keys")).json()] == [key]


def add_passkey(owner_url: str, user_id: UUID) -> UUID:
    passkey_id = new_id()
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO passkey (user_id, id, credential_id, public_key, name) VALUES (%s, %s, %s, '', 'x')",
            (user_id, passkey_id, passkey_id.bytes),
        )
    return passkey_id
