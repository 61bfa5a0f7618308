"""All of it with the files in a bucket of a real S3 server: read, found, fetched, away, full, and swept."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import timedelta

import psycopg
import pytest
from pydantic import SecretStr

from rxchat.adapters.objects.s3 import S3Store
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import StorageFull, StorageUnavailable
from rxchat.domain.retrieval import SearchScope
from rxchat.services.app.container import Services
from rxchat.services.documents.storage_gc import StorageGarbageCollector
from rxchat.settings import Settings
from tests.peers.swift import SwiftS3
from tests.services.grounded import EMBEDDER, HANDBOOK, body, found, ready, settled, uploaded

pytestmark = pytest.mark.anyio

OFFERED = ["scripted:tokens=2", EMBEDDER]

# Large as a file, and hardly any text to embed.
LARGE = (
    f"<h1>Handbook</h1><p>The coffee machine is cleaned on Fridays.</p><!-- {os.urandom(1_500_000).hex()} -->".encode()
)


@pytest.fixture
def bucket() -> str:
    return f"files-{secrets.token_hex(4)}"


@pytest.fixture
def settings(settings: Settings, running_swift: SwiftS3, bucket: str) -> Settings:
    at = {
        "s3_endpoint": running_swift.endpoint,
        "s3_bucket": bucket,
        "s3_access_key": SecretStr(running_swift.access_key),
        "s3_secret_key": SecretStr(running_swift.secret_key),
    }
    return settings.model_copy(update=at)


def store(swift: SwiftS3, bucket: str) -> S3Store:
    return S3Store(swift.endpoint, bucket, swift.access_key, swift.secret_key)


async def kept(swift: SwiftS3, bucket: str) -> set[str]:
    return {item.key async for item in store(swift, bucket).objects()}


def remembered(owner_url: str) -> set[str]:
    with psycopg.connect(owner_url) as connection:
        return {row[0] for row in connection.execute("SELECT object_key FROM file_part").fetchall()}


async def swept(services: Services, swift: SwiftS3, bucket: str) -> None:
    sweeping = StorageGarbageCollector(services.documents.ingestion._database, store(swift, bucket))
    await sweeping.once(unfinished=timedelta(0), young=timedelta(0))


async def test_a_document_in_a_bucket_is_found_fetched_and_gone_when_it_is_deleted(
    services: Services, current_user: CurrentUser, collection, running_swift: SwiftS3, bucket: str, owner_url: str
) -> None:
    document = await ready(services, current_user, collection, "handbook.html", LARGE)
    assert await kept(running_swift, bucket) == remembered(owner_url) != set()
    answer = await services.retrieval.search.search(
        current_user, "who cleans the coffee machine?", SearchScope((collection,))
    )
    assert "cleaned on Fridays" in "".join(passage.text for passage in answer.passages)
    again = b"".join([piece async for piece in await services.documents.files.whole(current_user.user_id, document)])
    assert again == LARGE
    for key in await kept(running_swift, bucket):
        assert b"coffee" not in await store(running_swift, bucket).get(key)
    await services.documents.files.remove(current_user, [document.id])
    await services.documents.trash.delete_for_good(current_user, document.id)
    assert await kept(running_swift, bucket) == set()


async def test_with_the_store_away_it_is_said_at_once_and_the_upload_goes_on_afterwards(
    services: Services, current_user: CurrentUser, collection, swift: SwiftS3, bucket: str, owner_url: str
) -> None:
    await ready(services, current_user, collection, "first.md", HANDBOOK)
    upload = await services.documents.files.begin(
        current_user, name="large.html", size_bytes=len(LARGE), collection_id=collection
    )
    half = 2_200_000
    assert (
        await services.documents.files.receive(current_user, upload.document_id, 0, body(LARGE[:half]))
    ).received_bytes == half
    swift.stop()
    with pytest.raises(StorageUnavailable) as away:
        await services.documents.files.receive(current_user, upload.document_id, half, body(LARGE[half:]))
    assert "Try again" in away.value.message
    swift.start()
    async with asyncio.timeout(60):
        while True:
            try:
                at = (await services.documents.files.upload(current_user, upload.document_id)).received_bytes
                received = await services.documents.files.receive(
                    current_user, upload.document_id, at, body(LARGE[at:])
                )
                break
            except StorageUnavailable:
                await asyncio.sleep(0.2)
    document = await settled(services, current_user, received.document_id)
    assert document.state is DocumentState.READY
    await swept(services, swift, bucket)
    assert await kept(swift, bucket) == remembered(owner_url)


async def test_with_a_full_bucket_it_is_said_at_once_and_nothing_is_orphaned(
    services: Services, current_user: CurrentUser, collection, swift: SwiftS3, bucket: str, owner_url: str
) -> None:
    await ready(services, current_user, collection, "first.md", HANDBOOK)
    swift.limit(bucket, 10_000)
    upload = await services.documents.files.begin(
        current_user, name="large.html", size_bytes=len(LARGE), collection_id=collection
    )
    with pytest.raises(StorageFull) as full:
        await services.documents.files.receive(current_user, upload.document_id, 0, body(LARGE))
    assert "file store is full" in full.value.message
    await swept(services, swift, bucket)
    assert await kept(swift, bucket) == remembered(owner_url)
    swift.limit(bucket, None)
    document = await ready(services, current_user, collection, "large.html", LARGE)
    assert document.state is DocumentState.READY


async def test_a_document_waits_for_a_store_that_is_away_while_it_is_read(
    services: Services, current_user: CurrentUser, collection, swift: SwiftS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    parse, arrived, may_go_on = services.documents.ingestion._said_by, asyncio.Event(), asyncio.Event()

    async def later(*given):
        arrived.set()
        await may_go_on.wait()
        return await parse(*given)

    monkeypatch.setattr(services.documents.ingestion, "_said_by", later)
    document_id = await uploaded(services, current_user, collection, "handbook.md", HANDBOOK)
    await arrived.wait()
    swift.stop()
    may_go_on.set()
    async with asyncio.timeout(60):
        while not (document := await found(services, current_user, document_id)).status_text:
            await asyncio.sleep(0.05)
    assert "Next try in" in document.status_text
    swift.start()
    assert (await settled(services, current_user, document_id, 60)).state is DocumentState.READY
