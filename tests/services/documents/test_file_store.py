"""Whose store it is: files go where this installation's are, and are never lost because a disk is not mounted."""

from __future__ import annotations

import asyncio
from uuid import UUID

import psycopg
import pytest

from rxchat import operator_commands
from rxchat.adapters.objects.folder import FolderStore
from rxchat.connections import Connections
from rxchat.db.documents import files as file_rows
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import DocumentUnreadable, ObjectMissing, StorageError, StorageUnavailable
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.settings import Settings
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, body, found, settled, uploaded
from tests.services.uploading import begun, content, objects

pytestmark = pytest.mark.anyio

WORDS = "The same words."


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [EMBEDDER]
    return ollama


@pytest.fixture
def store(services: Services) -> FolderStore:
    return services.documents.files._store  # pyright: ignore[reportReturnType]


async def test_the_first_upload_claims_a_store_that_is_nobodys(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore, owner_url: str
) -> None:
    assert await store.owner() is None
    await begun(services, current_user, collection)
    with psycopg.connect(owner_url) as connection:
        [[ours]] = connection.execute("SELECT id::text FROM instance").fetchall()
    assert await store.owner() == ours


async def test_a_store_of_another_installation_takes_nothing(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore
) -> None:
    await store.claim("another-installation")
    with pytest.raises(StorageError, match="another installation"):
        await begun(services, current_user, collection)
    assert await store.owner() == "another-installation"


@pytest.mark.parametrize("is_mount_point", [True, False])
async def test_with_its_disk_not_mounted_nothing_is_lost_and_nothing_goes_to_another(
    services: Services,
    current_user: CurrentUser,
    collection: UUID,
    settings: Settings,
    at: Connections,
    is_mount_point: bool,
) -> None:
    document = await uploaded(services, current_user, collection, "mine.txt", WORDS)
    folder, disk = settings.data / "files", settings.data / "disk"
    folder.rename(disk)
    if is_mount_point:
        folder.mkdir()
    async with running(settings, at) as restarted:
        for each in (services, restarted):
            with pytest.raises(StorageUnavailable, match="mounted"):
                await content(each, current_user, document)
            with pytest.raises(StorageUnavailable, match="mounted"):
                await uploaded(each, current_user, collection, "new.txt", "Other words.")
        assert not folder.exists() or list(folder.iterdir()) == []
        if is_mount_point:
            folder.rmdir()
        disk.rename(folder)
        for each in (services, restarted):
            assert await content(each, current_user, document) == WORDS.encode()


async def test_files_that_were_brought_by_hand_are_claimed_by_a_command(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings, at: Connections,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    document = await uploaded(services, current_user, collection, "mine.txt", WORDS)
    (settings.data / "files" / ".rxchat").unlink()
    with pytest.raises(StorageUnavailable):
        await content(services, current_user, document)
    monkeypatch.setattr(operator_commands, "connections", lambda _settings: at)
    await operator_commands._claim_files(settings)
    assert await content(services, current_user, document) == WORDS.encode()


@pytest.mark.parametrize("damage", ["lost", "altered"])
async def test_uploading_again_repairs_what_was_lost_or_altered(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings, damage: str
) -> None:
    other = await services.documents.collections.create(current_user, "Other")
    first = await uploaded(services, current_user, collection, "one.txt", WORDS)
    second = await uploaded(services, current_user, other, "two.txt", WORDS)
    for document in (first, second):
        await settled(services, current_user, document)
    [path] = objects(settings)
    stored = path.read_bytes()
    path.unlink() if damage == "lost" else path.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    await services.documents.documents.reingest(current_user, second)
    failed = await settled(services, current_user, second)
    assert failed.state is DocumentState.FAILED
    assert "Upload it again" in failed.error
    assert await uploaded(services, current_user, collection, "one.txt", WORDS) == first
    for document in (first, second):
        assert await content(services, current_user, document) == WORDS.encode()
    # What had failed because of it is read again without anybody asking for it.
    mended = await settled(services, current_user, second)
    assert (mended.state, mended.error) == (DocumentState.READY, "")
    assert len(objects(settings)) == 1


async def test_uploading_again_repairs_what_its_disk_cannot_read(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    first = await uploaded(services, current_user, collection, "one.txt", WORDS)
    await settled(services, current_user, first)
    [path] = objects(settings)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError):
        await content(services, current_user, first)
    assert await uploaded(services, current_user, collection, "one.txt", WORDS) == first
    assert await content(services, current_user, first) == WORDS.encode()


async def test_a_failed_document_is_read_again_when_it_is_uploaded_again(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    document = await uploaded(services, current_user, collection, "one.txt", WORDS)
    await settled(services, current_user, document)
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE document SET state = 'failed', error = 'Something was away.'")
    assert await uploaded(services, current_user, collection, "one.txt", WORDS) == document
    again = await settled(services, current_user, document)
    assert (again.state, again.error, again.generation) == (DocumentState.READY, "", 2)


async def test_finishing_twice_at_once_is_done_once(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, get, read = await begun(services, current_user, collection, WORDS.encode(), "one.txt"), store.get, 0
    again: list[object] = []

    async def slowly(key: str) -> bytes:
        nonlocal read
        read += 1
        if read == 1:
            # While one is at it, others come: a worker that looks after uploads, which leaves it alone.
            again.append(await services.documents.files.finish(current_user.user_id, upload.document_id))
        return await get(key)

    monkeypatch.setattr(store, "get", slowly)
    received = await services.documents.files.receive(current_user, upload.document_id, 0, body(WORDS.encode()))
    assert received.is_stored
    assert (again, read) == ([None], 1)
    await services.documents.files.finish(current_user.user_id, upload.document_id)
    assert read == 1


async def to_finalize(services: Services) -> list[tuple[UUID, UUID]]:
    async with services.documents.files._database.begin(None) as session:
        return await file_rows.uploads_to_finalize(session, 10)


async def test_a_lease_whose_process_died_is_taken_over_and_till_then_nobody_is_asked(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str, store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    upload = await arrived(services, current_user, collection, store, monkeypatch, "one.txt", WORDS.encode())
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "UPDATE stored_file SET touched_at = now() - interval '1 minute', finalize_lease_until = now() + interval '9 s'"
        )
    assert await to_finalize(services) == []
    await services.documents.files.finish(current_user.user_id, upload)
    assert (await found(services, current_user, upload)).state is DocumentState.UPLOADING
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE stored_file SET finalize_lease_until = now() - interval '1 s'")
    assert await to_finalize(services) == [(current_user.user_id, upload)]
    await services.documents.ingestion.look_after()
    assert await content(services, current_user, upload) == WORDS.encode()


async def arrived(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore, monkeypatch: pytest.MonkeyPatch,
    name: str, data: bytes,
) -> UUID:  # fmt: skip
    """An upload that has arrived whole, and that could not be finished; its person has gone."""
    upload, get = await begun(services, current_user, collection, data, name), store.get

    async def away(_key: str) -> bytes:
        raise StorageUnavailable

    monkeypatch.setattr(store, "get", away)
    with pytest.raises(StorageUnavailable):
        await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
    with pytest.raises(StorageUnavailable):
        await services.documents.files.upload(current_user, upload.document_id)
    monkeypatch.setattr(store, "get", get)
    return upload.document_id


async def test_an_upload_that_could_not_be_finished_is_not_over_before_it_is(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore, monkeypatch: pytest.MonkeyPatch,
    owner_url: str,
) -> None:  # fmt: skip
    upload = await arrived(services, current_user, collection, store, monkeypatch, "one.txt", WORDS.encode())
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE stored_file SET touched_at = now() - interval '1 minute'")
    await services.documents.ingestion.look_after()
    assert (await services.documents.files.upload(current_user, upload)).is_stored
    assert await content(services, current_user, upload) == WORDS.encode()


@pytest.mark.parametrize("damage", ["its name has the wrong ending", "lost"])
async def test_what_cannot_be_used_stays_as_a_document_that_says_why_when_its_person_has_gone(
    services: Services, current_user: CurrentUser, collection: UUID, store: FolderStore, monkeypatch: pytest.MonkeyPatch,
    settings: Settings, damage: str,
) -> None:  # fmt: skip
    with monkeypatch.context() as patched:
        # So that it is not refused by its beginning already.
        patched.setattr("rxchat.services.documents.files.HEAD_BYTES", 10**9)
        patched.setattr("rxchat.services.documents.files.format_of", lambda *_: None)
        data = b"\x89PNG\r\n\x1a\n" + b"\0" * 100 if damage != "lost" else b"%PDF-1.7\n"
        upload = await arrived(services, current_user, collection, store, monkeypatch, "report.pdf", data)
    if damage == "lost":
        objects(settings)[0].unlink()
    await services.documents.files.finish(current_user.user_id, upload)
    document = await found(services, current_user, upload)
    assert document.state is DocumentState.FAILED
    assert ("missing" if damage == "lost" else "PNG") in document.error
    # Whoever asks how far it has come hears that it is over; the document says the rest.
    assert (await services.documents.files.upload(current_user, upload)).is_stored
    await services.documents.files.remove(current_user, [upload])
    await services.documents.trash.delete_for_good(current_user, upload)
    assert objects(settings) == []


async def test_what_is_wrong_with_the_store_is_asked_now_and_then_and_soon_answered(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings, store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    keeping = StorageOwnership(services.documents.files._database, store)
    assert await keeping.problem() == "", "nothing has been kept yet"
    await uploaded(services, current_user, collection, "one.txt", WORDS)
    (settings.data / "files").rename(settings.data / "disk")
    assert await keeping.problem() == "", "it was asked just now"
    keeping._asked_at -= 11
    assert "mounted" in await keeping.problem()

    looks = 0

    async def never() -> str:
        nonlocal looks
        looks += 1
        await asyncio.sleep(60)
        return ""

    monkeypatch.setattr(store, "owner", never)
    keeping._asked_at -= 11
    async with asyncio.timeout(50):
        said = await asyncio.gather(*(keeping.problem() for _ in range(5)))
        keeping._asked_at -= 11
        said.append(await keeping.problem())
    assert set(said) == {StorageUnavailable().message}
    assert looks == 1, "a disk that hangs keeps no more than one thread"


async def test_what_is_lost_is_still_lost_where_the_store_is_ours(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    document = await uploaded(services, current_user, collection, "one.txt", WORDS)
    objects(settings)[0].unlink()
    with pytest.raises(ObjectMissing):
        await services.documents.files.content(current_user, document)
    with pytest.raises(DocumentUnreadable):
        await begun(services, current_user, collection, b"x", "virus.exe")
