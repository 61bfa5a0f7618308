"""What every store of objects does: a folder, and a bucket of a real S3 server."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rxchat.adapters.objects.folder import FolderStore
from rxchat.adapters.objects.keys import random_key
from rxchat.adapters.objects.s3 import S3Store
from rxchat.domain.errors import ObjectMissing
from rxchat.domain.ports import ObjectStore, StoredObject
from tests.peers.swift import SwiftS3
from tests.peers.swift_server import LISTED_AT_ONCE

pytestmark = pytest.mark.anyio

OTHER_FORMS = [
    "",
    "ab",
    "ab/",
    "/ab/abcdef0123",
    "ab/abcdef0123/",
    "ab/abcdef0123\n",
    "ab/ABCDEF0123",
    "ab/abcdef012g",
    "ab/../../etc/passwd",
    "../abcdef0123",
    "../../../etc/passwd",
    "ab/abcdef0123.tmp",
    "ab/abcdef01\0",
    "abc/abcdef0123",
    "ab/ab/abcdef0123",
    "ab\\abcdef0123",
    "ab/abc",
    "ab/" + "a" * 129,
    "ab/١٢٣٤٥٦٧٨",
]


@pytest.fixture(params=["folder", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[ObjectStore]:
    """An empty store of either kind."""
    found: ObjectStore
    if request.param == "folder":
        found = FolderStore(tmp_path / "objects")
    else:
        there: SwiftS3 = request.getfixturevalue("running_swift")
        bucket = f"files-{secrets.token_hex(4)}"
        found = S3Store(there.endpoint, bucket, there.access_key, there.secret_key)
    await found.ping()
    await found.claim("this-installation")
    yield found
    await found.aclose()


async def test_a_store_says_whose_it_is_and_that_is_no_object(store: ObjectStore) -> None:
    assert await store.owner() == "this-installation"
    await store.claim("another-installation")
    assert await store.owner() == "another-installation"
    assert await listed(store) == []


async def test_a_ping_makes_a_store_nobodys_and_nobody_its_owner(tmp_path: Path, running_swift: SwiftS3) -> None:
    bucket = f"files-{secrets.token_hex(4)}"
    stores: list[ObjectStore] = [
        FolderStore(tmp_path / "objects"),
        S3Store(running_swift.endpoint, bucket, running_swift.access_key, running_swift.secret_key),
    ]
    for store in stores:
        await store.ping()
        assert await store.owner() is None
        await store.aclose()
    assert list(tmp_path.iterdir()) == []


async def test_what_is_put_can_be_got_replaced_and_deleted(store: ObjectStore) -> None:
    key = random_key()
    await store.put(key, b"first")
    assert await store.get(key) == b"first"
    await store.put(key, b"second, which is longer")
    assert await store.get(key) == b"second, which is longer"
    await store.delete([key])
    with pytest.raises(ObjectMissing):
        await store.get(key)


async def test_an_object_may_be_empty(store: ObjectStore) -> None:
    key = random_key()
    await store.put(key, b"")
    assert await store.get(key) == b""


async def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    key, kept = random_key(), random_key()
    await store.put(key, b"here")
    await store.put(kept, b"kept")
    await store.delete([random_key(), key, random_key()])
    await store.delete([key])
    await store.delete([])
    assert [found.key for found in await listed(store)] == [kept]


async def test_what_was_never_put_is_missing(store: ObjectStore) -> None:
    with pytest.raises(ObjectMissing):
        await store.get(random_key())


async def test_a_ping_leaves_nothing_behind(store: ObjectStore) -> None:
    await store.ping()
    assert await listed(store) == []


async def test_objects_are_listed_with_sizes_and_times(store: ObjectStore) -> None:
    sizes = {random_key(): size for size in (1, 10, 100_000)}
    for key, size in sizes.items():
        await store.put(key, b"x" * size)
    found = await listed(store)
    assert {entry.key: entry.size_bytes for entry in found} == sizes
    for entry in found:
        assert abs(datetime.now(UTC) - entry.modified_at) < timedelta(minutes=1)


async def test_objects_are_listed_over_pages(store: ObjectStore) -> None:
    # One more than two pages of S3 hold.
    keys = [random_key() for _ in range(2 * LISTED_AT_ONCE + 1)]
    await asyncio.gather(*(store.put(key, key.encode()) for key in keys))
    found = [entry.key for entry in await listed(store)]
    assert sorted(found) == sorted(keys)
    await store.delete(keys[:20])
    assert sorted(entry.key for entry in await listed(store)) == sorted(keys[20:])


async def test_a_listing_can_be_left_in_the_middle(store: ObjectStore) -> None:
    for _ in range(3):
        await store.put(random_key(), b"x")
    objects = store.objects()
    assert (await anext(objects)).size_bytes == 1
    await objects.aclose()
    await store.ping()


async def test_a_large_object_comes_back_whole(store: ObjectStore) -> None:
    key, data = random_key(), os.urandom(1 << 20) * 12
    await store.put(key, data)
    assert await store.get(key) == data
    assert [entry.size_bytes for entry in await listed(store)] == [len(data)]
    await store.delete([key])
    assert await listed(store) == []


async def test_of_many_puts_of_one_key_one_remains_whole(store: ObjectStore) -> None:
    key, versions = random_key(), [bytes([number]) * 300_000 for number in range(8)]
    await asyncio.gather(*(store.put(key, version) for version in versions))
    assert await store.get(key) in versions
    assert [entry.size_bytes for entry in await listed(store)] == [300_000]


async def test_who_reads_during_a_put_gets_one_of_both_whole(store: ObjectStore) -> None:
    key, versions = random_key(), [bytes([number]) * 1_000_000 for number in range(2)]
    await store.put(key, versions[0])

    async def read() -> bytes:
        return await store.get(key)

    _, *got = await asyncio.gather(store.put(key, versions[1]), *(read() for _ in range(5)))
    assert set(got) <= set(versions)


@pytest.mark.parametrize("key", OTHER_FORMS)
async def test_keys_of_other_forms_are_refused(tmp_path: Path, key: str) -> None:
    stores: list[ObjectStore] = [
        FolderStore(tmp_path / "objects"),
        S3Store("http://127.0.0.1:9", "files", "key", "secret"),
    ]
    for store in stores:
        with pytest.raises(ValueError):
            await store.put(key, b"x")
        with pytest.raises(ValueError):
            await store.get(key)
        with pytest.raises(ValueError):
            await store.delete([random_key(), key])
    assert list(tmp_path.iterdir()) == []


async def listed(store: ObjectStore) -> list[StoredObject]:
    """All that the store has."""
    return [found async for found in store.objects()]
