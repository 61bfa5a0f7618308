"""Deleted documents: gone at once for everything, and restored whole for as long as they are kept."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from rxchat.domain.accounts import Caller, Viewer
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.files import Document, FileLimits
from rxchat.domain.ids import new_id
from rxchat.domain.limits import RateLimit
from rxchat.domain.permissions import PrincipalKind
from rxchat.domain.retrieval import SearchScope
from rxchat.domain.versions import IfExists, VersionState
from rxchat.services.accounts import rate_limits as limits
from rxchat.services.app.container import Services
from tests.factories import add_viewer
from tests.services.grounded import EMBEDDER, body, ready, settled
from tests.services.uploading import content

pytestmark = pytest.mark.anyio

OFFERED = [EMBEDDER]
CALLER = Caller("127.0.0.1", "a browser")
TEXT = "The office opens at seven."
MAIL = (
    b"From: ada@example.org\r\nTo: bob@example.org\r\nSubject: Hours\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n'
    b'--b\r\nContent-Type: text/plain; name="hours.txt"\r\nContent-Disposition: attachment; filename="hours.txt"\r\n\r\n'
    b"The office opens at seven.\r\n--b--\r\n"
)


async def searched(services: Services, viewer: Viewer, where: SearchScope) -> list[str]:
    return [item.text for item in (await services.retrieval.search(viewer, "When does it open?", where)).passages]


async def listed(services: Services, viewer: Viewer, collection: UUID) -> list[str]:
    return sorted(item.name for item in (await services.library.documents(viewer, collection))[1])


async def in_trash(services: Services, viewer: Viewer, collection: UUID | None = None) -> list[str]:
    return [item.name for item in await services.trash.documents(viewer, collection)]


async def restored(services: Services, viewer: Viewer, document_id: UUID) -> Document:
    await services.trash.restore(viewer, [document_id], CALLER)
    return await settled(services, viewer, document_id)


async def replaced(services: Services, viewer: Viewer, collection: UUID, name: str, data: bytes) -> Document:
    upload = await services.files.begin(
        viewer, name=name, size_bytes=len(data), collection_id=collection, if_exists=IfExists.REPLACE
    )
    await services.files.receive(viewer, upload.document_id, 0, body(data))
    return await settled(services, viewer, upload.document_id)


async def test_a_deleted_document_is_gone_for_everything_at_once_and_restored_whole(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, viewer, collection, "hours.txt", TEXT)
    reader = add_viewer(owner_url, "Reader")
    await services.library.share(viewer, collection, PrincipalKind.PERSON, reader.email, CALLER)
    await services.files.remove(viewer, [document.id])
    assert await listed(services, viewer, collection) == []
    assert await in_trash(services, viewer, collection) == ["hours.txt"]
    for who in (viewer, reader):
        assert await searched(services, who, SearchScope((collection,), (document.id,))) == []
        for refused in (
            services.library.document(who, document.id),
            services.library.chunks(who, document.id),
            services.versions.history(who, document.id),
            services.files.content(who, document.id),
        ):
            with pytest.raises(NotFound):
                await refused
        assert await services.library.pick(who, "hours.txt", 5) == []
    for change in (
        services.library.rename_document(viewer, document.id, "other.txt"),
        services.library.read_again(viewer, document.id),
        services.files.remove(viewer, [document.id]),
    ):
        with pytest.raises(NotFound):
            await change
    again = await restored(services, viewer, document.id)
    assert (again.state, again.name, again.created_at) == (DocumentState.READY, "hours.txt", document.created_at)
    assert await searched(services, reader, SearchScope((collection,))) == [TEXT]
    assert await content(services, viewer, document.id) == TEXT.encode()
    assert await in_trash(services, viewer) == []


async def test_versions_are_deleted_and_restored_with_their_document(
    services: Services, viewer: Viewer, collection: UUID
) -> None:
    first = await ready(services, viewer, collection, "hours.txt", TEXT)
    second = await replaced(services, viewer, collection, "hours.txt", b"The office opens at eight.")
    await services.files.remove(viewer, [second.id])
    with pytest.raises(NotFound):
        await services.library.document(viewer, first.id)
    # Another document of that name meanwhile is no version of it.
    other = await ready(services, viewer, collection, "hours.txt", "The office is closed.")
    assert other.version == 1
    again = await restored(services, viewer, second.id)
    assert (again.version, again.version_state) == (2, VersionState.CURRENT)
    history = await services.versions.history(viewer, again.id)
    assert [(item.version, item.version_state.value) for item in history.versions] == [
        (2, "current"),
        (1, "superseded"),
    ]
    assert sorted(await searched(services, viewer, SearchScope((collection,)))) == [
        "The office is closed.",
        "The office opens at eight.",
    ]


async def test_a_mail_comes_back_with_the_files_attached_to_it(
    services: Services, viewer: Viewer, collection: UUID
) -> None:
    mail = await ready(services, viewer, collection, "hours.eml", MAIL)
    names = await listed(services, viewer, collection)
    assert names == ["hours.eml", "hours.txt"]
    await services.files.remove(viewer, [mail.id])
    assert (await listed(services, viewer, collection), await in_trash(services, viewer)) == ([], ["hours.eml"])
    await restored(services, viewer, mail.id)
    for item in (await services.library.documents(viewer, collection))[1]:
        assert (await settled(services, viewer, item.id)).state is DocumentState.READY
    assert await listed(services, viewer, collection) == names


async def test_a_file_in_the_trash_stays_while_another_document_of_it_is_deleted_for_good(
    services: Services, viewer: Viewer, collection: UUID
) -> None:
    document = await ready(services, viewer, collection, "hours.txt", TEXT)
    await services.files.remove(viewer, [document.id])
    # The same bytes are one stored file; what is attached to a message is deleted for good.
    draft = await services.files.begin(viewer, name="copy.txt", size_bytes=len(TEXT), draft_key=new_id())
    attached = await services.files.receive(viewer, draft.document_id, 0, body(TEXT.encode()))
    await settled(services, viewer, attached.document_id)
    await services.files.remove(viewer, [attached.document_id])
    assert await in_trash(services, viewer) == ["hours.txt"]
    await restored(services, viewer, document.id)
    assert await content(services, viewer, document.id) == TEXT.encode()


async def test_a_deleted_document_can_be_deleted_for_good_by_its_owner_alone(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, viewer, collection, "hours.txt", TEXT)
    with pytest.raises(NotFound):
        await services.trash.delete_for_good(viewer, document.id)
    await services.files.remove(viewer, [document.id])
    with pytest.raises(NotFound):
        await services.trash.delete_for_good(add_viewer(owner_url, "Other"), document.id)
    await services.trash.delete_for_good(viewer, document.id)
    assert await in_trash(services, viewer) == []
    with psycopg.connect(owner_url) as connection:
        for table, wanted in (("document", document.id), ("stored_file", document.file_id)):
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE id = %s", (wanted,)).fetchone() == (0,)  # pyright: ignore[reportArgumentType, reportCallIssue]


async def test_only_its_owner_sees_and_restores_what_was_deleted(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, viewer, collection, "hours.txt", TEXT)
    reader = add_viewer(owner_url, "Reader")
    await services.library.share(viewer, collection, PrincipalKind.PERSON, reader.email, CALLER)
    await services.files.remove(viewer, [document.id])
    assert await in_trash(services, reader) == []
    for theirs_or_none in (collection, new_id()):
        with pytest.raises(NotFound):
            await services.trash.documents(reader, theirs_or_none)
    for unknown in (document.id, new_id()):
        with pytest.raises(NotFound):
            await services.trash.restore(reader, [unknown], CALLER)
    assert await in_trash(services, viewer) == ["hours.txt"]


async def test_what_is_deleted_counts_no_more_and_comes_back_only_where_there_is_room(
    services: Services, viewer: Viewer, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = FileLimits(person_files=1)
    monkeypatch.setattr(services.files, "limits", limits)
    first = await ready(services, viewer, collection, "first.txt", TEXT)
    await services.files.remove(viewer, [first.id])
    second = await ready(services, viewer, collection, "second.txt", "Another text.")
    with pytest.raises(InvalidInput):
        await services.trash.restore(viewer, [first.id], CALLER)
    # The trash itself is bounded, too: the oldest of it go.
    await services.files.remove(viewer, [second.id])
    assert await in_trash(services, viewer) == ["second.txt"]


async def test_what_was_deleted_at_once_is_restored_at_once_or_not_at_all(
    services: Services, viewer: Viewer, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_QUEUED_AGAIN", RateLimit(subject=2))
    names = ["a.txt", "b.txt", "c.txt", "d.txt"]
    made = [(await ready(services, viewer, collection, name, name)).id for name in names]
    assert sorted(await services.files.remove(viewer, made)) == sorted(made)
    with pytest.raises(NotFound):
        await services.trash.restore(viewer, [*made, new_id()], CALLER)
    assert await listed(services, viewer, collection) == []
    await services.trash.restore(viewer, made, CALLER)
    assert await listed(services, viewer, collection) == names


async def test_a_document_that_was_being_read_is_read_to_its_end_when_it_is_restored(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    document = await ready(services, viewer, collection, "hours.txt", TEXT)
    with psycopg.connect(owner_url) as connection:
        # As it stands before anything was read of it.
        connection.execute("DELETE FROM document_text WHERE document_id = %s", (document.id,))
        connection.execute(
            "UPDATE document SET state = 'stored', live_generation = NULL, updated_at = now() - interval '1 hour'"
            " WHERE id = %s",
            (document.id,),
        )
    await services.files.remove(viewer, [document.id])
    await services.ingestion.look_after()
    with psycopg.connect(owner_url) as connection:
        left = connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE lock = %s", (f"document {document.id}",)
        ).fetchone()
    assert left == (0,)
    assert (await restored(services, viewer, document.id)).state is DocumentState.READY
    assert await searched(services, viewer, SearchScope((collection,))) == [TEXT]


async def test_after_thirty_days_it_is_purged_with_its_file(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    old, young = [await ready(services, viewer, collection, f"{name}.txt", name) for name in ("old", "young")]
    await services.files.remove(viewer, [old.id, young.id])
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE document SET deleted_at = now() - interval '31 days' WHERE id = %s", (old.id,))
        connection.execute(
            "UPDATE stored_file SET touched_at = now() - interval '2 days' WHERE id = %s", (old.file_id,)
        )
    await services.upkeep._sweeping.purge_trash()
    await services.upkeep._sweeping.once()
    assert await in_trash(services, viewer) == ["young.txt"]
    with psycopg.connect(owner_url) as connection:
        for table, column in (("document", "id"), ("document_text", "document_id"), ("file_part", "file_id")):
            wanted = old.file_id if column == "file_id" else old.id
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", (wanted,)).fetchone() == (0,)  # pyright: ignore[reportArgumentType, reportCallIssue]
    assert (await restored(services, viewer, young.id)).state is DocumentState.READY


async def test_the_runtime_role_cannot_purge_what_was_just_deleted(services: Services) -> None:
    # The last one is a day and more as Postgres compares intervals, and leads into the future from any day of the year.
    for after in ("0", "1 hour", "-11 months 331 days"):
        with pytest.raises(Exception, match="below a day"):
            async with services.conversations._database.begin(None) as session:
                await session.execute(
                    text("SELECT purge_documents(CAST(CAST(:after AS text) AS interval))"), {"after": after}
                )


async def stored_bytes(owner_url: str, viewer: Viewer) -> int:
    with psycopg.connect(owner_url) as connection:
        query = "SELECT coalesce(sum(size_bytes), 0)::bigint FROM stored_file WHERE owner_id = %s"
        return (connection.execute(query, (viewer.user_id,)).fetchone() or (-1,))[0]


async def test_a_collection_that_is_deleted_takes_the_files_of_its_trash_along(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    elsewhere = await services.library.create(viewer, "Elsewhere")
    here = [await ready(services, viewer, collection, f"{name}.txt", name) for name in ("first", "second")]
    await ready(services, viewer, elsewhere, "second.txt", "second")
    await services.files.remove(viewer, [item.id for item in here])
    await services.files.remove_collection(viewer, collection)
    assert await stored_bytes(owner_url, viewer) == len("second")


async def test_what_a_full_trash_gives_up_leaves_no_file(
    services: Services, viewer: Viewer, collection: UUID, owner_url: str
) -> None:
    first, second = [await ready(services, viewer, collection, f"{name}.txt", name) for name in ("first", "second")]
    await services.files.remove(viewer, [first.id])
    services.files.limits = FileLimits(person_files=1)
    await services.files.remove(viewer, [second.id])
    assert await in_trash(services, viewer) == ["second.txt"]
    assert await stored_bytes(owner_url, viewer) == len("second")


async def test_only_what_the_trash_lists_is_deleted_for_good(
    services: Services, viewer: Viewer, collection: UUID
) -> None:
    earlier = await ready(services, viewer, collection, "hours.txt", TEXT)
    current = await replaced(services, viewer, collection, "hours.txt", b"The office opens at eight.")
    await services.files.remove(viewer, [current.id])
    with pytest.raises(NotFound):
        await services.trash.delete_for_good(viewer, earlier.id)
    assert await in_trash(services, viewer) == ["hours.txt"]
    await services.trash.delete_for_good(viewer, current.id)
    assert await in_trash(services, viewer) == []
