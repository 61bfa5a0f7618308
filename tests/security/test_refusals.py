"""Refused requests in the audit: what one user or one address does cannot hide, or bury, what another one does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import anyio
import psycopg
import pytest

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict
from rxchat.domain.ids import new_id
from rxchat.lifespan import running
from rxchat.services.app import export_leases
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from rxchat.states.chat.thread import ThreadState
from rxchat.states.documents.documents import DocumentsState
from rxchat.states.documents.viewer import ViewerState
from tests.factories import signed_in_as
from tests.security.http import Open, create_user, error_of, sign_in
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]


def denied(owner_url: str) -> list[tuple[str | None, str]]:
    with psycopg.connect(owner_url) as connection:
        return connection.execute(
            "SELECT actor_id::text, data->>'door' FROM audit_event WHERE action = 'denied' ORDER BY seq"
        ).fetchall()


async def conversation_of_another_user(services: Services, owner_url: str) -> UUID:
    victim = await create_user(services, owner_url, "Victim")
    return (await services.chat.messages.send_message(victim, None, "Hello", "scripted:tokens=1")).conversation_id


async def test_links_to_what_does_not_exist_are_no_entries(services: Services, clients: Open, owner_url: str) -> None:
    """Wrong links, a deleted chat among them. What belongs to another user is recorded at the same doors."""
    ada = await create_user(services, owner_url)
    client = clients()
    await sign_in(client, ada)
    theirs = await conversation_of_another_user(services, owner_url)
    own = (await services.chat.messages.send_message(ada, None, "Hello", "scripted:tokens=1")).conversation_id
    for path in (
        f"conversations/{new_id()}",
        f"documents/{new_id()}",
        f"conversations/{own}/messages/{new_id()}/citations",
    ):
        assert (await client.get(f"/api/{path}")).status_code in {200, 404}
    async with open_tab(await signed_in_as(services, ada)) as tab:
        for wrong in (new_id(), "abc"):
            tab.visit(wrong)
            await tab.do(ThreadState, "open")
            await tab.do(ViewerState, "open", key=f"/{wrong}", document_id=str(wrong), passage={})
        assert denied(owner_url) == []
        tab.visit(theirs)
        await tab.do(ThreadState, "open")
        victim = await create_user(services, owner_url, "Owner")
        collection = await services.documents.collections.create(victim, "Diary")
        upload = await services.documents.files.begin(victim, name="a.txt", size_bytes=3, collection_id=collection)
        await tab.do(ViewerState, "open", key="/x", document_id=str(upload.document_id), passage={})
        tab.be_at(collection_id=str(collection))
        await tab.do(DocumentsState, "load")
    doors = ["ThreadState.open", "ViewerState.open", "DocumentsState.load"]
    assert denied(owner_url) == [(str(ada.user_id), door) for door in doors]


async def test_what_others_send_from_their_address_keeps_no_refusal_of_a_user_out_of_the_audit(
    services: Services, clients: Open, owner_url: str
) -> None:
    """Pictures of another page at the same address, 140 of them: the counter of the address is used up."""
    ada = await create_user(services, owner_url)
    client, pictures = clients(), clients()
    await sign_in(client, ada)
    theirs = await conversation_of_another_user(services, owner_url)
    for _ in range(140):
        await pictures.get(f"/api/files/by-link/{new_id()}")
    answer = await client.get(f"/api/conversations/{theirs}")
    assert answer.status_code == 404
    assert denied(owner_url)[-1] == (str(ada.user_id), "GET /api/conversations/{conversation_id}")


async def test_refusals_that_are_too_many_for_rows_of_their_own_are_summed_in_one(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada = await create_user(services, owner_url)
    client = clients()
    await sign_in(client, ada)
    theirs = await conversation_of_another_user(services, owner_url)
    for _ in range(50):
        await client.get(f"/api/conversations/{theirs}")
    await services.access.denials.write_sums()
    written = denied(owner_url)
    # Upkeep writes sums, too, perhaps in between.
    sums = [int(what.removesuffix(" more")) for _, what in written if what.endswith(" more")]
    rows = len(written) - len(sums)
    assert 30 <= rows < 50 and rows + sum(sums) == 50
    assert sums and {who for who, _ in written} == {str(ada.user_id)}
    await services.access.denials.write_sums()
    assert len(denied(owner_url)) == len(written)


async def test_pictures_of_another_page_lock_nobody_out_of_single_sign_on(
    services: Services, clients: Open, owner_url: str
) -> None:
    client = clients()
    picture = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image", "sec-fetch-site": "cross-site"}
    frame = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}
    for path in ("/api/auth/providers/oidc", "/api/auth/providers/oidc/callback?state=x&code=y"):
        for headers in (picture, frame) * 30:
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?problem=not_allowed")
            assert "set-cookie" not in answer.headers
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM rate_limit WHERE key LIKE 'provider:%'").fetchone() == (0,)
    answer = await client.get(
        "/api/auth/providers/oidc", headers={"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    )
    assert answer.headers["location"] == "/sign-in?problem=not_found"


async def test_an_export_wants_the_password_and_is_for_one_sign_in_once(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada, bob = await create_user(services, owner_url, "Ada"), await create_user(services, owner_url, "Bob")
    client, again, other = clients(), clients(), clients()
    for browser, user in ((client, ada), (again, ada), (other, bob)):
        await sign_in(browser, user)
    assert (await client.get("/api/me/export")).status_code == 405
    assert error_of(await client.post("/api/me/export", json={"password": "not it"})) == "not_allowed"
    cross = await client.post("/api/me/export", json={}, headers={"origin": "https://evil.example"})
    assert cross.status_code == 403
    url = (await client.post("/api/me/export", json={"password": "correct horse battery"})).json()["url"]
    for browser in (again, other, clients()):
        assert (await browser.get(url)).status_code in {401, 403}
    whole = await client.get(url)
    assert whole.status_code == 200 and whole.content[:2] == b"PK"
    assert (await client.get(url)).status_code == 403


async def test_an_export_goes_out_once_at_a_time_and_is_written_nowhere(
    services: Services, clients: Open, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda *_: pytest.fail("a file was made"))
    ada = await create_user(services, owner_url)
    client = clients()
    await sign_in(client, ada)
    urls = [
        (await client.post("/api/me/export", json={"password": "correct horse battery"})).json()["url"]
        for _ in range(3)
    ]
    current_user = await services.accounts.sessions.current_user(client.cookies["rxchat_session"])
    sent = await services.app.data_export.download(current_user, urls[0].rpartition("/")[2], ClientInfo())
    assert (await anext(sent)).startswith(b"PK")
    assert (await client.get(urls[1])).status_code == 409
    await sent.aclose()
    assert (await client.get(urls[1])).status_code == 200


@pytest.fixture
async def ticket_of(
    services: Services, clients: Open, owner_url: str
) -> Callable[[], Awaitable[tuple[CurrentUser, str]]]:
    """Return a way to somebody who is signed in, and to tickets for their export."""
    client = clients()
    await sign_in(client, await create_user(services, owner_url))
    current_user = await services.accounts.sessions.current_user(client.cookies["rxchat_session"])

    async def begin() -> tuple[CurrentUser, str]:
        return current_user, await services.app.data_export.issue_ticket(
            current_user, "correct horse battery", ClientInfo()
        )

    return begin


async def test_an_export_goes_out_once_at_a_time_whichever_process_sends_it(
    services: Services, settings: Settings, at: Connections, ticket_of: Callable[[], Awaitable[tuple[CurrentUser, str]]]
) -> None:
    current_user, ticket = await ticket_of()
    sent = await services.app.data_export.download(current_user, ticket, ClientInfo())
    async with running(settings, at) as elsewhere:
        current_user, ticket = await ticket_of()
        with pytest.raises(Conflict, match="already running"):
            await elsewhere.app.data_export.download(current_user, ticket, ClientInfo())
        assert b"".join([piece async for piece in sent])[:2] == b"PK"
        # The ticket was not used up by being refused.
        assert [piece async for piece in await elsewhere.app.data_export.download(current_user, ticket, ClientInfo())]


async def test_an_export_whose_process_has_died_keeps_the_next_one_waiting_for_seconds_only(
    services: Services, owner_url: str, ticket_of: Callable[[], Awaitable[tuple[CurrentUser, str]]]
) -> None:
    current_user, ticket = await ticket_of()
    with psycopg.connect(owner_url) as connection:
        # As a process leaves it that ends in the middle: it renews nothing any more.
        connection.execute(
            "INSERT INTO data_export (user_id, id, expires_at) VALUES (%s, gen_random_uuid(), now() + '30 seconds')",
            (current_user.user_id,),
        )
    with pytest.raises(Conflict):
        await services.app.data_export.download(current_user, ticket, ClientInfo())
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE data_export SET expires_at = now() WHERE user_id = %s", (current_user.user_id,))
    assert [piece async for piece in await services.app.data_export.download(current_user, ticket, ClientInfo())]


async def test_a_slow_download_keeps_its_lease_and_one_that_breaks_off_gives_it_back(
    services: Services,
    owner_url: str,
    ticket_of: Callable[[], Awaitable[tuple[CurrentUser, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(export_leases, "_RENEW_SECONDS", 0.02)
    current_user, ticket = await ticket_of()

    def left() -> bool | None:
        with psycopg.connect(owner_url) as connection:
            row = connection.execute(
                "SELECT expires_at > now() FROM data_export WHERE user_id = %s", (current_user.user_id,)
            ).fetchone()
        return row[0] if row else None

    async def download() -> None:
        pieces = await services.app.data_export.download(current_user, ticket, ClientInfo())
        await anext(pieces)
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE data_export SET expires_at = now() WHERE user_id = %s", (current_user.user_id,))
        while not left():
            await asyncio.sleep(0.02)
        renewed.append(True)
        scope.cancel()
        try:
            await anyio.sleep(60)
        finally:
            await pieces.aclose()

    renewed: list[bool] = []
    with anyio.move_on_after(30) as scope:
        await download()
    assert renewed
    async with asyncio.timeout(60):
        while left() is not None:
            await asyncio.sleep(0.02)
