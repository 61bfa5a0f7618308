"""A tab from before an upgrade: a part of the page is gone, and the draft is not."""

from __future__ import annotations

import re

from playwright.sync_api import FilePayload, Route, expect

from tests.journeys.browser import Chat

NOTE: FilePayload = {"name": "note.txt", "mimeType": "text/plain", "buffer": b"hello"}
OTHER: FilePayload = {"name": "other.txt", "mimeType": "text/plain", "buffer": b"hello"}


def test_a_tab_that_misses_a_part_of_the_page_reloads_itself_once_and_keeps_its_draft(chat: Chat) -> None:
    missed: list[str] = []

    def gone(route: Route) -> None:
        missed.append(route.request.url)
        route.fulfill(status=404, body="Not Found", content_type="text/plain")

    # tus-js-client, which is loaded with the first file.
    chat.page.route(re.compile(r"/assets/browser-.*\.js"), gone)
    loads: list[str] = []
    chat.page.on("load", lambda page: loads.append(page.url))
    chat.open()
    chat.composer.fill("half a sentence")
    chooser = chat.page.locator(".composer input[type=file]")
    with chat.page.expect_event("load"):
        chooser.set_input_files([NOTE])
    expect(chat.composer).to_have_value("half a sentence")
    assert missed and len(loads) == 2
    chooser.set_input_files([OTHER])
    expect(chat.page.get_by_text("A part of this page could not be loaded.").first).to_be_visible()
    expect(chat.composer).to_have_value("half a sentence")
    assert len(loads) == 2
