"""Documents read by real children: honest ones, and those that are made to break whoever reads them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from rxchat.adapters import parsing
from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, StorageUnavailable
from rxchat.parsers import limits
from rxchat.parsers.formats import BY_SUFFIX
from tests.parsers import hostile, samples
from tests.parsers.samples import check, parsed, pieces

pytestmark = pytest.mark.anyio

ENDLESS = b"<div>" * 100_000


async def outcome(name: str, content: bytes, parser: SandboxedParser | None = None) -> ParsedDocument | str:
    """A document that keeps its promises, or the reason why there is none; nothing else may come of a file."""
    try:
        document = await (parser or SandboxedParser()).parse(name, "", pieces(content))
    except DocumentUnreadable as unreadable:
        reason = unreadable.message
    else:
        check(document)
        return document
    assert reason.endswith(".")
    return reason


def children() -> set[int]:
    """The processes that this one has started and not yet seen the end of, zombies too."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread may end while we look.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


@pytest.mark.parametrize("name", samples.ALL)
async def test_an_honest_document_is_read_behind_all_barriers(name: str) -> None:
    document = await parsed(name, samples.ALL[name]())
    check(document)
    assert any(word in document.text for word in ("Apples", "apple", "import os"))


async def test_it_works_wherever_this_process_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    assert (await parsed("a.txt", b"hello")).text == "hello"


async def test_what_is_no_document_starts_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "create_subprocess_exec", None)
    assert await outcome("a.pdf", b"\x89PNG\r\n\x1a\n") == "This file is called .pdf, but it is a PNG picture."


@pytest.mark.parametrize("bomb", hostile.bombs())
async def test_a_hostile_file_fails_alone_with_a_reason(bomb: str) -> None:
    name, make = hostile.bombs()[bomb]
    content = make()
    # Of what would take minutes, one second shows as much as two.
    takes_minutes = bomb.startswith(("deep html", "formatted html", "pdf stream"))
    parser = SandboxedParser(cpu_seconds=1 if takes_minutes else 2, wall_seconds=30)
    found = await outcome(name, content, parser)
    if isinstance(found, ParsedDocument):
        assert "root:" not in found.text
        assert "hahahaha" not in found.text
    if bomb.startswith(("laughs", "external")):
        assert isinstance(found, str)
        assert "entities" in found
    if bomb.startswith("utf-7"):
        assert isinstance(found, str)
        assert "damaged" in found
    if bomb.startswith(("zip bomb", "many entries")):
        assert isinstance(found, str)
        assert "unpacked" in found


async def test_a_table_of_a_million_lines_is_cut_with_a_note() -> None:
    name, make = hostile.bombs()["long csv"]
    found = await outcome(name, make())
    assert isinstance(found, ParsedDocument)
    assert found.notes == ("Rows after 100,000 of a table were left out.",)


@pytest.mark.parametrize("name", samples.ALL)
async def test_a_spoiled_file_fails_with_a_reason_or_says_what_is_left(name: str) -> None:
    for content in hostile.spoiled(name):
        said = await outcome(name, content)
        assert isinstance(said, ParsedDocument) or said.endswith(".")


@pytest.mark.parametrize("suffix", [".pdf", ".docx", ".xlsx", ".epub", ".html", ".md", ".csv", ".json", ".eml", ".py"])
async def test_random_bytes_fail_with_a_reason(suffix: str) -> None:
    assert suffix in BY_SUFFIX
    noise = random.Random(suffix).randbytes(5_000)
    for content in (noise, b"%PDF-1.7\n" + noise if suffix == ".pdf" else b"PK\x03\x04" + noise, noise.hex().encode()):
        said = await outcome(f"a{suffix}", content)
        assert isinstance(said, ParsedDocument) or said.endswith(".")


async def test_too_much_work_is_given_up() -> None:
    found = await outcome("a.csv", hostile.bombs()["long csv"][1](), SandboxedParser(cpu_seconds=0))
    assert found == (
        "This file needs more than 0 seconds of processor time to parse, which is the limit. Save it again or split it, and try again."
    )


async def test_too_much_time_is_given_up() -> None:
    found = await outcome("a.html", ENDLESS, SandboxedParser(wall_seconds=0.05))
    assert isinstance(found, str)
    assert "takes more than 0 seconds" in found


async def test_too_much_memory_is_given_up() -> None:
    content = ("ä" * 20 + "\n").encode() * 2_000_000
    found = await outcome("a.txt", content, SandboxedParser(memory_bytes=200_000_000))
    assert found == "Parsing this file needs more memory than RxChat allows. Split it and try again."


async def test_too_large_a_file_is_refused_before_it_is_sent() -> None:
    async def endless() -> AsyncGenerator[bytes]:
        while True:
            yield b"some text\n" * 100_000

    with pytest.raises(DocumentUnreadable, match="larger than 100 MB"):
        await SandboxedParser().parse("a.txt", "", endless())
    assert limits.FILE_BYTES == 100_000_000


async def test_a_store_that_fails_in_the_middle_is_not_the_files_fault() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"some text" * 10_000
        raise StorageUnavailable

    before = children()
    with pytest.raises(StorageUnavailable):
        await SandboxedParser().parse("a.txt", "", failing())
    assert children() <= before


@pytest.mark.parametrize(
    "code",
    [
        "print('garbage')",
        "import os; [os.write(1, bytes(1 << 20)) for _ in range(200)]",
        "import os; os.abort()",
        "import os; os.kill(os.getpid(), 11)",
        "import os; os.kill(os.getpid(), 9)",
        "import sys; sys.exit(3)",
        "pass",
        "import os, time; os.close(1); time.sleep(30)",
    ],
)
async def test_a_child_that_misbehaves_is_the_documents_failure(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_START", code)
    monkeypatch.setattr(parsing, "_LAST_SECONDS", 0.3)
    before = children()
    found = await outcome("a.txt", b"hello" * 100_000)
    assert isinstance(found, str)
    assert "Save it again or split it, and try again." in found
    assert children() <= before


async def test_a_child_that_does_not_listen_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_START", "import time; time.sleep(30)")
    found = await outcome("a.txt", b"hello" * 1_000_000, SandboxedParser(wall_seconds=0.3))
    assert isinstance(found, str)
    assert "takes more than" in found


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.3])
async def test_who_gives_up_waiting_leaves_no_child(seconds: float) -> None:
    before = children()
    task = asyncio.create_task(parsed("a.html", ENDLESS))
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() <= before


async def test_another_document_is_read_while_a_bomb_is() -> None:
    parser = SandboxedParser(cpu_seconds=30)
    bomb = asyncio.create_task(outcome("a.html", ENDLESS, parser))
    await asyncio.sleep(0.2)
    assert (await parser.parse("a.txt", "", pieces(b"hello"))).text == "hello"
    assert not bomb.done()
    bomb.cancel()
    with pytest.raises(asyncio.CancelledError):
        await bomb


async def test_a_hundred_documents_do_not_start_a_hundred_children() -> None:
    parser = SandboxedParser(at_once=2)
    before = children()
    most = 0
    tasks = [asyncio.create_task(parser.parse("a.txt", "", pieces(b"hello"))) for _ in range(12)]
    while not all(task.done() for task in tasks):
        most = max(most, len(children() - before))
        await asyncio.sleep(0.01)
    assert 1 <= most <= 2
    assert {task.result().text for task in tasks} == {"hello"}


async def test_a_child_knows_no_secrets_and_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RXCHAT_SECRET_KEY", "hush")
    monkeypatch.setattr(parsing, "_START", "import time; time.sleep(30)")
    before = children()
    task = asyncio.create_task(parsed("divorce.txt", b"hello"))
    while not (new := children() - before):
        await asyncio.sleep(0.01)
    about = Path(f"/proc/{new.pop()}")
    while b"sleep" not in (command := (about / "cmdline").read_bytes()) or b"pytest" in command:
        await asyncio.sleep(0.01)
    assert b"divorce" not in command
    said = (about / "environ").read_bytes().strip(b"\0").split(b"\0")
    assert {line.partition(b"=")[0] for line in said} == {b"OMP_NUM_THREADS", b"OPENBLAS_NUM_THREADS"}
    assert (about / "cwd").readlink() == Path("/")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_report_of_a_hundred_pages_is_read() -> None:
    content = samples.pdf(*(samples.report_page(number) for number in range(1, 101)))
    assert (await parsed("a.pdf", content)).pages == 100
