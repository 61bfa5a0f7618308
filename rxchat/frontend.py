"""The built frontend: made once, and again only when something that it is made of has changed."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import hashlib
import os
import signal
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO

from rxchat.domain.errors import RxChatError
from rxchat.embedded.process import before_exec
from rxchat.embedded.progress import Report, TaskLine, busy_note

ROOT = Path(__file__).resolve().parents[1]
_PAGE = ROOT / ".web" / "build" / "client" / "index.html"
_STAMP = ROOT / ".web" / "rxchat.stamp"
_SOURCES = (
    "rxconfig.py",
    "requirements.txt",
    "rxchat/rxchat.py",
    "rxchat/ui",
    "rxchat/states",
    "assets",
    "reflex.lock",
)
_TELL_EVERY_SECONDS = 1.0
_TASK = "pages"
_LOOK_EVERY_SECONDS = 0.2


class FrontendFailed(RxChatError):
    """The frontend could not be built."""


def _source_files() -> Iterator[Path]:
    for source in _SOURCES:
        path = ROOT / source
        if path.is_file():
            yield path
        else:
            # Reflex links the client's own files into assets/external while it builds.
            found = (file for file in path.rglob("*") if file.is_file() and not file.is_symlink())
            yield from sorted(file for file in found if not {"__pycache__", "external"} & set(file.parts))


def _digest() -> str:
    digest = hashlib.sha256()
    for file in _source_files():
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def is_fresh() -> bool:
    """Whether there is a build, made of just these sources."""
    return _PAGE.is_file() and _STAMP.is_file() and _STAMP.read_text() == _digest()


class _InlineScripts(HTMLParser):
    """Collects the scripts that stand in a page itself."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and "src" not in dict(attrs)
        if self._is_inside:
            self.found.append("")

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the base class says how it is called
        self._is_inside = False


def inline_script_hashes() -> list[str]:
    """Return the hashes of all scripts that stand in the built pages, as a Content-Security-Policy names them."""
    scripts = set[str]()
    for page in sorted(_PAGE.parent.rglob("*.html")):
        parser = _InlineScripts()
        parser.feed(page.read_text())
        parser.close()
        scripts.update(parser.found)
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    return sorted(f"sha256-{base64.b64encode(digest).decode()}" for digest in digests)


async def build(log: Path, report: Report) -> None:
    """Build the frontend if it is not fresh, telling how it goes; what the tools say goes into the log.

    Processes of one checkout build one after another: two at once would remove each other's files.

    Raises:
        FrontendFailed: with the log's last lines.
    """
    async with _turn(report):
        if not is_fresh():
            await _build(log, report)


@asynccontextmanager
async def _turn(report: Report) -> AsyncGenerator[None]:
    """Hold this process's turn to build; it ends with the context, or with the process."""
    with (ROOT / "rxconfig.py").open("rb") as lock:
        is_told = False
        while not _locks(lock):
            if not is_told:
                report(TaskLine("Another process builds the pages: waiting for it ...", _TASK))
            is_told = True
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
        yield


def _locks(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


async def _build(log: Path, report: Report) -> None:
    digest = _digest()
    report(TaskLine("Building the pages (once; half a minute to two) ...", _TASK))
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with log.open("wb") as output:
        building = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--no-ssr"),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=before_exec(signal.SIGKILL),
        )
        try:
            await _wait(building, began, report)
        except asyncio.CancelledError:
            # The whole group: what it started (a package manager, a bundler) has started more.
            os.killpg(building.pid, signal.SIGKILL)
            await building.wait()
            raise
    if building.returncode != 0 or not _PAGE.is_file():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise FrontendFailed(f"The pages could not be built; {log} says:\n{tail}")
    _STAMP.write_text(digest)
    report(TaskLine(f"Built the pages in {time.monotonic() - began:.0f} s.", _TASK, is_done=True))


async def _wait(building: asyncio.subprocess.Process, began: float, report: Report) -> None:
    while building.returncode is None:
        try:
            async with asyncio.timeout(_TELL_EVERY_SECONDS):
                await building.wait()
        except TimeoutError:
            report(TaskLine(f"Building the pages: {time.monotonic() - began:.0f} s so far{busy_note()} ...", _TASK))
