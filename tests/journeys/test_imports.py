"""An export of ChatGPT is imported, opened, exported as Markdown and printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.domain.imports import samples
from tests.journeys.browser import Chat

pytestmark = pytest.mark.usefixtures("server")


def test_an_export_of_chatgpt_is_imported_opened_and_exported(chat: Chat, tmp_path: Path) -> None:
    page = chat.open().page
    file = tmp_path / "conversations.json"
    file.write_text(json.dumps([samples.chatgpt(title="Bird <b>in</b> a photo"), {"title": "Something else"}]))
    page.get_by_role("button", name=re.compile("Ada Lovelace")).click()
    page.get_by_role("menuitem", name="Account", exact=True).click()
    page.get_by_role("link", name="Import and export").click()
    page.get_by_text("How to get your export from ChatGPT").click()
    expect(page.get_by_text("OpenAI sends an e-mail with a link.")).to_be_visible()
    report = page.get_by_role("region", name="Report")
    expect(report.get_by_text("Nothing was imported yet.")).to_be_visible()
    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Choose files…").click()
    chosen.value.set_files(file)
    expect(report.get_by_text("1 conversation imported, 1 skipped.")).to_be_visible()
    expect(report.get_by_text("It is no conversation in a form that RxChat knows.")).to_be_visible()
    # The sidebar has it, too.
    expect(chat.row("Bird <b>in</b> a photo")).to_have_count(1)
    report.get_by_role("link", name="Bird <b>in</b> a photo").click()
    expect(page.get_by_text("A robin.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export or print").click()
        page.get_by_role("button", name="Markdown").click()
    assert download.value.suggested_filename == "Bird b in b a photo.md"
    text = Path(download.value.path()).read_text()
    assert text.startswith("# Bird \\<b\\>in\\</b\\> a photo\n") and "A robin." in text and "Two years." not in text
    # Printing opens the whole conversation as a page, which may run nothing.
    page.context.add_init_script("window.print = () => { document.documentElement.dataset.printed = ''; }")
    page.get_by_role("button", name="Export or print").click()
    with page.expect_popup() as opened:
        page.get_by_role("button", name="Print or save as PDF").click()
    printed = opened.value
    expect(printed.get_by_role("heading", name="Bird <b>in</b> a photo")).to_be_visible()
    expect(printed.locator("html[data-printed]")).to_have_count(1)
    printed.close()


def test_the_thread_itself_prints_without_what_can_be_pressed(chat: Chat) -> None:
    chat.begin("scripted:count=1,tokens=20", "What is on paper?").wait_for_end()
    chat.page.emulate_media(media="print")
    expect(chat.page.get_by_text("What is on paper?").last).to_be_visible()
    for hidden in (chat.sidebar, chat.page.locator(".composer"), chat.page.locator(".message-foot").first):
        expect(hidden).to_be_hidden()
