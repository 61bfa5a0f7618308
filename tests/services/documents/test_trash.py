"""Deleted documents: gone at once for everything, and restored whole for as long as they are kept."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.files import Document, FileLimits
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import PrincipalKind
from rxchat.domain.rate_limits import RateLimit
from rxchat.domain.retrieval import SearchScope
from rxchat.domain.versions import IfExists, VersionState
from rxchat.services.accounts import rate_limits as limits
from rxchat.services.app.container import Services
from tests.factories import add_user
from tests.services.grounded import EMBEDDER, body, ready, settled
from tests.services.uploading import content

pytestmark = pytest.mark.anyio

OFFERED = [EMBEDDER]
CALLER = ClientInfo("127.0.0.1", "a browser")
TEXT = "The office opens at seven."
MAIL = (
    b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: Hours\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Type: text/plain; name="hours.txt"\r\nContent-Disposition: attachment; filename="hours.txt"\r\n\r\n'
    b"The office opens at seven.\r\n--b--\r\n"
)


async def searched(services: Services, current_user: CurrentUser, where: SearchScope) -> list[str]:
    return [
        item.text
        for item in (await services.retrieval.search.search(current_user, "When does it open?", where)).passages
    ]


async def listed(services: Services, current_user: CurrentUser, collection: UUID) -> list[str]:
    return sorted(item.name for item in (await services.documents.documents.in_collection(current_user, collection))[1])


async def in_trash(services: Services, current_user: CurrentUser, collection: UUID | None = None) -> list[str]:
    return [item.name for item in await services.documents.trash.documents(current_user, collection)]


async def restored(services: Services, current_user: CurrentUser, document_id: UUID) -> Document:
    await services.documents.trash.restore(current_user, [document_id], CALLER)
    return await settled(services, current_user, document_id)


async def replaced(services: Services, current_user: CurrentUser, collection: UUID, name: str, data: bytes) -> Document:
    upload = await services.documents.files.begin(
        current_user, name=name, size_bytes=len(data), collection_id=collection, if_exists=IfExists.REPLACE
    )
    await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
    return await settled(services, current_user, upload.document_id)


async def test_a_deleted_document_is_gone_for_everything_at_once_and_restored_whole(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    reader = add_user(owner_url, "Reader")
    await services.documents.collection_shares.add(current_user, collection, PrincipalKind.USER, reader.email, CALLER)
    await services.documents.files.remove(current_user, [document.id])
    assert await listed(services, current_user, collection) == []
    assert await in_trash(services, current_user, collection) == ["hours.txt"]
    for who in (current_user, reader):
        assert await searched(services, who, SearchScope((collection,), (document.id,))) == []
        for refused in (
            services.documents.documents.preview(who, document.id),
            services.documents.documents.chunks(who, document.id),
            services.documents.versions.history(who, document.id),
            services.documents.files.content(who, document.id),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await services.documents.collections.search(who, "hours.txt", 5) == []
    for change in (
        services.documents.documents.rename(current_user, document.id, "other.txt"),
        services.documents.documents.reingest(current_user, document.id),
        services.documents.files.remove(current_user, [document.id]),
    ):
        with pytest.raises(NotFound):
            await change
    again = await restored(services, current_user, document.id)
    assert (again.state, again.name, again.created_at) == (DocumentState.READY, "hours.txt", document.created_at)
    assert await searched(services, reader, SearchScope((collection,))) == [TEXT]
    assert await content(services, current_user, document.id) == TEXT.encode()
    assert await in_trash(services, current_user) == []


async def test_versions_are_deleted_and_restored_with_their_document(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", TEXT)
    second = await replaced(services, current_user, collection, "hours.txt", b"The office opens at eight.")
    await services.documents.files.remove(current_user, [second.id])
    with pytest.raises(NotFound):
        await services.documents.documents.preview(current_user, first.id)
    # Another document of that name meanwhile is no version of it.
    other = await ready(services, current_user, collection, "hours.txt", "The office is closed.")
    assert other.version == 1
    again = await restored(services, current_user, second.id)
    assert (again.version, again.version_state) == (2, VersionState.CURRENT)
    history = await services.documents.versions.history(current_user, again.id)
    assert [(item.version, item.version_state.value) for item in history.versions] == [
        (2, "current"),
        (1, "superseded"),
    ]
    assert sorted(await searched(services, current_user, SearchScope((collection,)))) == [
        "The office is closed.",
        "The office opens at eight.",
    ]


async def test_a_mail_comes_back_with_the_files_attached_to_it(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    mail = await ready(services, current_user, collection, "hours.eml", MAIL)
    names = await listed(services, current_user, collection)
    assert names == ["hours.eml", "hours.txt"]
    await services.documents.files.remove(current_user, [mail.id])
    assert (await listed(services, current_user, collection), await in_trash(services, current_user)) == (
        [],
        ["hours.eml"],
    )
    await restored(services, current_user, mail.id)
    for item in (await services.documents.documents.in_collection(current_user, collection))[1]:
        assert (await settled(services, current_user, item.id)).state is DocumentState.READY
    assert await listed(services, current_user, collection) == names


async def test_a_file_in_the_trash_stays_while_another_document_of_it_is_deleted_for_good(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    await services.documents.files.remove(current_user, [document.id])
    # The same bytes are one stored file; what is attached to a message is deleted for good.
    draft = await services.documents.files.begin(
        current_user, name="copy.txt", size_bytes=len(TEXT), draft_key=new_id()
    )
    attached = await services.documents.files.receive(current_user, draft.document_id, 0, body(TEXT.encode()))
    await settled(services, current_user, attached.document_id)
    await services.documents.files.remove(current_user, [attached.document_id])
    assert await in_trash(services, current_user) == ["hours.txt"]
    await restored(services, current_user, document.id)
    assert await content(services, current_user, document.id) == TEXT.encode()


async def test_a_deleted_document_can_be_deleted_for_good_by_its_owner_alone(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    with pytest.raises(NotFound):
        await services.documents.trash.delete_for_good(current_user, document.id)
    await services.documents.files.remove(current_user, [document.id])
    with pytest.raises(NotFound):
        await services.documents.trash.delete_for_good(add_user(owner_url, "Other"), document.id)
    await services.documents.trash.delete_for_good(current_user, document.id)
    assert await in_trash(services, current_user) == []
    with psycopg.connect(owner_url) as connection:
        for table, wanted in (("document", document.id), ("stored_file", document.file_id)):
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE id = %s", (wanted,)).fetchone() == (0,)  # pyright: ignore[reportArgumentType, reportCallIssue]


async def test_only_its_owner_sees_and_restores_what_was_deleted(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    reader = add_user(owner_url, "Reader")
    await services.documents.collection_shares.add(current_user, collection, PrincipalKind.USER, reader.email, CALLER)
    await services.documents.files.remove(current_user, [document.id])
    assert await in_trash(services, reader) == []
    for theirs_or_none in (collection, new_id()):
        with pytest.raises(NotFound):
            await services.documents.trash.documents(reader, theirs_or_none)
    for unknown in (document.id, new_id()):
        with pytest.raises(NotFound):
            await services.documents.trash.restore(reader, [unknown], CALLER)
    assert await in_trash(services, current_user) == ["hours.txt"]


async def test_what_is_deleted_counts_no_more_and_comes_back_only_where_there_is_room(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = FileLimits(user_files=1)
    monkeypatch.setattr(services.documents.files, "limits", limits)
    first = await ready(services, current_user, collection, "first.txt", TEXT)
    await services.documents.files.remove(current_user, [first.id])
    second = await ready(services, current_user, collection, "second.txt", "Another text.")
    with pytest.raises(InvalidInput):
        await services.documents.trash.restore(current_user, [first.id], CALLER)
    # The trash itself is bounded, too: the oldest of it go.
    await services.documents.files.remove(current_user, [second.id])
    assert await in_trash(services, current_user) == ["second.txt"]


async def test_what_was_deleted_at_once_is_restored_at_once_or_not_at_all(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_QUEUED_AGAIN", RateLimit(subject=2))
    names = ["a.txt", "b.txt", "c.txt", "d.txt"]
    made = [(await ready(services, current_user, collection, name, name)).id for name in names]
    assert sorted(await services.documents.files.remove(current_user, made)) == sorted(made)
    with pytest.raises(NotFound):
        await services.documents.trash.restore(current_user, [*made, new_id()], CALLER)
    assert await listed(services, current_user, collection) == []
    await services.documents.trash.restore(current_user, made, CALLER)
    assert await listed(services, current_user, collection) == names


async def test_a_document_that_was_being_read_is_read_to_its_end_when_it_is_restored(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    with psycopg.connect(owner_url) as connection:
        # As it stands before anything was read of it.
        connection.execute("DELETE FROM document_text WHERE document_id = %s", (document.id,))
        connection.execute(
            "UPDATE document SET state = 'stored', published_generation = NULL, updated_at = now() - interval '1 hour'"
            " WHERE id = %s",
            (document.id,),
        )
    await services.documents.files.remove(current_user, [document.id])
    await services.documents.ingestion.look_after()
    with psycopg.connect(owner_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE lock = %s", (f"document {document.id}",)
        ).fetchone()
    assert left == (0,)
    assert (await restored(services, current_user, document.id)).state is DocumentState.READY
    assert await searched(services, current_user, SearchScope((collection,))) == [TEXT]


async def test_a_document_is_deleted_while_another_transaction_replaces_its_chunks(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "hours.txt", TEXT)
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(owner_url) as publishing, psycopg.connect(owner_url, autocommit=True) as looking:
        # As a job does that publishes what it has read: the document first, then its chunks.
        publishing.execute("UPDATE document SET progress = 1.0 WHERE id = %s", (document.id,))
        deleting = asyncio.create_task(services.documents.files.remove(current_user, [document.id]))
        async with asyncio.timeout(60):
            while looking.execute(waiting).fetchone() == (0,):
                await asyncio.sleep(0.02)
        publishing.execute("DELETE FROM chunk WHERE document_id = %s", (document.id,))
        publishing.commit()
        await deleting
    assert await in_trash(services, current_user, collection) == ["hours.txt"]


async def test_after_thirty_days_it_is_purged_with_its_file(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    old, young = [await ready(services, current_user, collection, f"{name}.txt", name) for name in ("old", "young")]
    await services.documents.files.remove(current_user, [old.id, young.id])
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE document SET deleted_at = now() - interval '31 days' WHERE id = %s", (old.id,))
        connection.execute(
            "UPDATE stored_file SET touched_at = now() - interval '2 days' WHERE id = %s", (old.file_id,)
        )
    await services.app.maintenance._storage_gc.purge_trash()
    await services.app.maintenance._storage_gc.once()
    assert await in_trash(services, current_user) == ["young.txt"]
    with psycopg.connect(owner_url) as connection:
        for table, column in (("document", "id"), ("document_text", "document_id"), ("file_part", "file_id")):
            wanted = old.file_id if column == "file_id" else old.id
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", (wanted,)).fetchone() == (0,)  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert (await restored(services, current_user, young.id)).state is DocumentState.READY


async def test_the_runtime_role_cannot_purge_what_was_just_deleted(services: Services) -> None:
    # The last one is a day and more as Postgres compares intervals, and leads into the future from any day of the year.
    for after in ("0", "1 hour", "-11 months 331 days"):
        with pytest.raises(Exception, match="below a day"):
            async with services.chat.conversations._database.begin(None) as session:
                await session.execute(
                    text("SELECT purge_documents(CAST(CAST(:after AS text) AS interval))"), {"after": after}
                )


async def stored_bytes(owner_url: str, current_user: CurrentUser) -> int:
    with psycopg.connect(owner_url) as connection:
        query = "SELECT coalesce(sum(size_bytes), 0)::bigint FROM stored_file WHERE owner_id = %s"
        return (connection.execute(query, (current_user.user_id,)).fetchone() or (-1,))[0]


async def test_a_collection_that_is_deleted_takes_the_files_of_its_trash_along(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    elsewhere = await services.documents.collections.create(current_user, "Elsewhere")
    here = [await ready(services, current_user, collection, f"{name}.txt", name) for name in ("first", "second")]
    await ready(services, current_user, elsewhere, "second.txt", "second")
    await services.documents.files.remove(current_user, [item.id for item in here])
    await services.documents.files.remove_collection(current_user, collection)
    assert await stored_bytes(owner_url, current_user) == len("second")


async def test_what_a_full_trash_gives_up_leaves_no_file(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    first, second = [
        await ready(services, current_user, collection, f"{name}.txt", name) for name in ("first", "second")
    ]
    await services.documents.files.remove(current_user, [first.id])
    services.documents.files.limits = FileLimits(user_files=1)
    await services.documents.files.remove(current_user, [second.id])
    assert await in_trash(services, current_user) == ["second.txt"]
    assert await stored_bytes(owner_url, current_user) == len("second")


async def test_only_what_the_trash_lists_is_deleted_for_good(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    earlier = await ready(services, current_user, collection, "hours.txt", TEXT)
    current = await replaced(services, current_user, collection, "hours.txt", b"The office opens at eight.")
    await services.documents.files.remove(current_user, [current.id])
    with pytest.raises(NotFound):
        await services.documents.trash.delete_for_good(current_user, earlier.id)
    assert await in_trash(services, current_user) == ["hours.txt"]
    await services.documents.trash.delete_for_good(current_user, current.id)
    assert await in_trash(services, current_user) == []
