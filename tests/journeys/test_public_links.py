"""A public link from its making to its end, for a visitor without an account."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import Chat, requests_of

NOTES, PASSWORD = "scripted:notes=1", "open sesame"


def share(chat: Chat, title: str) -> Page:
    """Open the dialog from the conversation's menu."""
    chat.row(title).hover()
    chat.row(title).get_by_role("button", name=f"Actions for {title}").click()
    chat.page.get_by_role("menuitem", name="Share link").click()
    return chat.page


def test_a_link_with_a_password_is_opened_and_revoked(chat: Chat, browser: Browser) -> None:
    chat.begin(NOTES, "What did Ada write?").wait_for_end()
    page = share(chat, "What did Ada write?")
    dialog = page.get_by_role("dialog", name="Share “What did Ada write?”")
    dialog.get_by_label("Password").fill("short")
    dialog.get_by_role("button", name="Create link").click()
    expect(dialog.get_by_text("Use at least 8 characters.")).to_be_visible()
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_label("Black out").fill("Ada\nA line")
    dialog.get_by_role("button", name="Create link").click()
    url = page.get_by_role("dialog", name="Your link").get_by_label("Link", exact=True).input_value()
    assert re.search(r"/shared#token=[\w-]{22}$", url)
    page.get_by_role("button", name="Done").click()
    visitor = browser.new_context().new_page()
    visitor.goto(url)
    visitor.get_by_label("Password").fill("open barley")
    visitor.get_by_role("button", name="Open").click()
    expect(visitor.get_by_role("alert")).to_have_text("This is not the password of this link.")
    visitor.get_by_label("Password").fill(PASSWORD)
    visitor.get_by_role("button", name="Open").click()
    expect(visitor.get_by_role("heading", name="What did █████ write?", level=1)).to_be_visible()
    answer = visitor.get_by_role("article", name=re.compile("answers"))
    expect(answer.get_by_role("list").first).to_be_visible()
    expect(answer.get_by_text("█████.").first).to_be_visible()
    expect(visitor).to_have_title("What did █████ write? · RxChat")
    assert "Ada" not in visitor.content()
    expect(visitor.get_by_role("button", name=re.compile("Answer again|Edit|Good answer"))).to_have_count(0)
    share(chat, "What did Ada write?")
    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_role("button", name="Revoke")).to_have_count(0)
    visitor.reload()
    expect(visitor.get_by_role("heading", name="This link does not work")).to_be_visible()
    visitor.context.close()


def test_what_a_model_wrote_runs_no_script_and_makes_no_request_on_the_public_page(
    chat: Chat, browser: Browser
) -> None:
    chat.begin("scripted:hostile=1", "Attack the visitors").wait_for_end()
    page = share(chat, "Attack the visitors")
    page.get_by_role("button", name="Create link").click()
    url = page.get_by_role("dialog", name="Your link").get_by_label("Link", exact=True).input_value()
    context = browser.new_context()
    requests = requests_of(context)
    visitor = context.new_page()
    visitor.goto(url)
    expect(visitor.get_by_text("The end.")).to_be_visible()
    assert visitor.evaluate("window.attacked") is None
    assert [address for address in requests if "attack.invalid" in address] == []
    context.close()
