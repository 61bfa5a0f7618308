"""A folder as the ObjectStore port: a file for each object, in one of 256 folders below.

An object is written to a temporary file, synced, and renamed, so that a power failure never leaves a partial object.
A crash leaves a temporary file: `objects` never returns one, and removes those that are too old to be in use.

A separate file names the owner. A folder without it is not touched: it may be the mount point of an unmounted disk.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread

from rxchat.adapters.objects.keys import NAME, SHARD, checked
from rxchat.domain.errors import ObjectMissing, StorageError, StorageFull, StorageUnavailable
from rxchat.domain.ports import StoredObject

T = TypeVar("T")

_THREADS = 8
_PREFIX, _SUFFIX = ".", ".tmp"
_MARKER = ".rxchat"
_OLD_SECONDS = 3600.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# The folder is on a disk that is not mounted, or on a server that does not respond.
_AWAY = {errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTCONN, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_FORBIDDEN_MESSAGE = "RxChat may not write to its file folder. An administrator has to check its permissions."
_NOT_MOUNTED = (
    "The file folder is not that of this installation. An administrator has to check that its disk is mounted."
)


class FolderStore:
    """Stores objects in a folder that only RxChat uses; its parent must exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def owner(self) -> str | None:
        """Return the ID of the instance that owns the folder, or None."""
        return await self._in_thread(self._owner)

    async def claim(self, owner: str) -> None:
        """Create the folder, and write its owner into it."""
        await self._in_thread(partial(self._claim, owner))

    async def put(self, key: str, data: bytes) -> None:
        """Store an object durably; replaces an existing one."""
        path = self._path(key)
        await self._in_thread(partial(self._put, path, data))

    async def get(self, key: str) -> bytes:
        """Return the content of an object."""
        path = self._path(key)
        return await self._in_thread(partial(self._get, path))

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects. The garbage collector deletes one that a power failure restores."""
        paths = [self._path(key) for key in keys]
        await self._in_thread(partial(self._delete, paths))

    async def objects(self) -> AsyncGenerator[StoredObject]:
        """Yield all objects, one of the 256 folders at a time, and remove temporary files older than an hour."""
        for shard in await self._in_thread(self._shards):
            for found in await self._in_thread(partial(_objects_in, shard)):
                yield found

    async def ping(self) -> None:
        """Write and remove a small file; in the parent folder until the folder exists."""
        await self._in_thread(self._ping)

    async def aclose(self) -> None:
        """Do nothing: no file is open between calls."""

    def _path(self, key: str) -> Path:
        return self._folder / checked(key)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        def mapped() -> T:
            with _as_store_errors():
                return work()

        # A caller that gives up does not wait for a disk that hangs; an object in the writing is complete or missing.
        return await to_thread.run_sync(mapped, limiter=self._threads, abandon_on_cancel=True)

    def _owner(self) -> str | None:
        try:
            return (self._folder / _MARKER).read_text(encoding="utf-8", errors="replace").strip()
        except FileNotFoundError:
            if self._folder.parent.is_dir():
                return None
            raise

    def _claim(self, owner: str) -> None:
        _make(self._folder)
        with _temporary(self._folder, owner.encode()) as temporary:
            temporary.replace(self._folder / _MARKER)
        _sync(self._folder)

    def _check(self) -> None:
        if not (self._folder / _MARKER).is_file():
            raise StorageUnavailable(_NOT_MOUNTED)

    def _put(self, path: Path, data: bytes) -> None:
        self._check()
        _make(path.parent)
        with _temporary(path.parent, data) as temporary:
            temporary.replace(path)
        _sync(path.parent)

    def _get(self, path: Path) -> bytes:
        self._check()
        try:
            # RxChat never creates symbolic links here.
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            # If the disk was unmounted meanwhile, the object is not lost.
            self._check()
            raise ObjectMissing from None
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def _delete(self, paths: Sequence[Path]) -> None:
        self._check()
        for path in paths:
            path.unlink(missing_ok=True)

    def _ping(self) -> None:
        with _temporary(self._folder if self._folder.exists() else self._folder.parent, b"RxChat was here."):
            pass

    def _shards(self) -> list[Path]:
        self._check()
        shards = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if SHARD.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    shards.append(Path(entry.path))
                elif _is_temporary(entry.name):
                    _remove_when_old(entry)
        return shards


@contextmanager
def _as_store_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull from error
        if error.errno in _AWAY:
            raise StorageUnavailable from error
        raise StorageError(_FORBIDDEN_MESSAGE if error.errno in _FORBIDDEN else None) from error


@contextmanager
def _temporary(folder: Path, data: bytes) -> Iterator[Path]:
    """Yield a synced file with these bytes; removes it at the end unless the caller has moved it."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=_PREFIX, suffix=_SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _make(folder: Path) -> None:
    # Never its parents: if they are missing, a disk is not mounted.
    if not folder.is_dir():
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    """Sync a folder, so that the names in it survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _objects_in(shard: Path) -> list[StoredObject]:
    found = []
    with os.scandir(shard) as entries:
        for entry in entries:
            if _is_temporary(entry.name):
                _remove_when_old(entry)
            elif NAME.fullmatch(entry.name):
                # Another process may have deleted it since.
                with suppress(FileNotFoundError):
                    about = entry.stat(follow_symlinks=False)
                    modified_at = datetime.fromtimestamp(about.st_mtime, UTC)
                    found.append(StoredObject(f"{shard.name}/{entry.name}", about.st_size, modified_at))
    return found


def _is_temporary(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def _remove_when_old(entry: os.DirEntry[str]) -> None:
    # Its writer may have renamed it just now.
    with suppress(FileNotFoundError):
        if entry.stat(follow_symlinks=False).st_mtime < time.time() - _OLD_SECONDS:
            Path(entry.path).unlink()
