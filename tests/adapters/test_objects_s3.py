"""Objects in a bucket: credentials, outages, quotas, and servers that answer nonsense."""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import httpx
import pytest
from minio import Minio
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, SSLError

from rxchat.adapters.objects import s3_errors, s3_pool
from rxchat.adapters.objects.keys import random_key
from rxchat.adapters.objects.s3 import S3Store
from rxchat.domain.errors import ObjectMissing, StorageError, StorageFull, StorageUnavailable
from tests.peers.canned_http import answer, canned_http, s3_error
from tests.peers.swift import SwiftS3

pytestmark = pytest.mark.anyio


@pytest.fixture
def bucket() -> str:
    """A bucket that is not there yet."""
    return f"files-{secrets.token_hex(4)}"


@pytest.fixture
async def store(running_swift: SwiftS3, bucket: str) -> AsyncGenerator[S3Store]:
    """A store that waits two seconds for an answer."""
    found = store_at(running_swift, bucket)
    await found.ping()
    yield found
    await found.aclose()


def store_at(swift: SwiftS3, bucket: str, **other: Any) -> S3Store:
    """A store in this bucket."""
    known = {"access_key": swift.access_key, "secret_key": swift.secret_key, "read_seconds": 2.0}
    return S3Store(swift.endpoint, bucket, **(known | other))


@pytest.mark.parametrize("other", [{"secret_key": "wrong"}, {"access_key": "rxchat:nobody"}, {"access_key": "nobody"}])
async def test_wrong_credentials_are_named(running_swift: SwiftS3, store: S3Store, bucket: str, other: Any) -> None:
    key = random_key()
    await store.put(key, b"x")
    refused = store_at(running_swift, bucket, **other)
    for trying in operations(refused, key):
        with pytest.raises(StorageError, match="S3_ACCESS_KEY and S3_SECRET_KEY") as caught:
            await trying()
        told = "".join(traceback.format_exception(caught.value)) + repr(refused)
        assert running_swift.secret_key not in told
    assert await store.get(key) == b"x"


async def test_a_bucket_that_is_missing_is_nobodys_and_made_by_whoever_claims_it(
    running_swift: SwiftS3, bucket: str
) -> None:
    store = store_at(running_swift, bucket)
    assert await store.owner() is None
    await store.claim("this-installation")
    await store.put(key := random_key(), b"x")
    assert (await store.owner(), await store.get(key)) == ("this-installation", b"x")


async def test_a_bucket_that_is_missing_is_named_and_made_by_a_ping(running_swift: SwiftS3, bucket: str) -> None:
    store = store_at(running_swift, bucket)
    for trying in (store.put(random_key(), b"x"), store.get(random_key()), anext(store.objects())):
        with pytest.raises(StorageError, match="S3_BUCKET"):
            await trying
    await asyncio.gather(store.ping(), store_at(running_swift, bucket).ping())
    await store.put(random_key(), b"x")


async def test_what_else_is_in_the_bucket_is_not_listed(running_swift: SwiftS3, store: S3Store, bucket: str) -> None:
    async with httpx.AsyncClient(trust_env=False) as browser:
        url = client(running_swift).presigned_put_object(bucket, "reports/2026 résumé.txt")
        assert (await browser.put(url, content=b"not ours")).status_code == 200
    await store.put(key := random_key(), b"x")
    assert [entry.key async for entry in store.objects()] == [key]


async def test_the_peer_checks_signatures_and_expiries(running_swift: SwiftS3, store: S3Store, bucket: str) -> None:
    """A test of the peer: what accepts any signature would prove nothing about ours."""
    await store.put(key := random_key(), b"x")
    brief, lasting = (
        client(running_swift).presigned_get_object(bucket, key, timedelta(seconds=seconds)) for seconds in (1, 60)
    )
    signature = lasting[-1]
    tampered = lasting[:-1] + ("0" if signature != "0" else "1")
    async with httpx.AsyncClient(trust_env=False) as browser:
        said = await browser.get(lasting)
        assert (said.status_code, said.content) == (200, b"x")
        said = await browser.get(tampered)
        assert said.status_code == 403 and "SignatureDoesNotMatch" in said.text
        said = await browser.get(lasting.replace(key, random_key()))
        assert said.status_code == 403 and "SignatureDoesNotMatch" in said.text
        await asyncio.sleep(2.1)
        said = await browser.get(brief)
        assert said.status_code == 403 and "Request has expired" in said.text


async def test_a_store_that_is_stopped_is_away_and_used_again_when_it_is_back(swift: SwiftS3, store: S3Store) -> None:
    await store.put(key := random_key(), b"x")
    swift.stop()
    for trying in operations(store, key):
        with pytest.raises(StorageUnavailable):
            await trying()
    swift.start()
    async with asyncio.timeout(60):
        assert await when_back(store, key) == b"x"
    await store.ping()


async def test_a_store_that_hangs_is_away_in_time_and_blocks_nobody(swift: SwiftS3, store: S3Store) -> None:
    await store.put(key := random_key(), b"x")
    swift.freeze()
    longest, ticking = 0.0, True

    async def tick() -> None:
        nonlocal longest
        while ticking:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began)

    ticks = asyncio.create_task(tick())
    began = time.monotonic()
    with pytest.raises(StorageUnavailable):
        await store.get(key)
    # Once, although getting may be tried again; and then the breaker spares it to others.
    assert 1.5 < time.monotonic() - began < 20
    said = await asyncio.gather(*(store.put(random_key(), b"x") for _ in range(100)), return_exceptions=True)
    assert [type(error) for error in said] == [StorageUnavailable] * 100
    ticking = False
    await ticks
    assert longest < 2, "something waits for the store in the loop"
    swift.resume()
    async with asyncio.timeout(60):
        assert await when_back(store, key) == b"x"


async def test_who_gives_up_does_not_wait_for_a_store_that_hangs(swift: SwiftS3, bucket: str, store: S3Store) -> None:
    assert store
    patient = store_at(swift, bucket, read_seconds=20.0)
    swift.freeze()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await patient.ping()
    assert time.monotonic() - began < 15
    swift.resume()
    await patient.ping()


async def test_a_bucket_over_its_quota_is_full(running_swift: SwiftS3, store: S3Store, bucket: str) -> None:
    await store.put(key := random_key(), b"x" * 100)
    running_swift.limit(bucket, 150)
    with pytest.raises(StorageFull):
        await store.put(random_key(), b"x" * 100)
    assert await store.get(key) == b"x" * 100
    await store.delete([key])
    await store.put(random_key(), b"x" * 100)
    with pytest.raises(StorageFull):
        running_swift.limit(bucket, 1)
        await store.ping()


async def test_a_full_disk_of_swift_is_not_told_from_an_outage(swift: SwiftS3, store: S3Store) -> None:
    """Its object server says 507, of which its proxy makes 503; the object is not there afterwards."""
    await store.put(key := random_key(), b"x")
    swift.stop()
    swift.start(full_disk=True)
    with pytest.raises(StorageUnavailable):
        await store.put(random_key(), b"x")
    assert [entry.key async for entry in store.objects()] == [key]


ANSWERS: list[tuple[bytes, type[StorageError], str]] = [
    (s3_error(403, "SignatureDoesNotMatch"), StorageError, "S3_SECRET_KEY"),
    (s3_error(403, "InvalidAccessKeyId"), StorageError, "S3_SECRET_KEY"),
    (s3_error(403, "AccessDenied"), StorageError, "S3_SECRET_KEY"),
    (s3_error(404, "NoSuchBucket"), StorageError, "S3_BUCKET"),
    (s3_error(400, "AuthorizationHeaderMalformed"), StorageError, "S3_REGION"),
    (s3_error(403, "RequestTimeTooSkewed"), StorageError, "clock"),
    (s3_error(403, "QuotaExceeded"), StorageFull, ""),
    (s3_error(400, "EntityTooLarge"), StorageFull, ""),
    (s3_error(507, "XMinioStorageFull"), StorageFull, ""),
    (s3_error(507, "SomethingElse"), StorageFull, ""),
    (answer(507, b"<html>full</html>", "text/html"), StorageFull, ""),
    (s3_error(503, "SlowDown"), StorageUnavailable, ""),
    (s3_error(400, "RequestTimeout"), StorageUnavailable, ""),
    (answer(502, b"<html>Bad Gateway</html>", "text/html"), StorageUnavailable, ""),
    (answer(429, b"slow", "text/plain"), StorageUnavailable, ""),
    (answer(503), StorageUnavailable, ""),
    (b"", StorageUnavailable, ""),
    (b"HTTP/1.1 200", StorageError, "does not support S3"),
    (answer(200, b"<html>Please sign in</html>", "text/html"), StorageError, "does not support S3"),
    (b"\0\1\2 not http\r\n\r\n", StorageUnavailable, ""),
    (answer(200, b"<a>", length=100, ETag='"0"'), StorageUnavailable, ""),
    (s3_error(418, "NeverHeardOf"), StorageError, ""),
    (answer(400, b"<html>what?</html>", "text/html"), StorageError, "does not support S3"),
    (answer(403, b"not xml at all"), StorageError, "does not support S3"),
    (answer(403, b"<Error><Code>\xff\xfe</Code></Error>"), StorageError, "does not support S3"),
    (answer(301, b"", Location="http://127.0.0.1:9/"), StorageError, ""),
    (answer(307, b"", Location="http://127.0.0.1:9/"), StorageError, ""),
]


@pytest.mark.parametrize(("said", "meant", "words"), ANSWERS)
async def test_each_answer_is_one_of_our_errors(said: bytes, meant: type[StorageError], words: str) -> None:
    with canned_http(lambda *_: said) as server:
        store = S3Store(server.endpoint, "files", "key", "secret", read_seconds=2.0)
        with pytest.raises(StorageError) as caught:
            await store.put(random_key(), b"x") if b"<a>" not in said else await store.get(random_key())
        assert type(caught.value) is meant and words in caught.value.message
        for trying in operations(store, random_key()):
            # Not every operation reads every answer; but what it raises is ours.
            with suppress(StorageError, StopAsyncIteration):
                await trying()
        await store.aclose()


@pytest.mark.parametrize("body", [b"", b"<a>", b"<html></html>", b"\xff", b'{"not": "xml"}'])
async def test_a_listing_that_is_none_is_no_empty_listing(body: bytes) -> None:
    with canned_http(lambda *_: answer(200, body)) as server:
        store = S3Store(server.endpoint, "files", "key", "secret")
        with pytest.raises(StorageError):
            await anext(store.objects())


async def test_a_server_without_batches_is_asked_to_delete_one_at_a_time() -> None:
    refusing = s3_error(400, "MissingContentMD5")
    with canned_http(lambda head, _: refusing if head.startswith("POST") else answer(204)) as server:
        store = S3Store(server.endpoint, "files", "key", "secret")
        keys = [random_key() for _ in range(3)]
        await store.delete(keys)
        await store.delete(keys[:1])
    asked = [head.rsplit(" ", 1)[0] for head, _ in server.heard]
    assert asked == ["POST /files?delete=", *(f"DELETE /files/{key}" for key in [*keys, keys[0]])]


async def test_deletes_go_in_batches_of_a_thousand() -> None:
    with canned_http(lambda *_: answer(200, b"<DeleteResult></DeleteResult>")) as server:
        store = S3Store(server.endpoint, "files", "key", "secret")
        await store.delete([random_key() for _ in range(2001)])
    assert [body.count(b"<Key>") for _, body in server.heard] == [1000, 1000, 1]


@pytest.mark.parametrize(("code", "meant"), [("AccessDenied", StorageError), ("InternalError", StorageUnavailable)])
async def test_what_a_batch_could_not_delete_is_said(code: str, meant: type[StorageError]) -> None:
    errors = "".join(f"<Error><Key>k</Key><Code>{said}</Code></Error>" for said in ("NoSuchKey", code))
    said = answer(200, f"<DeleteResult>{errors}</DeleteResult>".encode())
    with canned_http(lambda *_: said) as server, pytest.raises(meant):
        await S3Store(server.endpoint, "files", "key", "secret").delete([random_key()])


async def test_a_slow_line_has_more_time_to_send_than_to_connect() -> None:
    with canned_http(lambda *_: answer(200, ETag='"0"')) as server:
        server.pause_seconds = 4.0
        await S3Store(server.endpoint, "files", "key", "secret").put(random_key(), b"x" * (4 << 20))
    assert [len(body) for _, body in server.heard] == [4 << 20]


async def test_a_server_that_takes_no_more_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_pool, "_SEND_SECONDS", 0.5)
    with canned_http(lambda *_: answer(200)) as server:
        server.pause_seconds = 60.0
        store = S3Store(server.endpoint, "files", "key", "secret")
        took: list[float] = []
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(StorageUnavailable):
                await store.put(random_key(), b"x" * (5 << 20))
            took.append(time.monotonic() - began)
    assert 0.4 < took[0] < 30 and took[1] < took[0], "the second one is not even tried"


def test_a_certificate_that_is_not_trusted_is_named() -> None:
    refused = MaxRetryError(HTTPConnectionPool("s3.example.org"), "/", SSLError("self-signed"))
    assert "certificate" in s3_errors.from_silence(refused).message
    assert isinstance(s3_errors.from_code("NoSuchKey"), ObjectMissing)


@pytest.mark.parametrize(
    "endpoint", ["s3.example.org", "ftp://s3.example.org", "https://", "https://key:secret@host", "https://host/path"]
)
def test_an_endpoint_is_a_scheme_and_a_host(endpoint: str) -> None:
    with pytest.raises(ValueError):
        S3Store(endpoint, "files", "key", "secret")


@pytest.mark.parametrize("bucket", ["", "a", "UPPER", "with/slash", "x" * 64, "-begins"])
def test_a_bucket_has_a_proper_name(bucket: str) -> None:
    with pytest.raises(ValueError):
        S3Store("https://s3.example.org", bucket, "key", "secret")


def operations(store: S3Store, key: str) -> list[Callable[[], Awaitable[object]]]:
    """All that a store can be asked."""
    return [
        lambda: store.put(key, b"changed"),
        lambda: store.get(key),
        lambda: store.delete([key]),
        lambda: anext(store.objects()),
        store.ping,
        store.owner,
        lambda: store.claim("another"),
    ]


async def when_back(store: S3Store, key: str) -> bytes:
    """Get it as soon as it can be got."""
    while True:
        try:
            return await store.get(key)
        except StorageUnavailable:
            await asyncio.sleep(0.1)


def client(swift: SwiftS3) -> Minio:
    """The client itself, for what a store does not do."""
    at = swift.endpoint.removeprefix("http://")
    return Minio(at, swift.access_key, swift.secret_key, secure=False, region=swift.region)
