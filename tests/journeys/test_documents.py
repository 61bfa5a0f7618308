"""Documents: uploaded, read, found, looked at where they say it, shared and taken back."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import docx
import httpx
import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.journeys.browser import EMAIL, PASSWORD, PATIENCE_MS
from tests.journeys.conftest import session_of
from tests.journeys.server import RxChat
from tests.journeys.users import member, site, tab
from tests.journeys.wire import wire_to
from tests.parsers import scans
from tests.parsers.samples import pdf

HOLIDAYS = "Everybody has thirty days of holidays in a year."
PASSAGE = "The lighthouse keeper writes the weather into the log book every evening before supper."
FILLING = [(72.0, 700.0 - 16 * line, 11.0, f"Line {line} of a page about something else.") for line in range(20)]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def lighthouse() -> bytes:
    """A PDF of three pages; on the second, words are broken at the ends of lines."""
    lines = ("The lighthouse keeper writes the wea-", "ther into the log book every eve-", "ning before supper.")
    second = [(72.0, 700.0, 20.0, "The log book")] + [
        (72.0, 660.0 - 15 * at, 11.0, words) for at, words in enumerate(lines)
    ]
    return pdf(FILLING, second, FILLING, title="Lighthouse")


def word_document() -> bytes:
    """A Word document."""
    document, kept = docx.Document(), io.BytesIO()
    document.add_heading("Travel", 1)
    document.add_paragraph("Trains are booked two weeks ahead, flights only across an ocean.")
    document.save(kept)
    return kept.getvalue()


def file(name: str, data: bytes | str) -> FilePayload:
    """A file as somebody chooses it."""
    content = data.encode() if isinstance(data, str) else data
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def ten_files() -> list[FilePayload]:
    """One of nearly every kind."""
    return [
        file("handbook.md", f"# Handbook\n\n## Holidays\n\n{HOLIDAYS}\n\n## Coffee\n\nThe machine is cleaned on Fridays.\n"),
        file("notes.txt", "The keys of the cellar hang behind the door of the kitchen. 🗝️\n"),
        file("prices.csv", "item,price\nchair,49.90\ntable,199.00\n"),
        file("imprint.html", "<h1>Imprint</h1><p>The office is open from nine to five.</p><script>window.attacked=1</script>"),
        file("travel.docx", word_document()),
        file("lighthouse.pdf", lighthouse()),
        file("rooms.json", '{"rooms": [{"name": "Turing", "seats": 8}]}'),
        file("backup.py", 'def backup() -> None:\n    """Runs every night at three."""\n'),
        file("staff.tsv", "name\tdesk\nAda\t12\nGrace\t14\n"),
        file(
            "lunch.eml",
            "From: ada@example.org\nTo: grace@example.org\nSubject: Lunch\n"
            "Date: Mon, 5 Oct 2026 10:00:00 +0000\nContent-Type: text/plain\n\nThe canteen has soup on Mondays.\n",
        ),
    ]  # fmt: skip


class DocumentsPage:
    """The page of documents, as a person uses it."""

    def __init__(self, page: Page, url: str) -> None:
        """Look at a page; nothing is loaded yet."""
        self.page, self.url = page, url
        page.set_default_timeout(PATIENCE_MS)
        self.collections = page.get_by_role("navigation", name="Collections")
        self.rows = page.get_by_role("table", name="Documents").locator("tbody tr")
        self.uploads = page.get_by_role("region", name="Uploads")

    def create(self, name: str) -> DocumentsPage:
        """Make a collection, and be in it."""
        self.page.goto(f"{self.url}/documents")
        self.page.get_by_role("button", name=re.compile("New collection|Create your first collection")).last.click()
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.get_by_role("button", name="Create collection").click()
        expect(self.page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        return self

    def add(self, *files: FilePayload) -> DocumentsPage:
        """Choose files."""
        self.page.get_by_label("Files to add").first.set_input_files(list(files))
        return self

    def row(self, name: str) -> Locator:
        """A document's row."""
        return self.rows.filter(has_text=name)

    def wait_until_ready(self, *names: str) -> DocumentsPage:
        """Wait until these can be found."""
        for name in names:
            expect(self.row(name).get_by_text("Ready", exact=True)).to_be_visible()
        return self

    def find(self, question: str) -> Locator:
        """Try a query; what was found."""
        self.page.get_by_role("tab", name="Test search").click()
        self.page.get_by_label("Question", exact=True).fill(question)
        self.page.get_by_label("Question", exact=True).press("Enter")
        found = self.page.locator(".found")
        expect(found.first).to_be_visible()
        return found


@pytest.fixture
def documents_page(document_server: RxChat, profile: Callable[..., BrowserContext]) -> DocumentsPage:
    """The page of the first administrator."""
    return DocumentsPage(profile(storage_state=session_of(document_server)).new_page(), document_server.url)


def test_ten_files_are_uploaded_read_and_found(documents_page: DocumentsPage) -> None:
    files = ten_files()
    page = documents_page.create("Everything").page
    documents_page.add(*files)
    expect(documents_page.uploads.get_by_role("status")).to_have_text(re.compile(r"of 10 uploaded"))
    documents_page.wait_until_ready(*(item["name"] for item in files))
    expect(documents_page.uploads).to_have_count(0)
    expect(documents_page.rows).to_have_count(10)

    page.get_by_label("Filter by name").fill("light")
    expect(documents_page.rows).to_have_count(1)
    page.get_by_label("Filter by name").fill("")

    found = documents_page.find("How many days of holidays does everybody have?")
    expect(found.first).to_contain_text("handbook.md")
    expect(found.first).to_contain_text("by meaning #")
    expect(found.first.locator("mark").filter(has_text="holidays").first).to_be_visible()
    found.first.get_by_role("link").click()
    expect(page.get_by_role("heading", name="handbook.md")).to_be_visible()
    expect(page.locator("mark.passage")).to_contain_text(HOLIDAYS)
    expect(page.locator("mark.passage")).to_be_in_viewport()
    assert page.evaluate("window.attacked") is None


def test_a_passage_of_a_pdf_is_marked_on_its_page(documents_page: DocumentsPage) -> None:
    page = documents_page.create("Lighthouse").page
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text) if "Content Security" in message.text else None)
    documents_page.add(file("lighthouse.pdf", lighthouse())).wait_until_ready("lighthouse.pdf")
    question = "What does the lighthouse keeper write into the log book?"
    documents_page.find(question).first.get_by_role("link").click()
    expect(page.get_by_role("region", name="Page 2").locator("canvas")).to_be_visible()
    # Back, one is where one was.
    page.go_back()
    expect(page.get_by_label("Question", exact=True)).to_have_value(question)
    page.locator(".found").first.get_by_role("link").click()
    second = page.get_by_role("region", name="Page 2")
    expect(second.locator("canvas")).to_be_visible()
    expect(second.locator("mark.passage").first).to_be_in_viewport()
    marked = "".join("".join(second.locator("mark.passage").all_inner_texts()).split()).replace("-", "")
    assert "".join(PASSAGE.split()) in marked
    expect(page.get_by_role("region", name="Page 1").locator("mark.passage")).to_have_count(0)

    page.get_by_role("tab", name="Document", exact=True).press("ArrowRight")
    expect(page.get_by_role("tab", name="Text")).to_be_focused()
    expect(page.locator("mark.passage")).to_contain_text("log book")
    page.get_by_role("tab", name="Passages").click()
    expect(page.locator(".chunk").first).to_contain_text("tokens")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.path().read_bytes() == lighthouse()
    assert refused == []


@pytest.mark.slow
def test_a_scan_that_is_packed_as_archives_do_it_is_recognised_and_shown(documents_page: DocumentsPage) -> None:
    page = documents_page.create("Archive").page
    documents_page.add(
        file("deed.pdf", scans.jpeg_2000_pdf("Deed of sale", "The mill was sold in 1921."))
    ).wait_until_ready("deed.pdf")
    page.get_by_role("link", name="deed.pdf").click()
    canvas = page.get_by_role("region", name="Page 1").locator("canvas")
    expect(canvas).to_be_in_viewport()
    darkest = (
        "canvas => { const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);"
        " let least = 255; for (let at = 0; at < data.length; at += 4) if (data[at + 3]) least = Math.min(least, data[at]); return least; }"
    )
    page.wait_for_function(f"() => ({darkest})(document.querySelector('canvas')) < 100")


def test_a_file_replaces_the_document_of_its_name_when_that_is_chosen_and_can_be_restored(
    documents_page: DocumentsPage,
) -> None:
    page = documents_page.create("Versions").page
    documents_page.add(file("hours.txt", "The office opens at seven.")).wait_until_ready("hours.txt")
    dialog = page.get_by_role("dialog", name="Replace “hours.txt”?")
    documents_page.add(file("hours.txt", "Never sent."), file("other.txt", "Its name is free."))
    dialog.get_by_role("button", name="Cancel").click()
    documents_page.wait_until_ready("other.txt")
    documents_page.add(file("hours.txt", "The office opens at eight."))
    dialog.get_by_role("button", name="Replace").click()
    expect(page.get_by_text("Version 2", exact=True)).to_be_visible()
    expect(documents_page.rows).to_have_count(2)
    documents_page.wait_until_ready("hours.txt")
    documents_page.add(file("hours.txt", "The office opens at eight."))
    dialog.get_by_role("button", name="Keep both").click()
    expect(documents_page.uploads).to_contain_text("This file already exists")
    expect(documents_page.rows).to_have_count(2)

    page.get_by_role("link", name="hours.txt").click()
    page.get_by_role("button", name="Version 2 of 2").click()
    page.get_by_role("link", name="Version 1", exact=True).click()
    expect(page.get_by_text("A newer version is in use")).to_be_visible()
    expect(page.get_by_text("The office opens at seven.")).to_be_visible()
    page.get_by_role("button", name="Version 1 of 2").click()
    page.get_by_role("button", name="Restore version 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore", exact=True).click()
    page.get_by_role("link", name="Open version 3").click()
    expect(page.get_by_role("button", name="Version 3 of 3")).to_be_visible()
    expect(page.get_by_text("The office opens at seven.")).to_be_visible()


def test_a_shared_collection_is_read_by_others_until_it_is_taken_back(
    document_server: RxChat, documents_page: DocumentsPage, profile: Callable[..., BrowserContext]
) -> None:
    grace, state = member(document_server)
    documents_page.create("Shared").add(file("notes.txt", "The keys hang behind the door.\n")).wait_until_ready(
        "notes.txt"
    )
    documents_page.page.get_by_role("button", name="Share", exact=True).click()
    dialog = documents_page.page.get_by_role("dialog")
    dialog.get_by_label("e-mail address").fill("nobody@example.org")
    dialog.get_by_label("e-mail address").press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("No user has the address")
    dialog.get_by_label("e-mail address").fill(grace.email)
    dialog.get_by_label("e-mail address").press("Enter")
    expect(dialog.get_by_role("list", name="Who can read it")).to_contain_text(grace.email)

    context = profile(storage_state=state)
    theirs = DocumentsPage(tab(context), site(document_server))
    theirs.page.goto(f"{site(document_server)}/documents")
    theirs.collections.get_by_role("link", name="Shared").click()
    expect(theirs.collections).to_contain_text("shared with you")
    expect(theirs.row("notes.txt")).to_be_visible()
    expect(theirs.page.get_by_role("button", name="Add files")).to_have_count(0)
    reader = tab(context)
    theirs.row("notes.txt").get_by_role("link").click()
    expect(theirs.page.locator(".viewer-words")).to_contain_text("behind the door")
    reader.goto(documents_page.page.url.replace(documents_page.url, site(document_server)))
    expect(reader.get_by_role("heading", name="Shared")).to_be_visible()

    dialog.get_by_role("button", name=f"Revoke {grace.email}’s access").click()
    expect(dialog.get_by_text("Only you can read it.")).to_be_visible()
    expect(reader.get_by_role("heading", name="Collection not found")).to_be_visible()
    expect(theirs.page.get_by_text("is no longer shared with you")).to_be_visible()


def test_a_file_that_is_not_what_it_says_is_refused_with_the_reason(documents_page: DocumentsPage) -> None:
    page = documents_page.create("Wrong").page
    documents_page.add(file("scan.pdf", PNG), file("empty.txt", ""), file("fine.txt", "All is well.\n"))
    documents_page.wait_until_ready("fine.txt")
    expect(documents_page.uploads.get_by_role("listitem").filter(has_text="scan.pdf")).to_contain_text("picture")
    expect(documents_page.uploads.get_by_role("listitem").filter(has_text="empty.txt")).to_contain_text(
        "“empty.txt” is empty."
    )
    page.get_by_role("button", name="Dismiss scan.pdf").click()
    page.get_by_role("button", name="Dismiss empty.txt").click()
    expect(documents_page.uploads).to_have_count(0)
    expect(documents_page.rows).to_have_count(1)


def test_an_upload_goes_on_when_the_line_is_back(document_server: RxChat, documents_page: DocumentsPage) -> None:
    with wire_to(document_server) as wire:
        far = DocumentsPage(documents_page.page, wire.url).create("Far away")
        begun_at: list[int] = []
        far.page.on("request", lambda request: begun_at.append(int(request.headers.get("upload-offset", 0))))
        # Slow, so that it breaks in the middle; and next to nothing to read when all of it is there.
        slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
        far.page.context.new_cdp_session(far.page).send("Network.emulateNetworkConditions", slow)
        far.add(file("long.txt", b"At last.\n" + b" " * 2_000_000))
        row = far.uploads.get_by_role("listitem").filter(has_text="long.txt")
        expect(row).to_contain_text(re.compile(r"[1-9]\d %"))
        wire.cut()
        expect(row).to_contain_text("Connection lost")
        wire.mend()
        expect(far.row("long.txt")).to_be_visible()
        expect(far.uploads).to_have_count(0)
    assert 0 < max(begun_at) < 2_000_000


def test_documents_are_renamed_and_deleted_and_so_are_collections(documents_page: DocumentsPage) -> None:
    page = documents_page.create("Short-lived").page
    documents_page.add(*(file(f"{name}.txt", f"About {name}.\n") for name in ("one", "two", "three")))
    documents_page.wait_until_ready("one.txt", "two.txt", "three.txt")
    page.get_by_role("button", name="Actions for one.txt").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("Name", exact=True).fill("first.txt")
    page.get_by_label("Name", exact=True).press("Enter")
    expect(documents_page.row("first.txt")).to_be_visible()
    page.get_by_label("Filter by name").fill("nothing of this name")
    page.get_by_role("button", name="Show all").click()
    expect(documents_page.rows).to_have_count(3)
    expect(page.get_by_label("Filter by name")).to_have_value("")
    page.get_by_label("Choose two.txt").check()
    page.get_by_label("Choose three.txt").check()
    # A selection belongs to its collection, and so does the tab for searches.
    here = page.url
    page.get_by_role("tab", name="Test search").click()
    DocumentsPage(page, documents_page.url).create("Another").add(file("four.txt", "About four."))
    documents_page.wait_until_ready("four.txt")
    expect(page.get_by_text("chosen")).to_have_count(0)
    page.get_by_role("link", name="Short-lived").click()
    page.wait_for_url(here)
    page.get_by_role("tab", name="Documents").click()
    expect(page.get_by_text("chosen")).to_have_count(0)
    page.get_by_label("Choose two.txt").check()
    page.get_by_label("Choose three.txt").check()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(documents_page.rows).to_have_count(1)
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("button", name="Delete collection").click()
    page.wait_for_url(re.compile("/documents$"))
    expect(documents_page.collections.get_by_role("link", name="Short-lived")).to_have_count(0)


def test_a_name_that_is_refused_is_said_at_its_field_which_has_the_focus(documents_page: DocumentsPage) -> None:
    page = documents_page.page
    page.goto(f"{documents_page.url}/documents")
    page.get_by_role("button", name=re.compile("Create .*collection|New collection")).first.click()
    dialog = page.get_by_role("dialog")
    name, create = dialog.get_by_label("Name", exact=True), dialog.get_by_role("button", name="Create collection")
    create.click()
    assert name.evaluate("field => field.validationMessage") == "Enter the collection’s name."
    # Invisible white space, which the browser takes for a name.
    name.fill("\u200b")
    for _ in range(2):
        create.click()
        expect(dialog.get_by_role("alert")).to_contain_text("Enter a name for the collection")
        expect(name).to_have_attribute("aria-invalid", "true")
        expect(create).to_be_enabled()
        expect(page.locator("dialog :focus")).to_have_count(1)
    name.fill("Rules of the house")
    create.click()
    expect(page.get_by_role("heading", name="Rules of the house")).to_be_visible()


def test_dropped_files_light_the_page_up_and_are_added(documents_page: DocumentsPage) -> None:
    page = documents_page.create("Dropped").page
    carried = page.evaluate_handle(
        "() => { const carried = new DataTransfer();"
        " carried.items.add(new File(['Dropped from above.'], 'dropped.txt')); return carried }"
    )
    page.dispatch_event(".documents", "dragenter", {"dataTransfer": carried})
    expect(page.get_by_text("Drop to add to “Dropped”")).to_be_visible()
    page.dispatch_event(".documents", "drop", {"dataTransfer": carried})
    expect(page.get_by_text("Drop to add to “Dropped”")).to_have_count(0)
    documents_page.wait_until_ready("dropped.txt")


def test_a_phone_has_room_for_all_of_it(document_server: RxChat, profile: Callable[..., BrowserContext]) -> None:
    documents_page = DocumentsPage(
        profile(storage_state=session_of(document_server), **PHONE).new_page(), document_server.url
    )
    page = documents_page.create("In the pocket").page
    name = f"a-very-long-name-{'x' * 80}.txt"
    documents_page.add(file(name, "Small.\n")).wait_until_ready(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    small = page.evaluate(
        "[...document.querySelectorAll('.documents-scroll :is(a, button, select)')]"
        ".filter((item) => item.offsetParent && item.getBoundingClientRect().height < 43.5).map((item) => item.textContent)"
    )
    assert small == []
    page.get_by_role("link", name="All collections").click()
    expect(documents_page.collections.get_by_role("link", name="In the pocket")).to_be_visible()


def test_a_document_of_nobody_is_calmly_not_there(documents_page: DocumentsPage) -> None:
    documents_page.page.goto(f"{documents_page.url}/documents/view/0192d4a0-0000-7000-8000-000000000000")
    expect(documents_page.page.get_by_text("This document was deleted")).to_be_visible()
    with httpx.Client(base_url=documents_page.url, trust_env=False) as client:
        client.post("/api/auth/sign-in", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        assert client.get("/api/documents/0192d4a0-0000-7000-8000-000000000000").json()["error"]["code"] == "not_found"
