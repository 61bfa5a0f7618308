"""A user reaches a quota in the browser, and keeps what they typed; an administrator raises it, and asking works."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import PATIENCE_MS
from tests.journeys.server import RxChat


def test_a_quota_is_reached_and_raised(document_server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(document_server)
    admin, chat = context.new_page(), context.new_page()
    for page in (admin, chat):
        page.set_default_timeout(PATIENCE_MS)
    admin.goto(f"{document_server.url}/admin/quotas")
    admin.get_by_role("button", name="Add a quota").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_role("button", name="Add quota").click()
    expect(dialog.get_by_text("Enter at least one limit")).to_be_visible()
    dialog.get_by_label("Requests").fill("0")
    dialog.get_by_role("button", name="Add quota").click()
    expect(admin.get_by_role("cell", name="0 requests", exact=True)).to_be_visible()
    admin.get_by_role("button", name="Set a price").click()
    dialog.get_by_label("Model").fill("scripted:tokens=20")
    dialog.get_by_label("Read (input)").fill("0.15")
    dialog.get_by_label("Written (output)").fill("0.6")
    dialog.get_by_role("button", name="Save price").click()
    expect(admin.get_by_role("cell", name="0.15", exact=True)).to_be_visible()
    expect(dialog).to_have_count(0)
    chat.goto(document_server.url)
    field = chat.get_by_role("textbox", name="Message")
    field.fill("Is this kept?")
    field.press("Enter")
    expect(chat.get_by_role("alert")).to_contain_text(
        re.compile("Your quota of 0 requests a day is used up. It resets on .* at 00:00 UTC. .*ask an administrator")
    )
    expect(field).to_have_value("Is this kept?")
    admin.get_by_role("button", name=re.compile("^Edit Each user")).click()
    dialog.get_by_label("Requests").fill("50")
    dialog.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("cell", name="50 requests", exact=True)).to_be_visible()
    field.press("Enter")
    expect(chat).to_have_url(re.compile("/c/"))
    expect(chat.get_by_role("log", name="Conversation").get_by_text(re.compile("^Thirty days"))).to_be_visible()
    chat.goto(f"{document_server.url}/account/quotas")
    expect(chat.get_by_role("progressbar", name="50 requests a day")).to_be_visible()
    admin.get_by_role("button", name=re.compile("^Delete Each user")).click()
    dialog.get_by_role("button", name="Delete quota").click()
    expect(admin.get_by_role("heading", name="No quotas")).to_be_visible()
