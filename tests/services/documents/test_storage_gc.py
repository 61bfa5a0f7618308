"""Sweeping: what is left behind goes, however much it is; what is somebody else's, or may be needed, stays."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest

from rxchat import operator_commands
from rxchat.adapters.objects.folder import FolderStore
from rxchat.connections import Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import StorageError, StorageUnavailable
from rxchat.services.app.container import Services
from rxchat.services.documents import storage_gc as sweeping_service
from rxchat.services.documents.storage_gc import StorageGarbageCollector, swept
from rxchat.settings import Settings
from tests.services.grounded import uploaded
from tests.services.uploading import LARGE, ack_object_deletions, begun, breaking, content, objects, rows

pytestmark = pytest.mark.anyio

NOW = timedelta(0)


@pytest.fixture
async def collection(services: Services, current_user: CurrentUser, owner_url: str) -> UUID:
    ack_object_deletions(owner_url)
    return await services.documents.collections.create(current_user, "Team")


@pytest.fixture
def store(services: Services) -> FolderStore:
    return services.documents.files._store  # pyright: ignore[reportReturnType]


@pytest.fixture
def sweeping(services: Services, store: FolderStore) -> StorageGarbageCollector:
    return StorageGarbageCollector(services.documents.files._database, store)


async def orphans(store: FolderStore, count: int) -> None:
    """Pieces whose process died between storing and remembering."""
    for number in range(count):
        await store.put(f"ab/{number:032x}", b"an orphan")


async def test_the_sweep_deletes_what_no_document_needs_and_nothing_else(
    services: Services,
    current_user: CurrentUser,
    collection: UUID,
    settings,
    store: FolderStore,
    sweeping: StorageGarbageCollector,
    owner_url: str,
) -> None:
    kept = await uploaded(services, current_user, collection, "kept.txt", "Needed.")
    forgotten = await begun(services, current_user, collection)
    await services.documents.files.receive(current_user, forgotten.document_id, 0, breaking(LARGE[:5000]))
    await orphans(store, 1)
    assert await sweeping.once() == 0
    assert len(objects(settings)) == 3
    assert await sweeping.once(unfinished=NOW, young=NOW) == 2
    assert await content(services, current_user, kept) == b"Needed."
    assert rows(owner_url) == 3


async def test_more_than_a_few_that_nobody_has_ever_known_stay_until_the_operator_says_so(
    services: Services, current_user: CurrentUser, collection: UUID, settings, store: FolderStore, sweeping: StorageGarbageCollector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("rxchat.services.documents.storage_gc._SURPRISING", 10)
    for number in range(12):
        await uploaded(services, current_user, collection, f"{number}.txt", f"Needed {number}.")
    await orphans(store, 11)
    assert await sweeping.once(young=NOW) == 0
    assert len(objects(settings)) == 23
    assert len(await sweeping.unknown()) == 0, "they are too young"
    await sweeping.delete(await sweeping.unknown(young=NOW))
    assert len(objects(settings)) == 12


@pytest.mark.parametrize(
    "gone", ["DELETE FROM user_account WHERE id = %s", "DELETE FROM collection WHERE owner_id = %s"]
)
async def test_an_account_or_a_collection_that_is_deleted_leaves_nothing_however_much_it_had(
    services: Services, current_user: CurrentUser, collection: UUID, settings, sweeping: StorageGarbageCollector, owner_url: str, gone: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    # More than are deleted at a time.
    monkeypatch.setattr("rxchat.services.documents.storage_gc._AT_A_TIME", 5)
    for number in range(12):
        await uploaded(services, current_user, collection, f"{number}.txt", f"Mine {number}.")
    with psycopg.connect(owner_url) as connection:
        connection.execute(gone.encode(), (current_user.user_id,))
    # Not even those that are too young to be told from what is being stored just now.
    assert await sweeping.once(unfinished=NOW) == 12
    assert objects(settings) == []
    assert rows(owner_url) == 0
    assert await sweeping.once() == 0


async def test_what_could_not_be_deleted_at_once_is_deleted_later(
    services: Services, current_user: CurrentUser, collection: UUID, settings, store: FolderStore, sweeping: StorageGarbageCollector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    delete = store.delete

    async def away(_keys: object) -> None:
        raise StorageUnavailable

    document = await uploaded(services, current_user, collection, "mine.txt", "Mine.")
    monkeypatch.setattr(store, "delete", away)
    await services.documents.files.remove(current_user, [document])
    await services.documents.trash.delete_for_good(current_user, document)
    with pytest.raises(StorageUnavailable):
        await sweeping.once()
    assert len(objects(settings)) == 1
    monkeypatch.setattr(store, "delete", delete)
    assert await sweeping.once() == 1
    assert objects(settings) == []


@pytest.mark.parametrize("marker", ["another-installation", None])
async def test_a_store_that_is_not_ours_is_not_swept(
    services: Services, current_user: CurrentUser, collection: UUID, settings, store: FolderStore, sweeping: StorageGarbageCollector,
    monkeypatch: pytest.MonkeyPatch, marker: str | None,
) -> None:  # fmt: skip
    document = await uploaded(services, current_user, collection, "mine.txt", "Mine.")
    await uploaded(services, current_user, collection, "kept.txt", "Needed.")
    await orphans(store, 3)
    await services.documents.files.remove(current_user, [document])
    await services.documents.trash.delete_for_good(current_user, document)
    if marker:
        await store.claim(marker)
    else:
        (settings.data / "files" / ".rxchat").unlink()
    with pytest.raises(StorageError):
        await sweeping.once(unfinished=NOW, young=NOW)
    said: list[str] = []
    monkeypatch.setattr(sweeping_service, "log", SimpleNamespace(error=lambda event, **_: said.append(event)))
    await swept(sweeping)
    assert said == ["the garbage collection of the file store failed"]
    assert len(objects(settings)) == 4


async def test_two_installations_in_one_folder_leave_each_others_files_alone(
    services: Services,
    current_user: CurrentUser,
    collection: UUID,
    settings,
    store: FolderStore,
    sweeping: StorageGarbageCollector,
    owner_url: str,
) -> None:
    await uploaded(services, current_user, collection, "mine.txt", "Mine.")
    with psycopg.connect(owner_url) as connection:
        connection.execute("DELETE FROM user_account")
        [[ours]] = connection.execute("SELECT id FROM instance").fetchall()
        connection.execute("UPDATE instance SET id = gen_random_uuid()")
    try:
        with pytest.raises(StorageError, match="another installation"):
            await sweeping.once(unfinished=NOW, young=NOW)
        assert len(objects(settings)) == 1
    finally:
        with psycopg.connect(owner_url) as connection:
            connection.execute("UPDATE instance SET id = %s", (ours,))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM instance",
        "DELETE FROM instance",
        "INSERT INTO instance DEFAULT VALUES",
        "INSERT INTO object_deletion (object_key) VALUES ('another')",
        "UPDATE object_deletion SET object_key = 'another'",
    ],
)
async def test_the_runtime_role_can_have_no_object_deleted(database_url: str, statement: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("SET ROLE rxchat_app")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())


async def test_the_operator_is_told_what_nobody_knows_and_has_it_deleted(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings, at: Connections, store: FolderStore,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await uploaded(services, current_user, collection, "kept.txt", "Needed.")
    await orphans(store, 3)
    for path in objects(settings):
        os.utime(path, (time.time() - 7200, time.time() - 7200))
    monkeypatch.setattr(operator_commands, "connections", lambda _settings: at)
    for unknown, left, words in ((False, 4, "sweep-files --unknown"), (True, 1, "3 objects that belong to no file")):
        chosen = argparse.Namespace(unknown=unknown)
        # A command has a loop of its own.
        assert await asyncio.to_thread(operator_commands.sweep_files, settings, chosen) == 0
        assert words in capsys.readouterr().out
        assert len(objects(settings)) == left
