"""A person's own data: all of it to take along, and an account that is really gone after its grace."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import LastAdministrator, NotAllowed, NotSignedIn
from rxchat.domain.versions import IfExists
from rxchat.services.app.container import Services
from rxchat.tables import metadata
from tests.factories import PASSWORD, signed_in_as
from tests.security.http import create_user
from tests.services.grounded import EMBEDDER, body, settled, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]
CALLER = ClientInfo("192.0.2.1", "a browser")


async def exported(services: Services, current_user) -> zipfile.ZipFile:
    ticket = await services.app.data_export.issue_ticket(current_user, PASSWORD, CALLER)
    pieces = [piece async for piece in await services.app.data_export.download(current_user, ticket, CALLER)]
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


async def test_everything_of_a_person_is_in_the_export_and_nothing_of_others(
    services: Services, owner_url: str
) -> None:
    ada, bob = await create_user(services, owner_url, "Ada"), await create_user(services, owner_url, "Bob")
    mine = await services.chat.messages.send_message(ada, None, "../../etc/passwd is my question", "scripted:tokens=1")
    gone = await services.chat.messages.send_message(ada, None, "a removed one", "scripted:tokens=1")
    await services.chat.messages.send_message(bob, None, "what Bob asked", "scripted:tokens=1")
    busy = await services.chat.messages.send_message(ada, None, "a long one", "scripted:tokens=100000,rate=50")
    await services.chat.messages.send_message(
        ada, busy.conversation_id, "one that waits for its turn", "scripted:tokens=1"
    )
    await services.chat.conversations.remove(ada, gone.conversation_id)
    await services.chat.prompts.create(ada, title="Greet", command="greet", text="Say {{what}}")
    await services.accounts.api_credentials.create_key(ada, name="ci", scopes=["read"], days=None, client_info=CALLER)
    await signed_in_as(services, ada)
    archive = await exported(services, ada)
    assert archive.testzip() is None
    names = set(archive.namelist())
    assert {f"conversations/{item.conversation_id}.{kind}" for item in (mine, gone) for kind in ("json", "txt")} < names
    assert not any(".." in name or name.startswith("/") for name in names)
    everything = b"".join(archive.read(name) for name in names).decode()
    assert "is my question" in everything and "a removed one" in everything and "Bob" not in everything
    assert "one that waits for its turn" in everything
    [prompt] = json.loads(archive.read("prompts.json"))
    assert prompt["versions"][0]["content"]["text"] == "Say {{what}}"
    account = json.loads(archive.read("account.json"))
    assert (account["email"], account["keys"][0]["name"], len(account["sessions"])) == (ada.email, "ci", 1)
    actions = [item["action"] for item in json.loads(archive.read("audit.json"))]
    assert actions == ["key_created", "signed_in", "data_exported"]


async def test_what_somebody_has_uploaded_comes_along(services: Services, owner_url: str) -> None:
    ada, bob = await create_user(services, owner_url, "Ada"), await create_user(services, owner_url, "Bob")
    for owner, name, words in ((ada, "../mine.txt", "My own words."), (bob, "his.txt", "His own words.")):
        collection = await services.documents.collections.create(owner, "Mine")
        await uploaded(services, owner, collection, name, words)
    archive = await exported(services, ada)
    [line] = json.loads(archive.read("documents.json"))
    assert line["name"] == "mine.txt"
    assert archive.read(line["file"]) == b"My own words."
    assert [name for name in archive.namelist() if name.startswith("documents/")] == [line["file"]]


async def test_what_is_in_the_trash_comes_along_and_says_when_it_was_deleted(
    services: Services, owner_url: str
) -> None:
    ada, bob = await create_user(services, owner_url, "Ada"), await create_user(services, owner_url, "Bob")
    collection, his = (
        await services.documents.collections.create(ada, "Mine"),
        await services.documents.collections.create(bob, "His"),
    )
    await uploaded(services, ada, collection, "kept.txt", "Kept words.")
    gone = await uploaded(services, ada, collection, "gone.txt", "Gone words, an older version.")
    newer = await services.documents.files.begin(
        ada, name="gone.txt", size_bytes=11, collection_id=collection, if_exists=IfExists.REPLACE
    )
    await services.documents.files.receive(ada, newer.document_id, 0, body(b"Gone words."))
    await settled(services, ada, newer.document_id)
    await services.documents.files.remove(ada, [newer.document_id])
    await services.documents.files.remove(bob, [await uploaded(services, bob, his, "his.txt", "His words.")])
    assert [item.name for item in await services.documents.trash.documents(ada)] == ["gone.txt"]
    archive = await exported(services, ada)
    lines = json.loads(archive.read("documents.json"))
    words = {archive.read(line["file"]).decode(): line for line in lines}
    assert words.keys() == {"Kept words.", "Gone words.", "Gone words, an older version."}
    assert {text: "deleted_at" in line for text, line in words.items()} == {
        "Kept words.": False, "Gone words.": True, "Gone words, an older version.": True,
    }  # fmt: skip
    deleted = words["Gone words."]
    assert datetime.fromisoformat(deleted["deleted_at"]) > datetime.fromisoformat(deleted["uploaded_at"])
    assert (deleted["version"], deleted["is_current"]) == (2, True) and str(gone) in str(lines)
    [kept] = json.loads(archive.read("collections.json"))
    assert kept["name"] == "Mine" and kept["id"] == deleted["collection"]
    assert "30 days" in archive.read("README.txt").decode()


async def test_what_is_moved_to_the_trash_while_it_is_written_is_in_it(
    services: Services, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await create_user(services, owner_url, "Ada")
    collection, whole = await services.documents.collections.create(ada, "Mine"), services.documents.files.whole
    await uploaded(services, ada, collection, "gone.txt", "Gone.")

    async def trashing(owner_id, document, **how):
        # The job that reads it asks, too.
        if how:
            await services.documents.files.remove(ada, [document.id])
        return await whole(owner_id, document, **how)

    monkeypatch.setattr(services.documents.files, "whole", trashing)
    archive = await exported(services, ada)
    [line] = json.loads(archive.read("documents.json"))
    assert line.get("missing") is None and archive.read(line["file"]) == b"Gone."


@pytest.mark.parametrize("with_pieces", [True, False])
async def test_what_is_deleted_while_it_is_written_is_named_and_the_rest_comes_along(
    services: Services, owner_url: str, monkeypatch: pytest.MonkeyPatch, with_pieces: bool
) -> None:
    ada = await create_user(services, owner_url, "Ada")
    collection, whole = await services.documents.collections.create(ada, "Mine"), services.documents.files.whole
    gone = await uploaded(services, ada, collection, "gone.txt", "Gone.")
    await uploaded(services, ada, collection, "kept.txt", "Kept.")

    async def deleting(owner_id, document, **how):
        content = await whole(owner_id, document, **how) if with_pieces else None
        if document.id == gone:
            await services.documents.files.remove(ada, [gone])
            await services.documents.trash.delete_for_good(ada, gone)
        return content or await whole(owner_id, document, **how)

    monkeypatch.setattr(services.documents.files, "whole", deleting)
    archive = await exported(services, ada)
    assert archive.testzip() is None
    lines = {line["name"]: line for line in json.loads(archive.read("documents.json"))}
    assert lines["gone.txt"]["missing"]
    assert archive.read(lines["kept.txt"]["file"]) == b"Kept."
    assert "missing" not in lines["kept.txt"]


async def test_an_account_waits_can_be_kept_and_is_gone_for_good(services: Services, owner_url: str) -> None:
    await create_user(services, owner_url, "Admin", "admin")
    ada = await create_user(services, owner_url, "Ada")
    sealed, other = await signed_in_as(services, ada), await signed_in_as(services, ada)
    current_user = await services.accounts.sessions.current_user(sealed)
    await services.chat.messages.send_message(current_user, None, "a question", "scripted:tokens=1")
    with pytest.raises(NotAllowed, match="Wrong password"):
        await services.app.account_deletion.schedule(current_user, "wrong", CALLER)
    at = await services.app.account_deletion.schedule(current_user, PASSWORD, CALLER)
    assert timedelta(days=6.9) < at - datetime.now(UTC) <= timedelta(days=7)
    assert (await services.accounts.sessions.current_user(sealed)).name == "Ada", "here it can be taken back"
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(other)
    await services.app.maintenance.once()
    await services.app.account_deletion.cancel(current_user, CALLER)
    assert (await services.app.profiles.get(current_user)).deletion_at is None
    await services.app.account_deletion.schedule(current_user, PASSWORD, CALLER)
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "UPDATE user_account SET deletion_at = now() - interval '1 second' WHERE id = %s", (ada.user_id,)
        )
    await services.app.maintenance.once()
    with psycopg.connect(owner_url) as connection:
        for table in (
            "user_account",
            "user_session",
            "conversation",
            "message",
            "conversation_event",
            "run",
            "api_key",
        ):
            column = {"user_account": "id", "user_session": "user_id", "api_key": "user_id"}.get(table, "owner_id")
            assert table in metadata.tables
            counted = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", (ada.user_id,))  # pyright: ignore[reportCallIssue, reportArgumentType]
            assert counted.fetchone() == (0,), table
        receipt = connection.execute("SELECT data FROM audit_event WHERE action = 'account_deleted'").fetchall()
    assert receipt == [({"user": str(ada.user_id), "conversations": 1, "messages": 2},)]
    with pytest.raises(NotSignedIn):
        await services.accounts.sessions.current_user(sealed)


async def test_the_last_administrator_stays(services: Services, owner_url: str) -> None:
    admin = await create_user(services, owner_url, "Admin", "admin")
    with pytest.raises(LastAdministrator, match="at least one administrator"):
        await services.app.account_deletion.schedule(admin, PASSWORD, CALLER)
    second = await create_user(services, owner_url, "Second", "admin")
    await services.app.account_deletion.schedule(second, PASSWORD, CALLER)
    with pytest.raises(LastAdministrator):
        await services.app.account_deletion.schedule(admin, PASSWORD, CALLER)
