"""RxChat is installable, and has a page of its own while the server cannot be reached."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import Chat
from tests.journeys.server import RxChat

_CONTROLLED = "navigator.serviceWorker.ready.then((registration) => !!registration.active)"


def test_a_page_that_is_loaded_without_a_network_says_so_and_the_draft_is_there_afterwards(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server, service_workers="allow")
    chat = Chat(context.new_page(), server.url).open()
    page = chat.page
    assert page.evaluate(_CONTROLLED)
    chat.composer.fill("A thought that must not be lost")
    context.set_offline(True)
    page.reload()
    expect(page.get_by_role("heading", name="RxChat cannot be reached")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('main')).textAlign") == "center"
    assert page.evaluate("caches.keys()") == ["offline-1"]
    context.set_offline(False)
    page.get_by_role("link", name="Try again").click()
    expect(chat.composer).to_have_value("A thought that must not be lost")


def test_the_app_is_installable(server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(server, service_workers="allow")
    page = Chat(context.new_page(), server.url).open().page
    found = context.new_cdp_session(page).send("Page.getAppManifest")
    assert found["errors"] == [] and found["url"].endswith("/manifest.webmanifest")
