"""The data folder: made, held by one supervisor at a time, and written to without half-written files."""

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

# Whoever asks whether the folder is held takes the lock for a moment; that is not a second supervisor.
_LOCK_PATIENCE_SECONDS = 0.5


def create(data: Path) -> None:
    """Make the folder and those in it, closed to others (root's lets Postgres' user pass through).

    Raises:
        EmbeddedError: it cannot be made.
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
    """The right to run on a data folder; it ends with the process, whatever becomes of that."""

    def __init__(self, data: Path) -> None:
        """Take the lock and leave our process id for the message that others get.

        Raises:
            DataFolderInUse: another process has it.
        """
        # Appending, since truncating would wipe the holder's process id.
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
        """Let another supervisor have the folder."""
        self._file.close()


def is_held(data: Path) -> bool:
    """Whether a live supervisor holds the folder."""
    try:
        file = (data / "lock").open()
    except FileNotFoundError:
        return False
    with file:
        return not _try_lock(file, fcntl.LOCK_SH)


def _try_lock(file: IO[str], kind: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_private(path: Path, content: Mapping[str, Any] | str) -> None:
    """Write JSON or text that only we may read, whole or not at all, and durably."""
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
    """A JSON object from a file, None when there is none."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None
    return content if isinstance(content, dict) else None
