"""A real S3 server for tests: OpenStack Swift with s3api and tempauth, in a temporary folder, gone with the tests.

It checks signatures, expiries and quotas, which the usual fakes of S3 do not. It needs extended attributes of the file
system, for what it knows of an object.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rxchat.embedded import process
from tests.ports import free_port

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0
_ROOM_BYTES = 1 << 30
_PARTS = ("account", "container", "object", "proxy")


@dataclass
class SwiftS3:
    """A Swift on a port of its own, with one user."""

    folder: Path
    access_key: str = "rxchat:files"
    secret_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    region: str = "us-east-1"
    ports: dict[str, int] = field(default_factory=lambda: {part: free_port() for part in _PARTS})
    _process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def endpoint(self) -> str:
        """Where it speaks S3."""
        return f"http://127.0.0.1:{self.ports['proxy']}"

    def start(self, full_disk: bool = False) -> None:
        """Run it with what its folder holds, and wait until it answers; on a full disk, if asked for."""
        if self._process is not None:
            return
        known = {"access_key": self.access_key, "secret_key": self.secret_key, "hash": "rxchat-tests"}
        (self.folder / "secrets.json").write_text(json.dumps(known))
        command = [sys.executable, "-m", "tests.peers.swift_server", str(self.folder), json.dumps(self.ports)]
        with (self.folder / "log").open("a") as log:
            self._process = subprocess.Popen(
                [*command, *(["full-disk"] if full_disk else [])],
                cwd=_ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=process.before_exec(signal.SIGKILL),  # noqa: PLW1509 - one prctl
            )
        assert self._process.stdout is not None
        said = select.select([self._process.stdout], [], [], _START_SECONDS)[0] and self._process.stdout.readline()
        assert said == "ready\n", f"swift did not start: {self.log()}"

    def stop(self) -> None:
        """Be gone at once, frozen or not."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def freeze(self) -> None:
        """Accept connections without answers, until the process is resumed."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Go on."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def limit(self, bucket: str, size_bytes: int | None) -> None:
        """Give the bucket a quota, or none.

        The container server is told, past the proxy: tempauth's tokens, with which Swift's users say it, need a memcached.
        """
        line = http.client.HTTPConnection("127.0.0.1", self.ports["container"], timeout=10)
        account = f"AUTH_{self.access_key.partition(':')[0]}"
        quota = "" if size_bytes is None else str(size_bytes)
        headers = {"X-Timestamp": f"{time.time():016.5f}", "X-Container-Meta-Quota-Bytes": quota}
        line.request("POST", f"/d1/0/{account}/{bucket}", headers=headers)
        assert (status := line.getresponse().status) == 204, status
        line.close()

    def log(self) -> str:
        """What it complained about."""
        return (self.folder / "log").read_text()


def _folder_with_attributes() -> Path:
    """A temporary folder whose file system has extended attributes; without one, the test is skipped."""
    # In memory it is twice as fast, where there is enough of that (a container's /dev/shm is often 64 MB).
    shared = Path("/dev/shm")
    has_room = os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > _ROOM_BYTES
    for parent in (shared, None) if has_room else (None,):
        folder = Path(tempfile.mkdtemp(prefix="rxchat-swift-", dir=parent))
        try:
            os.setxattr(folder, "user.rxchat", b"1" * 1024)
        except OSError:
            folder.rmdir()
        else:
            return folder
    pytest.skip("no file system here has user extended attributes, which Swift needs")


@contextmanager
def swift_s3() -> Iterator[SwiftS3]:
    """Run Swift while the context is open."""
    found = SwiftS3(_folder_with_attributes())
    try:
        found.start()
        yield found
    finally:
        found.stop()
        shutil.rmtree(found.folder, ignore_errors=True)
