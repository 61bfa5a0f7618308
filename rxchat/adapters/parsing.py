"""Parsers in processes of their own: whatever a document does to its parser, only that document fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from pathlib import Path

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits, wire
from rxchat.parsers.formats import Format, format_of

# An isolated Python knows neither the current folder nor PYTHONPATH, so it is told where the package is.
_START = (
    "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('rxchat.parsers', run_name='__main__')"
)
_HOME = str(Path(__file__).resolve().parents[2])
_READ_BYTES = 1 << 18
# A child that has closed its output has nothing left to do.
_LAST_SECONDS = 10
_SPLIT = "Save it anew or split it, and try again."


class IsolatedParser:
    """The parser of documents: a short-lived child for each, with hardly any rights, and only a few at once.

    A document is streamed to its child and never touches a disk; what comes back is checked before it is believed.
    """

    def __init__(
        self,
        *,
        at_once: int = 2,
        wall_seconds: float = 120,
        cpu_seconds: int = limits.CPU_SECONDS,
        memory_bytes: int = limits.MEMORY_BYTES,
    ) -> None:
        """Take the limits of each child, and how many there may be."""
        self._turns = asyncio.Semaphore(at_once)
        self._wall_seconds = wall_seconds
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes

    async def parse(self, name: str, media_type: str, content: AsyncIterable[bytes]) -> ParsedDocument:
        """Return what a file says; what fails while its content is fetched is raised as it is.

        Raises:
            DocumentUnreadable: with the reason, for the person who uploaded it.
        """
        async with self._turns:
            pieces = aiter(content)
            head = await _head(pieces)
            format_ = format_of(name, head[: limits.HEAD_BYTES], media_type)
            async with self._child(format_) as child:
                answer = await self._answer(child, head, pieces)
                await self._exit(child)
        try:
            return await asyncio.to_thread(wire.decode, answer)
        except wire.Garbled as error:
            raise DocumentUnreadable(f"This file broke the program that reads it. {_SPLIT}") from error

    @contextlib.asynccontextmanager
    async def _child(self, format_: Format) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Run a child; it is gone when the context ends, however that is."""
        limits_of_child = (str(self._cpu_seconds), str(self._memory_bytes))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, _HOME),
            *(format_.kind.value, format_.suffix, str(os.getpid()), *limits_of_child),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
            close_fds=True,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            # Killed, it is gone in a moment, and somebody has to take note of it even when we are cancelled again.
            await asyncio.shield(_end_of(child))

    async def _answer(self, child: asyncio.subprocess.Process, head: bytes, pieces: AsyncIterator[bytes]) -> bytes:
        """Hand the document to a child and return what it says."""
        stdin, stdout = _pipes(child)
        feeding = asyncio.create_task(self._feed(stdin, head, pieces))
        reading = asyncio.create_task(_read(stdout))
        try:
            # A child that answers, or ends, before it has read all will not read the rest.
            await asyncio.wait({feeding, reading}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await feeding
            async with self._in_time():
                return await reading
        finally:
            feeding.cancel()
            reading.cancel()
            await asyncio.gather(feeding, reading, return_exceptions=True)

    async def _feed(self, stdin: asyncio.StreamWriter, head: bytes, pieces: AsyncIterator[bytes]) -> None:
        """Write the document; where it comes from has time limits of its own, so only the child is timed."""
        sent = len(head)
        is_listening = await self._send(stdin, head)
        async for piece in pieces:
            sent += len(piece)
            if sent > limits.FILE_BYTES:
                raise DocumentUnreadable(
                    f"This file is larger than {limits.FILE_BYTES // 1_000_000} MB: split it and try again."
                )
            if not is_listening:
                return
            is_listening = await self._send(stdin, piece)
        stdin.close()

    async def _send(self, stdin: asyncio.StreamWriter, piece: bytes) -> bool:
        """Write a piece; says whether the child listens: one that has ended has its reasons, which its answer tells."""
        try:
            stdin.write(piece)
            async with self._in_time():
                await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncGenerator[None]:
        """Give a child up when it takes too long over what is done in this context."""
        try:
            async with asyncio.timeout(self._wall_seconds):
                yield
        except TimeoutError as error:
            raise DocumentUnreadable(
                f"This file takes more than {self._wall_seconds:.0f} seconds to read; it was given up. {_SPLIT}"
            ) from error

    async def _exit(self, child: asyncio.subprocess.Process) -> None:
        """Wait for the end of a child that has said all.

        Raises:
            DocumentUnreadable: when it did not end well.
        """
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                code = await child.wait()
        except TimeoutError as error:
            raise DocumentUnreadable(f"This file broke the program that reads it. {_SPLIT}") from error
        if code == 0:
            return
        # The kernel sends the first when the limit on processor time is reached, and the second when memory runs out.
        match -code:
            case signal.SIGXCPU:
                reason = f"This file needs more than {self._cpu_seconds} seconds of work to read; it was given up."
            case signal.SIGKILL:
                reason = "This file needs more work or memory to read than RxChat gives to one file."
            case _:
                reason = "This file broke the program that reads it: it is damaged, or far too large."
        raise DocumentUnreadable(f"{reason} {_SPLIT}")


async def _end_of(child: asyncio.subprocess.Process) -> None:
    """Wait until a child that was killed is gone."""
    _, stdout = _pipes(child)
    # The end of a child is not seen before that of its output, which nobody reads any more.
    while await stdout.read(_READ_BYTES):
        pass
    await child.wait()


def _pipes(child: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Return how to write to a child, and how to read what it writes."""
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("a child was started without its pipes")
    return child.stdin, child.stdout


async def _head(pieces: AsyncIterator[bytes]) -> bytes:
    """Return the first pieces: as many as it takes to tell what a file is."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= limits.HEAD_BYTES:
            break
    return head


async def _read(stdout: asyncio.StreamReader) -> bytes:
    """Return all that a child writes.

    Raises:
        DocumentUnreadable: when it is more than any document makes.
    """
    answer = bytearray()
    while piece := await stdout.read(_READ_BYTES):
        answer += piece
        if len(answer) > wire.MOST_BYTES:
            raise DocumentUnreadable(f"This file broke the program that reads it. {_SPLIT}")
    return bytes(answer)
