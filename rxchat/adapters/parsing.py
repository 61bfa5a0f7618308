"""Runs parsers in sandboxed child processes, so that a malicious or broken document affects no other."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import structlog

from rxchat.domain.documents import DETECTED, AttachedFile, ParsedDocument, Reading, RecognizedPage
from rxchat.domain.errors import DocumentUnreadable, TooMuchWork
from rxchat.domain.ports import OnProgress
from rxchat.parsers import limits, protocol, sandbox
from rxchat.parsers.formats import FormatKind, format_of, read_as

log = structlog.get_logger(__name__)

# An isolated Python ignores the current folder and PYTHONPATH, so the package's folder is an argument.
_START = "import os, runpy, sys; os.nice(int(sys.argv.pop(1))); sys.path.insert(0, sys.argv.pop(1)); runpy.run_module('rxchat.parsers', run_name='__main__')"
_HOME = str(Path(__file__).resolve().parents[2])
_READ_BYTES = 1 << 18
_LONGEST_SECONDS = 2 * limits.RECOGNISING_CPU_SECONDS
_PROGRESS = re.compile(rb"(\d{1,6}) (\d{1,6})(?: (.*))?")
# A core for each child is enough; and a child may start no threads if its user may start no processes.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# Parsing may take minutes, and must not slow down the answers that users wait for.
_NICENESS = 5
# A child that has closed its output should exit at once.
_LAST_SECONDS = 10
PICTURE_TYPES = frozenset({"image/jpeg", "image/png"})
"""What pictures are made into."""
_SPLIT = "Save it again or split it, and try again."


class SandboxedParser:
    """Parses each document in a short-lived child process with minimal rights; limits the number of children.

    A document is streamed to its child and never written to a disk; the child's answer is validated.
    """

    def __init__(
        self,
        *,
        at_once: int = 2,
        wall_seconds: float = 120,
        cpu_seconds: int = limits.CPU_SECONDS,
        memory_bytes: int = limits.MEMORY_BYTES,
        niceness: int = _NICENESS,
    ) -> None:
        """Limit each child, and the number of children (`at_once`)."""
        self._turns = asyncio.Semaphore(at_once)
        self._recognising = asyncio.Semaphore(1)
        self.missing_barriers: frozenset[str] | None = None
        """The sandbox's barriers that this system does not support; None before the first document."""
        self._wall_seconds = wall_seconds
        self._cpu_seconds = cpu_seconds
        self._memory_bytes = memory_bytes
        self._niceness = niceness

    @property
    def can_recognise(self) -> bool:
        """Whether OCR is available; see the DocumentParser port."""
        return find_spec("rapidocr") is not None and find_spec("onnxruntime") is not None

    async def parse(
        self, name: str, media_type: str, content: AsyncIterable[bytes], reading: Reading = DETECTED
    ) -> ParsedDocument:
        """Return the text of a file. Errors of `content` are raised unchanged.

        Raises:
            NoTextLayer: if it contains no text, but images that may show some.
            DocumentUnreadable: with the reason, for the user who uploaded it.
        """
        async with self._turns:
            pieces = aiter(content)
            head = await _head(pieces)
            format_ = read_as(format_of(name, head[: limits.HEAD_BYTES], media_type), reading.reader)
            allowed = sandbox.Limits(self._cpu_seconds, self._memory_bytes)
            async with self._child(format_.kind, format_.suffix, allowed, reading.encoding) as child:
                parsed = await self._said(child, allowed.cpu_seconds, head, pieces)
            return replace(parsed, reader=format_.kind.value)

    async def attached_files(self, name: str, media_type: str, content: AsyncIterable[bytes]) -> Sequence[AttachedFile]:
        """Return the files attached to a mail; see the DocumentParser port."""
        async with self._turns:
            pieces = aiter(content)
            head = await _head(pieces)
            suffix = format_of(name, head[: limits.HEAD_BYTES], media_type).suffix
            return await self._files(FormatKind.MAIL_FILES, suffix, head, pieces)

    async def picture(self, content: AsyncIterable[bytes]) -> AttachedFile:
        """Return a picture upright, smaller and without metadata, with its media type as the name.

        Raises:
            DocumentUnreadable: when it is damaged or too large.
        """
        async with self._turns:
            pieces = aiter(content)
            found = await self._files(FormatKind.PICTURE, "", await _head(pieces), pieces)
        if len(found) != 1 or found[0].name not in PICTURE_TYPES:
            raise DocumentUnreadable(f"The parser failed on this file. {_SPLIT}")
        return found[0]

    async def _files(
        self, kind: FormatKind, suffix: str, head: bytes, pieces: AsyncIterator[bytes]
    ) -> list[AttachedFile]:
        allowed = sandbox.Limits(self._cpu_seconds, self._memory_bytes)
        async with self._child(kind, suffix, allowed) as child:
            answer = await self._answer(child, head, pieces, None, b"")
            await self._exit(child, allowed.cpu_seconds)
        try:
            return protocol.decode_files(answer)
        except protocol.ProtocolError as error:
            raise DocumentUnreadable(f"The parser failed on this file. {_SPLIT}") from error

    async def recognise(
        self,
        name: str,
        media_type: str,
        content: AsyncIterable[bytes],
        on_progress: OnProgress,
        known: Sequence[RecognizedPage] = (),
    ) -> ParsedDocument:
        """Return the text of a scan by OCR, one document at a time; see the DocumentParser port.

        Each page may take the time of another whole document.
        """
        async with self._recognising:
            pieces = aiter(content)
            head = await _head(pieces)
            format_ = format_of(name, head[: limits.HEAD_BYTES], media_type)
            suffix = ".pdf" if format_.kind is FormatKind.PDF else format_.suffix
            allowed = sandbox.Limits(limits.RECOGNISING_CPU_SECONDS, limits.RECOGNISING_MEMORY_BYTES)
            async with self._child(FormatKind.SCAN, suffix, allowed) as child:
                before = protocol.encode_pages(known)
                parsed = await self._said(child, allowed.cpu_seconds, head, pieces, on_progress, before)
            return replace(parsed, reader=FormatKind.SCAN.value)

    async def _said(
        self,
        child: asyncio.subprocess.Process,
        cpu_seconds: int,
        head: bytes,
        pieces: AsyncIterator[bytes],
        on_progress: OnProgress | None = None,
        before: bytes = b"",
    ) -> ParsedDocument:
        answer = await self._answer(child, head, pieces, on_progress, before)
        await self._exit(child, cpu_seconds)
        try:
            parsed = await asyncio.to_thread(protocol.decode, answer)
        except protocol.ProtocolError as error:
            raise DocumentUnreadable(f"The parser failed on this file. {_SPLIT}") from error
        self._look_at(protocol.barriers(answer))
        return parsed

    def _look_at(self, barriers: frozenset[str]) -> None:
        """Log the missing barriers once. The child's report is a hint only, since a document may control it."""
        missing = sandbox.DECISIVE - barriers
        if missing and self.missing_barriers is None:
            log.warning(
                "documents are parsed without protections that this system does not offer", missing=sorted(missing)
            )
        self.missing_barriers = missing

    @contextlib.asynccontextmanager
    async def _child(
        self, kind: FormatKind, suffix: str, allowed: sandbox.Limits, encoding: str = ""
    ) -> AsyncGenerator[asyncio.subprocess.Process]:
        """Run a child process, which is killed at the end of the context."""
        limits_of_child = (str(allowed.cpu_seconds), str(allowed.memory_bytes))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-B", "-X", "utf8", "-c", _START, str(self._niceness), _HOME),
            *(kind.value, suffix, str(os.getpid()), *limits_of_child, encoding),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # The child writes its progress to stderr; only OCR takes long enough to show it.
            stderr=asyncio.subprocess.PIPE if kind is FormatKind.SCAN else asyncio.subprocess.DEVNULL,
            cwd="/",
            env=_ENVIRONMENT,
            close_fds=True,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
            # A killed child exits in a moment, and must be reaped even if this task is cancelled again.
            await asyncio.shield(_end_of(child))

    async def _answer(
        self,
        child: asyncio.subprocess.Process,
        head: bytes,
        pieces: AsyncIterator[bytes],
        on_progress: OnProgress | None,
        before: bytes,
    ) -> bytes:
        """Write the document to a child and return the child's answer."""
        stdin, stdout = _pipes(child)
        feeding = asyncio.create_task(self._feed(stdin, before, head, pieces))
        reading = asyncio.create_task(_read(stdout))
        try:
            # A child that answers or exits before it has read the whole document will not read the rest.
            await asyncio.wait({feeding, reading}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await feeding
            async with self._in_time() as patience:
                if child.stderr is not None and on_progress is not None:
                    await self._follow(child.stderr, patience, on_progress)
                return await reading
        finally:
            feeding.cancel()
            reading.cancel()
            await asyncio.gather(feeding, reading, return_exceptions=True)

    async def _feed(
        self, stdin: asyncio.StreamWriter, before: bytes, head: bytes, pieces: AsyncIterator[bytes]
    ) -> None:
        """Write the document. The timeout counts the child's time only: the source has its own timeouts."""
        sent = len(head)
        is_listening = await self._send(stdin, before + head)
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
        """Write a part; False if the child has closed its input, for which its answer gives the reason."""
        try:
            stdin.write(piece)
            async with self._in_time():
                await stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    async def _follow(self, stderr: asyncio.StreamReader, patience: asyncio.Timeout, on_progress: OnProgress) -> None:
        """Report a child's progress until it closes stderr; each page restarts the timeout."""
        left, reached, loop = b"", 0, asyncio.get_running_loop()
        latest = loop.time() + _LONGEST_SECONDS
        while piece := await stderr.read(_READ_BYTES):
            *lines, left = (left + piece)[-_READ_BYTES:].split(b"\n")
            done = [found for line in lines if (found := _PROGRESS.fullmatch(line))]
            for said in done:
                page, pages = int(said[1]), int(said[2])
                # A document may control its child, so page numbers must grow and are limited.
                if not reached < page <= pages <= limits.RECOGNISED_PAGES:
                    continue
                reached = page
                patience.reschedule(min(loop.time() + self._wall_seconds, latest))
                await on_progress(page / pages, _page_in(said[3] or b""))

    @contextlib.asynccontextmanager
    async def _in_time(self) -> AsyncGenerator[asyncio.Timeout]:
        """Limit the time that a child may take within the context."""
        try:
            async with asyncio.timeout(self._wall_seconds) as patience:
                yield patience
        except TimeoutError as error:
            raise DocumentUnreadable(
                f"This file takes more than {self._wall_seconds:.0f} seconds to parse, which is the limit. {_SPLIT}"
            ) from error

    async def _exit(self, child: asyncio.subprocess.Process, cpu_seconds: int) -> None:
        """Wait for the exit of a child that has closed its output.

        Raises:
            DocumentUnreadable: if its exit code is not 0.
        """
        try:
            async with asyncio.timeout(_LAST_SECONDS):
                code = await child.wait()
        except TimeoutError as error:
            raise DocumentUnreadable(f"The parser failed on this file. {_SPLIT}") from error
        if code == 0:
            return
        # The kernel sends the first at the limit on processor time, and the second when memory runs out.
        match -code:
            case signal.SIGXCPU:
                raise TooMuchWork(
                    f"This file needs more than {cpu_seconds:,} seconds of processor time to parse, which is the limit. {_SPLIT}"
                )
            case signal.SIGKILL:
                reason = "Parsing this file needs more processor time or memory than RxChat allows."
            case _:
                reason = "The parser failed on this file: it is damaged, or far too large."
        raise DocumentUnreadable(f"{reason} {_SPLIT}")


def _page_in(line: bytes) -> RecognizedPage | None:
    """Return the recognized page in a line of a child's progress, or None if the line is invalid."""
    try:
        return protocol.decode_page(line)
    except protocol.ProtocolError:
        return None


async def _end_of(child: asyncio.subprocess.Process) -> None:
    """Wait until a killed child has exited."""
    _, stdout = _pipes(child)
    # asyncio reports the exit of a child only after the end of its output, which has no reader any more.
    for output in (stdout, child.stderr):
        while output is not None and await output.read(_READ_BYTES):
            pass
    await child.wait()


def _pipes(child: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    """Return a child's stdin and stdout."""
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("a child was started without its pipes")
    return child.stdin, child.stdout


async def _head(pieces: AsyncIterator[bytes]) -> bytes:
    """Return as much of a file's beginning as format detection needs."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= limits.HEAD_BYTES:
            break
    return head


async def _read(stdout: asyncio.StreamReader) -> bytes:
    """Return the whole output of a child.

    Raises:
        DocumentUnreadable: if it exceeds the limit.
    """
    answer = bytearray()
    while piece := await stdout.read(_READ_BYTES):
        answer += piece
        if len(answer) > protocol.MOST_BYTES:
            raise DocumentUnreadable(f"The parser failed on this file. {_SPLIT}")
    return bytes(answer)
