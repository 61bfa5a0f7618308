"""Scans read by real children, with the real recogniser."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import pytest
from PIL import Image

from rxchat.adapters import parsing
from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.documents import ParsedDocument, RecognizedLine, RecognizedPage
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import protocol
from tests.parsers import samples, scans
from tests.parsers.samples import check, headings, pieces

pytestmark = pytest.mark.anyio


async def recognised(
    name: str, content: bytes, parser: SandboxedParser | None = None
) -> tuple[ParsedDocument, list[float]]:
    """What the recogniser makes of a file, and what it told on its way."""
    told: list[float] = []

    async def tell(share: float, page: RecognizedPage | None) -> None:
        told.append(share)

    document = await (parser or SandboxedParser()).recognise(name, "", pieces(content), tell)
    check(document)
    return document, told


@pytest.mark.slow
async def test_a_scan_is_recognised_page_by_page_behind_all_barriers() -> None:
    parser = SandboxedParser()
    first = "Invoice 4711\nThe total is 1,234.50 euros.\nIt includes the taxes of both countries."
    second = "Second page\nIt was paid on Friday, and booked\non the Monday after."
    document, told = await recognised("a.pdf", scans.pdf(first, second), parser)
    assert headings(document) == [(1, "Invoice 4711"), (1, "Second page")]
    assert [(block.page, document.text[block.start : block.end]) for block in document.blocks if not block.level] == [
        (1, "The total is 1,234.50 euros. It includes the taxes of both countries."),
        (2, "It was paid on Friday, and booked on the Monday after."),
    ]
    assert document.notes == ("The text of 2 pages was recognized (OCR).",)
    assert told == [0.5, 1.0]
    assert parser.missing_barriers is not None
    assert parser.missing_barriers <= {"landlock"}


@pytest.mark.slow
async def test_a_page_that_is_known_is_not_looked_at_again_and_each_new_one_is_told() -> None:
    told: list[RecognizedPage | None] = []

    async def tell(_share: float, page: RecognizedPage | None) -> None:
        told.append(page)

    content = scans.pdf("First page\nof two", "Second page\nof two")
    known = RecognizedPage(0, (RecognizedLine("Known from before", 50.0, 700.0, 12.0),))
    document = await SandboxedParser().recognise("a.pdf", "", pieces(content), tell, [known])
    assert "Known from before" in document.text and "First page" not in document.text
    assert "Second page" in document.text and document.notes == ("The text of 2 pages was recognized (OCR).",)
    (page,) = told
    assert page is not None and page.number == 1
    assert " ".join(line.text for line in page.lines) == "Second page of two"


@pytest.mark.slow
async def test_pages_with_text_are_read_and_only_the_others_are_recognised() -> None:
    content = scans.mixed_pdf(samples.pdf(samples.report_page(1), []), "Signed by hand")
    document, told = await recognised("a.pdf", content)
    assert {block.page for block in document.blocks} == {1, 3}
    assert told == [1.0]
    assert document.notes == ("The text of 1 page was recognized (OCR).",)
    assert document.scanned_pages == 0


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "jpeg", "webp", "gif"])
async def test_a_picture_is_recognised(suffix: str) -> None:
    document, _ = await recognised(f"a.{suffix}", scans.picture("Meeting room 12", suffix=suffix))
    assert document.text == "Meeting room 12"


@pytest.mark.slow
async def test_a_picture_is_turned_as_its_camera_says() -> None:
    turned = scans.page("Meeting room 12", size=(1000, 400)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    turned.save(content, "JPEG", exif=exif)
    assert (await recognised("a.jpg", content.getvalue()))[0].text == "Meeting room 12"


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [90, 180, 270])
async def test_a_page_that_lay_wrong_in_the_scanner_is_read_from_its_top(degrees: int) -> None:
    content = io.BytesIO()
    scans.page("Invoice 4711", "The total is 90 euros.", "Payable at once.").rotate(degrees, expand=True).save(
        content, "PNG"
    )
    assert (await recognised("a.png", content.getvalue()))[0].text.split("\n") == [
        "Invoice 4711", "The total is 90 euros.", "Payable at once.",
    ]  # fmt: skip


@pytest.mark.slow
async def test_no_clean_line_is_lost() -> None:
    lines = [
        f"{n}.{m} The tenant pays for clause {n * m} within {m} days of March, as agreed."
        for n in range(1, 6)
        for m in range(1, 5)
    ]
    document, _ = await recognised("a.pdf", scans.pdf("\n".join(["Lease", *lines])))
    said = "".join(document.text.split())
    assert [line for line in lines if "".join(line.split()) not in said] == []


def bomb() -> bytes:
    content = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(content, "PNG")
    return content.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("blank.pdf", lambda: scans.pdf(""), "No text was found on this scan"),
        ("blank.png", lambda: scans.picture(""), "No text was found on this picture"),
        ("cut.png", lambda: scans.picture("Meeting room 12")[:200], "This picture is damaged"),
        ("bomb.png", bomb, "million pixels"),
        (
            "line.pdf",
            lambda: samples.pdf_of([b"0 0 1 1 re f"], media_box="0 0 100000 0.001"),
            "No text was found on this scan",
        ),
        (
            "wide.pdf",
            lambda: samples.pdf_of([b"0 0 9 9 re f"], media_box="0 0 1000000 1000000"),
            "No text was found on this scan",
        ),
        ("broken.pdf", lambda: b"%PDF-1.7\n" + b"nothing of a PDF" * 50, "This PDF is damaged"),
    ],
)
async def test_what_cannot_be_recognised_says_why(name: str, content: Callable[[], bytes], reason: str) -> None:
    with pytest.raises(DocumentUnreadable, match=reason):
        await recognised(name, content())


SLOW = """
import os, sys, time
sys.stdin.buffer.read()
os.write(2, b"nonsense\\n1 0\\n")
for page in range(1, 11):
    time.sleep(0.5)
    os.write(2, b"%d 10\\nand more nonsense " % page + b"x" * 100_000 + b"\\n")
os.write(1, bytes.fromhex("{answer}"))
"""


async def test_each_page_has_its_time_and_nonsense_is_not_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = protocol.encode(await samples.parsed("a.txt", b"hello")).hex()
    monkeypatch.setattr(parsing, "_START", SLOW.format(answer=answer))
    document, told = await recognised("a.pdf", scans.pdf("x"), SandboxedParser(wall_seconds=3))
    assert document.text == "hello"
    assert [round(10 * share) for share in told if share] == list(range(1, 11))


async def test_a_page_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_START", "import os, time; os.write(2, b'1 2\\n'); time.sleep(60)")
    # The child would sleep for a minute.
    with pytest.raises(DocumentUnreadable, match="the limit"):
        async with asyncio.timeout(50):
            await recognised("a.pdf", scans.pdf("x"), SandboxedParser(wall_seconds=1))


async def test_a_child_that_says_the_same_for_ever_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "import os, time\nwhile True: os.write(2, b'1 2\\n' + b'9 8\\n'); time.sleep(0.1)"
    monkeypatch.setattr(parsing, "_START", endless)
    async with asyncio.timeout(60):
        with pytest.raises(DocumentUnreadable, match="the limit"):
            await recognised("a.pdf", scans.pdf("x"), SandboxedParser(wall_seconds=2))


@pytest.mark.slow
async def test_what_is_on_no_page_is_not_said_to_be_recognised() -> None:
    document, _ = await recognised("a.pdf", scans.pdf("Signed by hand", ""))
    assert document.notes == (
        "The text of 1 page was recognized (OCR).", "On 1 page without text none was found: pictures, perhaps.",
    )  # fmt: skip


@pytest.mark.slow
async def test_what_fails_while_it_is_told_ends_the_child() -> None:
    class Gone(Exception):
        pass

    async def tell(share: float, page: RecognizedPage | None) -> None:
        raise Gone

    async with asyncio.timeout(60):
        with pytest.raises(Gone):
            await SandboxedParser().recognise("a.pdf", "", pieces(scans.pdf("x", "y")), tell)
