"""Buckets of every kind: shared by prefix, with keys of few rights, and on servers that know no newer checksums."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from rxchat.adapters.objects.keys import random_key
from rxchat.adapters.objects.s3 import S3Store
from tests.peers.canned_http import answer, canned_http, s3_error
from tests.peers.swift import SwiftS3

pytestmark = pytest.mark.anyio


@pytest.fixture
def bucket() -> str:
    """A bucket that is not there yet."""
    return f"files-{secrets.token_hex(4)}"


def store_at(swift: SwiftS3, bucket: str, **other: Any) -> S3Store:
    """A store in this bucket."""
    return S3Store(swift.endpoint, bucket, swift.access_key, swift.secret_key, **other)


@pytest.mark.parametrize("prefix", ["rxchat", "/rxchat/", "../", "a//", "a b/", "rxchat/?"])
async def test_a_prefix_is_names_with_a_slash_after_each(prefix: str) -> None:
    with pytest.raises(ValueError, match="S3_PREFIX"):
        S3Store("https://s3.example.org", "files", "key", "secret", prefix=prefix)


async def test_two_installations_share_a_bucket_by_their_prefixes(running_swift: SwiftS3, bucket: str) -> None:
    one, other = (store_at(running_swift, bucket, prefix=prefix) for prefix in ("one/", "one/deep/"))
    for store, name in ((one, "first"), (other, "second")):
        await store.claim(name)
        await store.ping()
    key, keys = random_key(), [random_key() for _ in range(3)]
    await one.put(key, b"one")
    for theirs in (key, *keys):
        await other.put(theirs, b"other")
    assert (await one.get(key), await other.get(key)) == (b"one", b"other")
    assert [entry.key async for entry in one.objects()] == [key]
    assert {entry.key async for entry in other.objects()} == {key, *keys}
    await other.delete([key, *keys])
    assert [entry.key async for entry in other.objects()] == [] and await one.get(key) == b"one"
    assert (await one.owner(), await other.owner()) == ("first", "second")
    plain = store_at(running_swift, bucket)
    assert await plain.owner() is None and [entry.key async for entry in plain.objects()] == []


async def test_a_key_that_may_use_nothing_but_its_prefix_is_enough() -> None:
    """Such a policy refuses questions about the bucket itself."""

    def within(head: str, _body: bytes) -> bytes:
        if "/files/team/" in head:
            return answer(204) if head.startswith("DELETE") else answer(200, ETag='"0"')
        return s3_error(403, "AccessDenied")

    with canned_http(within) as server:
        store = S3Store(server.endpoint, "files", "key", "secret", prefix="team/")
        await store.ping()
        await store.claim("this-installation")


async def test_requests_are_of_path_style_and_without_the_checksums_that_older_servers_reject() -> None:
    def old(head: str, _body: bytes) -> bytes:
        if head.startswith("POST"):
            return answer(200, b"<DeleteResult></DeleteResult>")
        return answer(200, ETag='"0"')

    with canned_http(old) as server:
        store = S3Store(server.endpoint, "files", "key", "secret")
        await store.put(random_key(), b"x")
        await store.get(random_key())
        await store.delete([random_key()])
    for (head, _), headers in zip(server.heard, server.headers, strict=True):
        assert head.split()[1].startswith("/files"), "the bucket is in the path"
        assert headers["host"] == f"127.0.0.1:{server.port}"
        assert not [
            name for name in headers if name.startswith(("x-amz-checksum", "x-amz-sdk-checksum", "x-amz-trailer"))
        ]
        # Nor a body in signed pieces, of which the checksum comes behind.
        assert "STREAMING" not in headers["x-amz-content-sha256"] and "aws-chunked" not in headers.get(
            "content-encoding", ""
        )
    # What S3 has wanted with batches from the beginning.
    assert "content-md5" in server.headers[-1]
