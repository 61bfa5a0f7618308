"""Objects in a folder: crashes, full and read-only disks, and what does not belong there."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path

import anyio
import pytest

from rxchat.adapters.objects.folder import FolderStore
from rxchat.adapters.objects.keys import random_key
from rxchat.domain.errors import StorageError, StorageFull, StorageUnavailable
from rxchat.embedded import process

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
KEYS = [f"ab/abcdef{number:02x}" for number in range(4)]
SIZE = 2_000_000
# Puts whole objects, each of one byte over and over, until it is killed.
PUTTING = f"""
import asyncio, itertools, sys
from pathlib import Path
from rxchat.adapters.objects.folder import FolderStore

async def main():
    store = FolderStore(Path(sys.argv[1]))
    for number in itertools.count():
        keys = {KEYS!r}
        await asyncio.gather(*(store.put(key, bytes([number % 256]) * {SIZE}) for key in keys))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.fixture
async def store(tmp_path: Path) -> FolderStore:
    """A folder that is somebody's, and empty."""
    found = FolderStore(tmp_path / "objects")
    await found.claim("this-installation")
    return found


def mounted(folder: Path, options: str) -> None:
    """Mount a small disk in memory there, or skip the test."""
    said = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if said.returncode:
        pytest.skip(f"only root can mount a small disk: {said.stderr.strip()}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted(folder, "size=1m")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that is ours and that nobody may write to, not even root."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() == 0:
        mounted(folder, "size=1m")
        (folder / ".rxchat").write_text("this-installation")
        mounted(folder, "remount,ro,size=1m")
        yield folder
        subprocess.run(["umount", str(folder)], check=True)
    else:
        (folder / ".rxchat").write_text("this-installation")
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)


async def test_only_this_user_can_read_what_is_stored(store: FolderStore, tmp_path: Path) -> None:
    await store.put("ab/abcdef01", b"x")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "objects").rglob("*")}
    assert modes == {"ab": 0o700, "abcdef01": 0o600, ".rxchat": 0o600}
    assert (tmp_path / "objects").stat().st_mode & 0o777 == 0o700


async def test_a_crash_leaves_only_whole_objects(store: FolderStore, tmp_path: Path) -> None:
    for _ in range(6):
        putting = subprocess.Popen(
            [sys.executable, "-c", PUTTING, str(tmp_path / "objects")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            preexec_fn=process.before_exec(signal.SIGKILL),  # noqa: PLW1509 - one prctl
        )
        assert putting.stdout is not None
        assert putting.stdout.readline() == b"0\n"
        time.sleep(random.uniform(0, 0.1))
        putting.kill()
        putting.wait()
        putting.stdout.close()
        found = [entry async for entry in store.objects()]
        assert sorted(entry.key for entry in found) == KEYS
        for entry in found:
            data = await store.get(entry.key)
            assert len(data) == entry.size_bytes == SIZE and data == data[:1] * SIZE


async def test_what_a_crash_left_is_removed_when_it_is_old(store: FolderStore, tmp_path: Path) -> None:
    await store.put("ab/abcdef01", b"x")
    folder = tmp_path / "objects"
    left = [folder / ".young.tmp", folder / "ab" / ".young.tmp", folder / ".old.tmp", folder / "ab" / ".old.tmp"]
    for path in left:
        path.write_bytes(b"half")
    for path in left[2:]:
        os.utime(path, (time.time() - 3700, time.time() - 3700))
    assert [entry.key async for entry in store.objects()] == ["ab/abcdef01"]
    assert [path.exists() for path in left] == [True, True, False, False]


async def test_what_does_not_belong_there_is_left_alone(store: FolderStore, tmp_path: Path) -> None:
    await store.put("ab/abcdef01", b"x")
    folder = tmp_path / "objects"
    (folder / "lost+found").mkdir()
    strange = [folder / "README", folder / "ab" / "README", folder / "lost+found" / "abcdef02"]
    for path in strange:
        path.write_text("not ours")
    (folder / "cd").symlink_to(folder / "ab")
    assert [entry.key async for entry in store.objects()] == ["ab/abcdef01"]
    assert all(path.read_text() == "not ours" for path in strange)


async def test_no_link_is_followed(store: FolderStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    await store.put("ab/abcdef01", b"x")
    (tmp_path / "objects" / "ab" / "abcdef02").symlink_to(secret)
    with pytest.raises(StorageError):
        await store.get("ab/abcdef02")
    await store.put("ab/abcdef02", b"replaced")
    assert await store.get("ab/abcdef02") == b"replaced" and secret.read_text() == "secret"


async def test_a_full_disk_is_full_and_keeps_what_it_has(small_disk: Path) -> None:
    store = FolderStore(small_disk / "objects")
    await store.claim("this-installation")
    await store.put(KEYS[0], b"a" * 600_000)
    with pytest.raises(StorageFull):
        await store.put(KEYS[1], b"b" * 600_000)
    with pytest.raises(StorageFull):
        await store.put(KEYS[0], b"c" * 600_000)
    assert await store.get(KEYS[0]) == b"a" * 600_000
    assert [path.name for path in (small_disk / "objects").glob("*/*") if path.is_file()] == ["abcdef00"]
    await store.delete([KEYS[0]])
    await store.put(KEYS[1], b"b" * 600_000)
    await store.put(KEYS[2], b"c" * 300_000)
    (small_disk / "filler").write_bytes(b"x" * (os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize))
    with pytest.raises(StorageFull):
        await store.ping()


async def test_a_limit_of_this_process_means_full_too(store: FolderStore, tmp_path: Path) -> None:
    assert store
    trying = (
        "import asyncio, sys; from pathlib import Path; from rxchat.adapters.objects.folder import FolderStore\n"
        f"asyncio.run(FolderStore(Path(sys.argv[1])).put({KEYS[0]!r}, b'x' * 100_000))"
    )
    said = subprocess.run(
        [sys.executable, "-c", trying, str(tmp_path / "objects")],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    assert "StorageFull" in said.stderr.splitlines()[-1]
    assert [path for path in (tmp_path / "objects").glob("*/*") if path.is_file()] == []


async def test_a_folder_that_cannot_be_written_says_so(read_only: Path) -> None:
    store = FolderStore(read_only)
    for trying in (store.put(random_key(), b"x"), store.ping(), store.claim("another")):
        with pytest.raises(StorageError, match="permissions") as caught:
            await trying
        assert type(caught.value) is StorageError


async def test_a_disk_that_is_not_there_is_away_and_nothing_is_lost(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "not-mounted" / "objects")
    for trying in (*everything(store), store.ping(), store.owner(), store.claim("this-installation")):
        with pytest.raises(StorageUnavailable):
            await trying
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_whose_disk_is_not_mounted_is_away_and_never_made_anew(
    store: FolderStore, tmp_path: Path
) -> None:
    folder, disk = tmp_path / "objects", tmp_path / "disk"
    await store.put(KEYS[0], b"x")
    folder.rename(disk)
    for is_mount_point in (False, True):
        if is_mount_point:
            folder.mkdir()
        for trying in everything(store):
            with pytest.raises(StorageUnavailable, match="mounted"):
                await trying
        await store.ping()
        assert await store.owner() is None
    assert list(folder.iterdir()) == []
    folder.rmdir()
    disk.rename(folder)
    assert await store.get(KEYS[0]) == b"x"


def everything(store: FolderStore) -> list[Coroutine[None, None, object]]:
    """All that is done with objects."""

    async def objects() -> None:
        await anext(store.objects())

    return [store.put(KEYS[0], b"x"), store.get(KEYS[0]), store.delete(KEYS[:1]), objects()]


async def test_who_gives_up_does_not_wait_and_leaves_nothing_half(store: FolderStore, tmp_path: Path) -> None:
    data = b"x" * 50_000_000
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.put, KEYS[0], data)
            while not list((tmp_path / "objects").glob("ab/*")):
                await anyio.sleep(0)
            tasks.cancel_scope.cancel()
        while not (found := [entry.size_bytes async for entry in store.objects()]):
            await anyio.sleep(0.05)
    assert found == [len(data)]
