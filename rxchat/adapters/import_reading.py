"""Reads exports of conversations in sandboxed child processes: parsing 200 MB of JSON would stop a web process for seconds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.imports.conversation import ImportedConversation
from rxchat.domain.imports.report import FoundConversations, SkippedItem
from rxchat.domain.ports import ImportItem

# An isolated Python ignores the current folder and PYTHONPATH, so the package's folder is an argument.
_START = "import os, runpy, sys; os.nice(5); sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('rxchat.parsers.conversations', run_name='__main__')"
_HOME = str(Path(__file__).resolve().parents[2])
_LONGEST_FRAME = 100_000_000
_PATIENCE_SECONDS = 600
"""The child reads a whole file of a ZIP archive before it says what is in it."""
_FAILED = "The file could not be read to its end. It may be damaged: download the export again, or split it."
_INVALID = "It is no conversation in a form that RxChat knows."


class SandboxedImportReader:
    """Reads each export in a short-lived child process with minimal rights; see the ImportReader port."""

    async def read(self, file: BinaryIO) -> AsyncGenerator[ImportItem]:
        """Return what is in an export, one conversation at a time; the child waits until each was taken.

        Raises:
            DocumentUnreadable: if it cannot be read to its end.
        """
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, _HOME, str(os.getpid())),
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
            close_fds=True,
            start_new_session=True,
        )
        try:
            assert child.stdout is not None  # noqa: S101 - it is a pipe
            while (frame := await _frame(child.stdout)) != {"end": True}:
                if "failed" in frame:
                    raise DocumentUnreadable(str(frame["failed"])[:500])
                # A conversation of 10 MB takes a tenth of a second to check.
                yield await asyncio.to_thread(_item, frame)
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            # A killed child exits in a moment, and must be reaped even if this task is cancelled again.
            await asyncio.shield(asyncio.ensure_future(child.wait()))


async def _frame(stdout: asyncio.StreamReader) -> dict[str, Any]:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            length = int.from_bytes(await stdout.readexactly(4), "big")
            if length > _LONGEST_FRAME:
                raise DocumentUnreadable(_FAILED)
            frame = json.loads(await stdout.readexactly(length))
    except (asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
        raise DocumentUnreadable(_FAILED) from error
    if not isinstance(frame, dict):
        raise DocumentUnreadable(_FAILED)
    return frame


def _item(frame: dict[str, Any]) -> ImportItem:
    """Return the item of a frame, checked: the file may control the child."""
    try:
        if "found" in frame:
            return FoundConversations(min(max(0, int(frame["found"])), 1_000_000))
        if "refused" in frame:
            refused = frame["refused"]
            return SkippedItem(str(refused["title"])[:200], str(refused["reason"])[:500])
        return ImportedConversation.from_plain(frame["conversation"])
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        return SkippedItem("", _INVALID)
