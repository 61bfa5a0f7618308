"""An administrator adds a provider in the browser, and its model answers at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.browser import PATIENCE_MS
from tests.journeys.server import RxChat
from tests.peers.scripted_openai import ScriptedOpenAI

KEY = "sk-a-secret-of-this-test"


@pytest.fixture(scope="module")
def provider() -> Generator[ScriptedOpenAI]:
    """A server with OpenAI's API, in a thread of its own."""
    server, loop = ScriptedOpenAI(key=KEY), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(server.start(), loop).result(60)
    yield server
    asyncio.run_coroutine_threadsafe(server.stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def page(document_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Page:
    """The administrator's tab, on the page of providers."""
    page = signed_in(document_server).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{document_server.url}/admin/providers")
    return page


def test_a_provider_is_added_answers_and_is_deleted(
    page: Page, document_server: RxChat, provider: ScriptedOpenAI
) -> None:
    expect(page.get_by_role("heading", name="No providers yet")).to_be_visible()
    page.get_by_role("button", name="Add a provider").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("gpu")
    dialog.get_by_label("Address").fill("http://169.254.169.254/v1")
    dialog.get_by_label("API key (optional)").fill(KEY)
    dialog.get_by_role("button", name="Add and test").click()
    expect(dialog.get_by_text("so RxChat does not connect to it")).to_be_visible()
    dialog.get_by_label("Address").fill(provider.url)
    dialog.get_by_role("button", name="Add and test").click()
    expect(page.get_by_text("Added “gpu”. It offers 1 model.")).to_be_visible()
    page.get_by_role("button", name="Test gpu").click()
    expect(page.get_by_role("list", name="Models")).to_have_text("scripted:tokens=20")
    page.get_by_role("button", name="Done").click()
    assert KEY not in page.content()
    page.get_by_role("button", name="Delete gpu").click()
    expect(dialog.get_by_text("No conversation uses one of its models.")).to_be_visible()
    dialog.get_by_role("button", name="Delete provider").click()
    expect(page.get_by_role("heading", name="No providers yet")).to_be_visible()
