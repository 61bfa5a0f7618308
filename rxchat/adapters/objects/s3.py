"""An S3 bucket as the ObjectStore port, with the minio client in threads.

The client waits for a server that does not respond; a breaker limits that wait to one call every few seconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

import anyio
import structlog
from anyio import to_thread
from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error
from urllib3.exceptions import HTTPError, MaxRetryError

from rxchat.adapters.breaker import Breaker
from rxchat.adapters.objects import s3_errors
from rxchat.adapters.objects.keys import checked, is_key, random_key
from rxchat.adapters.objects.s3_pool import has_waited, lines
from rxchat.domain.errors import ObjectMissing, StorageError, StorageUnavailable
from rxchat.domain.ports import StoredObject

log = structlog.get_logger(__name__)

T = TypeVar("T")

_THREADS = 16
_READ_SECONDS = 20.0
_REST_SECONDS = 2.0
_PART_BYTES = 5 << 20
"""The smallest part that S3 allows; larger objects are uploaded in parts of this size."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9._-]*/){1,8}")
_MARKER = "rxchat-installation"
"""The object that names the bucket's owner; it has not the form of a key, so `objects` never returns it."""
_PAGE = 1000
"""The most objects that S3 lists or deletes in a request."""


class S3Store:
    """Stores objects in a bucket, which may also contain other programs' objects."""

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        region: str = "us-east-1",
        read_seconds: float = _READ_SECONDS,
        prefix: str = "",
    ) -> None:
        """Create the client, which connects at its first call. `prefix` comes before all keys in the bucket.

        Raises:
            ValueError: if the endpoint is not like https://s3.example.org, or bucket, region or prefix is no valid name.
        """
        if not _BUCKET.fullmatch(bucket):
            raise ValueError(
                "an S3 bucket has a name of 3 to 63 lower-case letters, digits, dots and hyphens (a path in it is S3_PREFIX)"
            )
        if prefix and not _PREFIX.fullmatch(prefix):
            raise ValueError("S3_PREFIX is like rxchat/ or backup/rxchat/: names with a slash after each")
        at = urlsplit(endpoint)
        if at.scheme not in {"http", "https"} or not at.hostname or "@" in at.netloc or at.path.strip("/") or at.query:
            raise ValueError("an S3 endpoint is http:// or https:// and a host, perhaps with a port, and nothing else")
        self._endpoint, self._bucket, self._region = f"{at.scheme}://{at.netloc}", bucket, region
        self._prefix = prefix
        self._lines = lines(_THREADS, read_seconds)
        self._client = Minio(
            at.netloc, access_key, secret_key, secure=at.scheme == "https", region=region, http_client=self._lines
        )
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._breaker = Breaker(_REST_SECONDS)
        self._deletes_in_batches = True

    def __repr__(self) -> str:
        """Return the endpoint and bucket without the credentials."""
        return f"S3Store({self._endpoint!r}, {self._bucket!r}, prefix={self._prefix!r})"

    async def owner(self) -> str | None:
        """Return the ID of the instance that owns the bucket, or None; None if the bucket does not exist."""
        return await self._in_thread(self._owner)

    async def claim(self, owner: str) -> None:
        """Write the bucket's owner into it; creates a missing bucket, if the credentials allow it."""
        await self._in_thread(self._have_bucket)
        await self._in_thread(partial(self._put, _MARKER, owner.encode()))

    async def put(self, key: str, data: bytes) -> None:
        """Store an object; replaces an existing one."""
        await self._in_thread(partial(self._put, checked(key), data))

    async def get(self, key: str) -> bytes:
        """Return the content of an object."""
        return await self._in_thread(partial(self._get, checked(key)))

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, in batches if the server supports them."""
        for key in keys:
            checked(key)
        for first in range(0, len(keys), _PAGE):
            await self._delete(keys[first : first + _PAGE])

    async def objects(self) -> AsyncGenerator[StoredObject]:
        """Yield all objects with the form of RxChat's keys, a page at a time; ignores other programs' objects."""
        found = self._client.list_objects(self._bucket, self._prefix or None, recursive=True)
        while page := await self._in_thread(lambda: list(islice(found, _PAGE))):
            for entry in page:
                if (kept := self._stored(entry)) is not None:
                    yield kept

    async def ping(self) -> None:
        """Write and remove a small object; creates a missing bucket, if the credentials allow it."""
        await self._in_thread(self._have_bucket)
        key = random_key()
        # If it is not removed, the garbage collector deletes it, since no row refers to it.
        await self.put(key, b"RxChat was here.")
        await self.delete([key])

    async def aclose(self) -> None:
        """Close the connections."""
        self._lines.clear()

    def _stored(self, entry: Object) -> StoredObject | None:
        name, size, modified_at = entry.object_name or "", entry.size, entry.last_modified
        key = name.removeprefix(self._prefix)
        if size is None or modified_at is None or not name.startswith(self._prefix) or not is_key(key):
            return None
        return StoredObject(key, size, modified_at)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        # A caller that gives up does not wait for a server that hangs; an object in the writing is complete or missing.
        return await to_thread.run_sync(partial(self._attempt, work), limiter=self._threads, abandon_on_cancel=True)

    def _attempt(self, work: Callable[[], T]) -> T:
        """Call S3 in this thread, and map each failure to a StorageError."""
        # Here rather than before the wait for a thread: another call may have failed meanwhile.
        if not self._breaker.admits():
            raise StorageUnavailable
        try:
            found = work()
        except HTTPError as error:
            raise self._unanswered(error) from error
        except OSError as error:
            raise self._failed(StorageUnavailable(), error) from error
        except MinioException as error:
            self._answered()
            raise self._failed(s3_errors.from_answer(error), error) from error
        except (ParseError, TypeError, ValueError) as error:
            raise self._failed(s3_errors.not_s3(), error) from error
        self._answered()
        return found

    def _unanswered(self, error: HTTPError) -> StorageError:
        meant = s3_errors.from_silence(error)
        # A connection that broke during a transfer does not mean that the server is unavailable.
        is_gone = isinstance(error, MaxRetryError) or has_waited(error)
        if is_gone and isinstance(meant, StorageUnavailable):
            if self._breaker.failed():
                log.warning("the file store does not respond", endpoint=self._endpoint, error=str(error))
            meant.detail = f"{self._endpoint}: {s3_errors.said(error)}"
            return meant
        return self._failed(meant, error)

    def _failed(self, meant: StorageError, error: Exception) -> StorageError:
        """Add the server's message to an error, for the log and administrators."""
        said = s3_errors.said(error)
        log.warning("the file store failed", endpoint=self._endpoint, code=meant.code, reason=said)
        meant.detail = f"{self._endpoint}: {said}"
        return meant

    def _answered(self) -> None:
        if self._breaker.succeeded():
            log.info("the file store responds again", endpoint=self._endpoint)

    def _owner(self) -> str | None:
        try:
            return self._get(_MARKER).decode(errors="replace").strip()
        except S3Error as error:
            if error.code == "NoSuchBucket" or isinstance(s3_errors.from_answer(error), ObjectMissing):
                return None
            raise

    def _put(self, key: str, data: bytes) -> None:
        kept = self._client.put_object(
            self._bucket, self._prefix + key, io.BytesIO(data), len(data), part_size=_PART_BYTES, num_parallel_uploads=1
        )
        # A captive portal answers 200 to every request; S3 always returns the stored object's ETag.
        if not kept.etag:
            raise s3_errors.not_s3()

    def _get(self, key: str) -> bytes:
        response = self._client.get_object(self._bucket, self._prefix + key)
        try:
            if "ETag" not in response.headers:
                raise s3_errors.not_s3()
            return response.read()
        finally:
            response.close()
            response.release_conn()

    async def _delete(self, keys: Sequence[str]) -> None:
        if self._deletes_in_batches:
            try:
                refused = await self._in_thread(partial(self._delete_batch, keys))
            except StorageError as error:
                if type(error) is not StorageError:
                    raise
                # Not every server supports batches or their checksums. All support single deletes, whose error shows
                # the actual cause if it is another one.
                log.info("the file store does not support deleting in batches", error=str(error.__cause__))
            else:
                if refused is not None:
                    raise refused
                return
        for key in keys:
            await self._in_thread(partial(self._delete_one, key))
        self._deletes_in_batches = False

    def _delete_batch(self, keys: Sequence[str]) -> StorageError | None:
        """Delete as many as possible; return why one could not be deleted."""
        for error in self._client.remove_objects(self._bucket, [DeleteObject(self._prefix + key) for key in keys]):
            meant = s3_errors.from_code(error.code or "")
            if not isinstance(meant, ObjectMissing):
                return self._failed(meant, MinioException(f"{error.code}: {error.message}"))
        return None

    def _delete_one(self, key: str) -> None:
        try:
            self._client.remove_object(self._bucket, self._prefix + key)
        except S3Error as error:
            if not isinstance(s3_errors.from_answer(error), ObjectMissing):
                raise

    def _have_bucket(self) -> None:
        try:
            if self._client.bucket_exists(self._bucket):
                return
        except S3Error as error:
            if error.code != "AccessDenied":
                raise
            # Credentials limited to a prefix may not check the bucket; the next operation shows whether they suffice.
            return
        try:
            self._client.make_bucket(self._bucket, self._region)
        except S3Error as error:
            # Another process may have created it at the same time.
            if error.code != "BucketAlreadyOwnedByYou":
                raise
