"""axe finds nothing on any page, in any state that a user comes to, narrow and wide, in light and dark."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rxchat.domain.ids import new_id
from tests.journeys.axe import PHONE, Audit, with_axe
from tests.journeys.browser import PASSWORD, Chat
from tests.journeys.cited_documents import attach, handbook_address, program
from tests.journeys.conftest import ENDLESS, RICH
from tests.journeys.server import RxChat

ENTRIES = (
    "sign-in",
    "sign-in?step=second-factor",
    "sign-in?problem=address_taken",
    "register",
    "forgot",
    "reset#token=x",
    "confirm#token=x",
    "join#token=x",
    "setup#token=x",
    "nowhere",
)


@pytest.fixture
def page(filled_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Page:
    """A tab with axe in it."""
    return with_axe(signed_in(filled_server)).new_page()


def settled(page: Page, url: str) -> Page:
    """Go there, and wait until it is drawn."""
    page.goto(url)
    expect(page.locator("h1").first).to_be_attached()
    expect(page.locator("[role=status][aria-label=Loading], .skeleton")).to_have_count(0)
    return page


def test_pages_for_users_who_are_not_signed_in(filled_server: RxChat, profile: Callable[..., BrowserContext]) -> None:
    audit, page = Audit(), with_axe(profile()).new_page()
    for entry in ENTRIES:
        audit.look(settled(page, f"{filled_server.url}/{entry}"), entry)
    settled(page, f"{filled_server.url}/sign-in").get_by_role("button", name="Sign in", exact=True).click()
    audit.look(page, "sign-in with errors")
    assert audit.found == []


def look_at_actions(audit: Audit, chat: Chat) -> None:
    """The menu of a message, the dialog for editing it, and the palette."""
    page = chat.page
    chat.answers.last.get_by_role("button", name="Answer again").click()
    expect(chat.answers.last).to_contain_text("2/2")
    chat.wait_for_end()
    chat.answers.last.get_by_role("button", name="More actions").click()
    audit.look(page, "menu of a message, with versions")
    page.get_by_role("menuitem", name="Edit answer").click()
    audit.look(page, "dialog for editing an answer")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search chats, messages and documents").fill("everything")
    expect(page.get_by_role("option").first).to_be_visible()
    audit.look(page, "palette")
    page.keyboard.press("Escape")


def test_the_chat(filled_server: RxChat, page: Page) -> None:
    audit, chat = Audit(), Chat(page, filled_server.url).open()
    audit.look(page, "empty page")
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    audit.look(page, "model menu")
    page.keyboard.press("Escape")
    chat.composer.press_sequentially("#team")
    expect(page.get_by_role("option").first).to_be_visible()
    audit.look(page, "context choices")
    page.keyboard.press("Escape")
    chat.composer.fill("")
    chat.choose(RICH)
    attach(page)
    audit.look(page, "attached file")
    chat.ask("Show everything").wait_for_end()
    expect(chat.answer.locator("pre span[style]").first).to_be_visible()
    audit.look(page, "answer with code, table, lists and citations")
    look_at_actions(audit, chat)
    page.get_by_role("button", name="1 source", exact=True).click()
    # It moves what is above it.
    expect(page.locator(".sources-list")).to_contain_text("handbook.md")
    chat.answer.get_by_role("button", name="Source 1", exact=True).first.hover()
    expect(page.get_by_role("dialog", name="Source 1")).to_contain_text("handbook.md")
    audit.look(page, "sources")
    chat.answer.get_by_role("button", name="Source 1", exact=True).first.click()
    expect(page.get_by_role("dialog", name="Document", exact=True).locator(".viewer-words")).to_be_visible()
    audit.look(page, "document beside the chat")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Document", exact=True)).to_have_count(0)
    page.mouse.move(0, 0)
    chat.choose(ENDLESS).ask("Go on for a while").wait_for_words(3)
    chat.composer.fill("And then?")
    chat.composer.press("Enter")
    expect(page.get_by_role("region", name="Queued messages").get_by_role("listitem")).to_have_count(1)
    audit.look(page, "answer that is being written, and a queued message")
    page.get_by_role("button", name="Remove this message from the queue").click()
    chat.stop_button.click()
    row = chat.sidebar.get_by_role("listitem").first
    row.hover()
    row.get_by_role("button").first.click()
    audit.look(page, "menu of a conversation")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Ada Lovelace").click()
    audit.look(page, "account menu")
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Show the sidebar").click()
    audit.look(page, "drawer", widths=(PHONE,))
    page.get_by_role("button", name="Hide the sidebar").click()
    audit.look(settled(page, page.url.replace("/c/", "/history/")), "history of a conversation, and its map")
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("tab", name="Map").click()
    audit.look(page, "map of a conversation", widths=(PHONE,))
    audit.look(settled(page, f"{filled_server.url}/c/{new_id()}"), "conversation that is not there")
    audit.look(settled(page, f"{filled_server.url}/archive"), "archive and trash")
    audit.look(settled(page, f"{filled_server.url}/shared"), "public link that does not work")
    assert audit.found == []


def test_selected_conversations_and_tags(filled_server: RxChat, page: Page) -> None:
    audit, chat = Audit(), Chat(page, filled_server.url).begin("scripted:count=1,tokens=20", "Tag this").wait_for_end()
    row = chat.row("Tag this").first
    row.hover()
    row.get_by_role("button", name=re.compile("^Actions for")).click()
    page.get_by_role("menuitem", name="Tags…").click()
    page.get_by_role("textbox", name="Find or create a tag").fill("Audited")
    audit.look(page, "tag that is being made")
    page.keyboard.press("Enter")
    expect(page.get_by_role("checkbox", name="Audited")).to_be_checked()
    audit.look(page, "tags of a conversation")
    page.get_by_role("button", name="Done").click()
    chat.sidebar.get_by_role("button", name="Projects and tags").click()
    audit.look(page, "projects and tags")
    page.get_by_role("menuitem", name="Manage tags…").click()
    audit.look(page, "tags")
    page.get_by_role("button", name="Change Audited").click()
    audit.look(page, "changed tag")
    page.keyboard.press("Escape")
    filters = chat.sidebar.get_by_role("button", name="Projects and tags")
    filters.click()
    page.get_by_role("menuitem", name="New project…").click()
    page.get_by_role("textbox", name="Name").fill("Audited project")
    audit.look(page, "new project")
    page.get_by_role("button", name="Save").click()
    filters.click()
    page.get_by_role("menuitemradio", name="Audited project").click()
    audit.look(page, "project in the sidebar")
    filters.click()
    page.get_by_role("menuitem", name="Manage projects…").click()
    audit.look(page, "projects")
    page.get_by_role("button", name="Delete Audited project").click()
    audit.look(page, "deleted project")
    page.get_by_role("button", name="Delete project").click()
    row.hover()
    row.get_by_role("button", name=re.compile("^Actions for")).click()
    page.get_by_role("menuitem", name="Move to project…").click()
    audit.look(page, "places for a conversation")
    page.keyboard.press("Escape")
    chat.sidebar.get_by_role("button", name="Select conversations").click()
    chat.page.keyboard.press("Control+a")
    audit.look(page, "selected conversations")
    page.keyboard.press("Escape")
    with program(filled_server) as client:
        for tag in client.get("/api/tags").json():
            client.delete(f"/api/tags/{tag['id']}").raise_for_status()
    assert audit.found == []


def test_a_temporary_chat(filled_server: RxChat, page: Page) -> None:
    audit = Audit()
    audit.look(settled(page, f"{filled_server.url}/temporary"), "temporary chat")
    page.get_by_role("textbox", name="Message").fill("A secret")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("A secret")).to_be_visible()
    audit.look(page, "temporary chat with an answer")
    assert audit.found == []


def test_prompts(filled_server: RxChat, page: Page) -> None:
    with program(filled_server) as client:
        for item in client.get("/api/prompts").json():
            client.delete(f"/api/prompts/{item['id']}").raise_for_status()
    audit = Audit()
    audit.look(settled(page, f"{filled_server.url}/prompts"), "empty library of prompts")
    page.get_by_role("button", name="Add Summarize a text").click()
    prompts = page.get_by_role("list", name="Prompts")
    expect(prompts.get_by_role("listitem")).to_have_count(1)
    audit.look(page, "prompts, and a toast")
    prompts.get_by_role("button", name=re.compile("^Summarize a text")).click()
    expect(page.get_by_label("Text", exact=True)).to_be_visible()
    audit.look(page, "editor of a prompt")
    page.get_by_label("Command").fill("two words")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    audit.look(page, "editor of a prompt with an error")
    page.keyboard.press("Escape")
    for action, label in (("Versions", "Versions"), ("Share", "Who has it")):
        page.get_by_role("button", name="Actions for Summarize a text").click()
        audit.look(page, "menu of a prompt")
        page.get_by_role("menuitem", name=action).click()
        if action == "Share":
            page.get_by_role("button", name="Share with everyone").click()
        expect(page.get_by_role("list", name=label)).to_be_visible()
        audit.look(page, f"{action.lower()} of a prompt")
        page.keyboard.press("Escape")
    chat = Chat(page, filled_server.url).open()
    chat.composer.press_sequentially("/summ")
    expect(page.get_by_role("option")).to_have_count(1)
    audit.look(page, "prompts behind a slash")
    chat.composer.press("Enter")
    expect(page.get_by_role("button", name="Insert")).to_be_visible()
    audit.look(page, "variables of a prompt")
    assert audit.found == []


def test_assistants(filled_server: RxChat, page: Page) -> None:
    with program(filled_server) as client:
        for item in client.get("/api/v1/assistants").json()["assistants"]:
            client.delete(f"/api/v1/assistants/{item['id']}").raise_for_status()
    audit = Audit()
    audit.look(settled(page, f"{filled_server.url}/assistants"), "no assistants")
    page.get_by_role("button", name="Create your first assistant").click()
    page.get_by_label("Name", exact=True).fill("Ahab")
    page.get_by_label("Conversation starters").fill("Where is it?")
    page.get_by_text("Parameters", exact=True).click()
    audit.look(page, "editor of an assistant")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("list", name="Assistants").get_by_role("listitem")).to_have_count(1)
    audit.look(page, "assistants, and a toast")
    for action, label in (("Versions", "Versions"), ("Share", "Who has it")):
        page.get_by_role("button", name="Actions for Ahab").click()
        audit.look(page, "menu of an assistant")
        page.get_by_role("menuitem", name=action).click()
        if action == "Share":
            page.get_by_role("button", name="Share with everyone").click()
        expect(page.get_by_role("list", name=label)).to_be_visible()
        audit.look(page, f"{action.lower()} of an assistant")
        page.keyboard.press("Escape")
    page.get_by_role("link", name="Ahab").click()
    expect(page.get_by_role("heading", name="Ahab")).to_be_visible()
    audit.look(page, "new chat with an assistant")
    page.get_by_role("button", name="Parameters").click()
    expect(page.get_by_label("Temperature")).to_be_visible()
    audit.look(page, "parameters")
    page.keyboard.press("Escape")
    chat = Chat(page, filled_server.url)
    chat.ask("Hello").wait_for_words(1).wait_for_end()
    page.get_by_role("button", name=re.compile("^Assistant Ahab")).click()
    audit.look(page, "menu of a conversation's assistant")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="More actions").last.click()
    page.get_by_role("menuitem", name="What the model saw").click()
    expect(page.get_by_text("Messages, as they were sent")).to_be_visible()
    audit.look(page, "what the model saw")
    assert audit.found == []


@pytest.mark.slow
def test_documents(filled_server: RxChat, page: Page) -> None:
    audit = Audit()
    audit.look(settled(page, f"{filled_server.url}/documents"), "collections")
    page.get_by_role("button", name="New collection").first.click()
    audit.look(page, "new collection")
    page.keyboard.press("Escape")
    page.get_by_role("navigation", name="Collections").get_by_role("link", name="Team rules").first.click()
    expect(page.get_by_role("table", name="Documents")).to_be_visible()
    audit.look(page, "collection")
    page.get_by_role("button", name="Actions for handbook.md").click()
    audit.look(page, "menu of a document")
    page.get_by_role("menuitem", name="Rename").click()
    audit.look(page, "rename a document")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Share", exact=True).click()
    audit.look(page, "share a collection")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Test search").click()
    audit.look(page, "test search")
    audit.look(settled(page, handbook_address(filled_server, "start=3&end=40#quote=The+coffee+machine")), "viewer")
    page.get_by_role("tab", name="Passages").click()
    audit.look(page, "passages")
    audit.look(settled(page, f"{filled_server.url}/documents/{new_id()}"), "collection that is not there")
    audit.look(settled(page, f"{filled_server.url}/documents/view/{new_id()}"), "document that is not there")
    assert audit.found == []


@pytest.mark.slow
def test_the_account(filled_server: RxChat, page: Page) -> None:
    audit = Audit()
    for section in ("", "/preferences", "/security", "/sessions", "/keys", "/import", "/data"):
        audit.look(settled(page, f"{filled_server.url}/account{section}"), f"account{section}")
    page.get_by_role("button", name="Download my data").click()
    page.get_by_label("Your password", exact=True).fill(PASSWORD)
    audit.look(page, "download my data")
    settled(page, f"{filled_server.url}/account/security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code for your authenticator app")).to_be_visible()
    audit.look(page, "authenticator app")
    settled(page, f"{filled_server.url}/account/keys")
    page.get_by_role("button", name="New key").click()
    audit.look(page, "new key")
    assert audit.found == []


@pytest.mark.slow
def test_administration(filled_server: RxChat, page: Page) -> None:
    audit = Audit()
    with program(filled_server) as client:
        me = client.get("/api/me").json()["id"]
    for section in (
        "users",
        f"users/{me}",
        "groups",
        "roles",
        "access",
        "registration",
        "providers",
        "hosts",
        "models",
        "quotas",
        "usage",
        "feedback",
        "system",
        "audit",
    ):
        audit.look(settled(page, f"{filled_server.url}/admin/{section}"), f"admin/{section.partition('/')[0]}")
    dialogs = {
        "users": "Invite a user",
        "groups": "New group",
        "roles": "New role",
        "access": "Grant access",
        "providers": "Add a provider",
        "quotas": "Add a quota",
        "hosts": "Pull a model",
    }
    for section, button in dialogs.items():
        settled(page, f"{filled_server.url}/admin/{section}").get_by_role("button", name=button).first.click()
        expect(page.get_by_role("dialog")).to_be_visible()
        audit.look(page, button)
    assert audit.found == []
