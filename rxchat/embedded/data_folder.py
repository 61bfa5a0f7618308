"""The data folder: its creation, its lock for one supervisor at a time, and atomic writes."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from rxchat.embedded.errors import DataFolderInUse, EmbeddedError

# `is_held` takes the lock for a moment, which is not a second supervisor.
_LOCK_PATIENCE_SECONDS = 0.5


def create(data: Path) -> None:
    """Create the folder and its subfolders, private to their owner (root's lets the user of Postgres pass).

    Raises:
        EmbeddedError: if it cannot be created.
    """
    try:
        if not data.exists():
            data.mkdir(parents=True)
            data.chmod(0o711 if os.geteuid() == 0 else 0o700)
        for name in ("logs", "run"):
            (data / name).mkdir(mode=0o700, exist_ok=True)
        (data / "models").mkdir(exist_ok=True)
    except OSError as error:
        raise EmbeddedError(
            f"The data folder {data} cannot be used ({error.strerror}): set RXCHAT_DATA to a folder you may write to."
        ) from error


class DirectoryLock:
    """The lock of a data folder. The kernel releases it when the process ends."""

    def __init__(self, data: Path) -> None:
        """Take the lock, and write this process's ID into it for the error messages of others.

        Raises:
            DataFolderInUse: if another process has it.
        """
        # Opened for appending: truncation would delete the holder's process ID.
        self._file = (data / "lock").open("a+")
        (data / "lock").chmod(0o600)
        give_up_at = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not _try_lock(self._file, fcntl.LOCK_EX):
            if time.monotonic() > give_up_at:
                self._file.seek(0)
                holder = self._file.read().strip() or "unknown"
                self._file.close()
                raise DataFolderInUse(
                    f"Another RxChat (process {holder}) is running on {data}: stop it, or set RXCHAT_DATA to another folder."
                )
            time.sleep(0.02)
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Release the lock."""
        self._file.close()


def is_held(data: Path) -> bool:
    """Whether a running supervisor has the lock of the folder."""
    try:
        file = (data / "lock").open()
    except FileNotFoundError:
        return False
    with file:
        return not _try_lock(file, fcntl.LOCK_SH)


def _try_lock(file: IO[str], kind: int) -> bool:
    """Take the lock if it is free; returns whether it was."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, content: Mapping[str, Any] | str) -> None:
    """Write JSON or text to a private file, atomically and durably."""
    text = content if isinstance(content, str) else json.dumps(content, indent=2)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, or None if the file does not exist."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
