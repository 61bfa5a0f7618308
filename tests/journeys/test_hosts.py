"""An administrator pulls a model in the browser, sees its progress also after a reload, and deletes it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import PATIENCE_MS
from tests.journeys.server import ModelHost, RxChat

NEW = "scripted:tokens=3,pull=hold"


def test_a_model_is_pulled_with_its_progress_and_deleted(
    document_server: RxChat, document_model_host: ModelHost, signed_in: Callable[..., BrowserContext]
) -> None:
    page = signed_in(document_server).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"{document_server.url}/admin/hosts")
    page.get_by_role("button", name="Pull a model").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Model").fill("two words")
    dialog.get_by_role("button", name="Pull model").click()
    expect(dialog.get_by_text("Enter the name of a model, as Ollama’s library has it")).to_be_visible()
    dialog.get_by_label("Model").fill(NEW)
    dialog.get_by_role("button", name="Pull model").click()
    progress = page.get_by_role("progressbar", name=f"Progress of {NEW}")
    expect(progress).to_have_attribute("value", "500")
    expect(page.get_by_text("0.5 MB of 1.0 MB")).to_be_visible()
    page.reload()
    expect(progress).to_have_attribute("value", "500")
    document_model_host.go_on()
    expect(page.get_by_role("list", name="Downloads").get_by_text("Downloaded")).to_be_visible()
    expect(progress).to_have_count(0)
    page.get_by_role("button", name=f"Details of {NEW}").click()
    expect(dialog.get_by_text("Q4_K_M")).to_be_visible()
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("button", name=f"Delete {NEW}").click()
    dialog.get_by_role("button", name="Delete model").click()
    expect(page.get_by_text(f"Deleted {NEW} from {document_model_host.host}.")).to_be_visible()
    expect(page.get_by_role("button", name=f"Details of {NEW}")).to_have_count(0)
