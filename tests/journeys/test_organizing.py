"""Several conversations at once by mouse and keyboard, and marks of answers that were not seen."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Locator, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import HELD
from tests.journeys.server import ModelHost, RxChat

pytestmark = pytest.mark.usefixtures("server")
MODEL = "scripted:count=1,tokens=20"
TITLES = ("Oaks of the north", "Pines of the south", "Limes of the east", "Elms of the west")


def boxes(chat: Chat) -> Locator:
    return chat.sidebar.locator("[data-picks]")


def selected(chat: Chat, count: int) -> None:
    expect(chat.sidebar.get_by_text(f"{count} selected", exact=True)).to_be_visible()


def until_saved(chat: Chat) -> None:
    """Wait until the server has confirmed what is in the composer."""
    chat.page.wait_for_function(
        """(id) => Object.entries(localStorage).filter(([key]) => key.startsWith("rxchat:draft:") && key.endsWith(id))
        .every(([, draft]) => (JSON.parse(draft).text ?? "") === (JSON.parse(draft).saved ?? ""))""",
        arg=chat.conversation_id,
    )


def test_conversations_are_selected_by_range_and_key_and_come_back(chat: Chat) -> None:
    for title in TITLES:
        chat.begin(MODEL, title).wait_for_end()
    chat.open()
    chat.sidebar.get_by_role("button", name="Select conversations").click()
    box = {title: chat.row(title).get_by_role("checkbox") for title in TITLES}
    expect(boxes(chat).first).to_be_focused()
    delete = chat.sidebar.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    # From the newest to the third by Shift, and the second no longer.
    box[TITLES[3]].click()
    box[TITLES[1]].click(modifiers=["Shift"])
    selected(chat, 3)
    chat.row(TITLES[2]).locator("label").click()
    selected(chat, 2)
    expect(box[TITLES[2]]).not_to_be_checked()
    delete.click()
    expect(chat.page.get_by_text("Deleted 2 conversations")).to_be_visible()
    for title, count in zip(TITLES, (1, 0, 1, 0), strict=True):
        expect(chat.row(title)).to_have_count(count)
    expect(chat.sidebar.get_by_role("button", name="Select conversations")).to_be_focused()
    chat.page.get_by_role("button", name="Undo").click()
    for title in TITLES:
        expect(chat.row(title)).to_have_count(1)
    # The same by keys: from the button on, without a mouse.
    chat.sidebar.get_by_role("button", name="Select conversations").press("Enter")
    expect(boxes(chat).first).to_be_focused()
    chat.page.keyboard.press("Shift+ArrowDown")
    selected(chat, 2)
    chat.page.keyboard.press("ArrowDown")
    chat.page.keyboard.press("Space")
    selected(chat, 3)
    chat.page.keyboard.press("Control+a")
    expect(boxes(chat).last).to_be_checked()
    chat.page.keyboard.press("Escape")
    expect(boxes(chat)).to_have_count(0)
    expect(chat.sidebar.get_by_role("button", name="Select conversations")).to_be_focused()


def test_an_open_conversation_that_is_archived_with_others_is_left(chat: Chat) -> None:
    titles = ("Rivers of the north", "Lakes of the south")
    for title in titles:
        chat.begin(MODEL, title).wait_for_end()
    chat.row(titles[1]).hover()
    chat.row(titles[1]).get_by_role("button", name=re.compile("^Actions for")).click()
    chat.page.get_by_role("menuitem", name="Select…").click()
    expect(chat.row(titles[1]).get_by_role("checkbox")).to_be_checked()
    chat.row(titles[0]).get_by_role("checkbox").check()
    chat.sidebar.get_by_role("button", name="Archive", exact=True).click()
    chat.page.wait_for_url(f"{chat.url}/")
    chat.page.goto(f"{chat.url}/archive")
    archive = chat.page.get_by_role("region", name="Archive")
    for title in titles:
        archive.get_by_role("checkbox", name=f"Select {title}").check()
    archive.get_by_role("button", name="Unarchive", exact=True).click()
    expect(chat.page.get_by_text("2 conversations were moved back to the list.")).to_be_visible()
    for title in titles:
        expect(chat.row(title)).to_have_count(1)


def test_an_answer_that_no_page_showed_is_marked_until_it_is_opened(
    server: RxChat, signed_in: Callable[..., BrowserContext], model_host: ModelHost
) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url).begin(HELD, "Tell me later").wait_for_words(5)
    path = chat.path
    chat.open()
    other = Chat(context.new_page(), server.url).open()
    model_host.go_on()
    for tab in (chat, other):
        expect(tab.row("Tell me later").get_by_role("img", name="New answer")).to_be_visible()
        expect(tab.page.get_by_text("New answer in “Tell me later”.")).to_have_count(1)
    other.row("Tell me later").get_by_role("link").click()
    other.page.wait_for_url(f"**{path}")
    for tab in (chat, other):
        tab.page.bring_to_front()
        expect(tab.row("Tell me later")).to_have_count(1)
        expect(tab.row("Tell me later").get_by_role("img", name="New answer")).to_have_count(0)
    # An answer that a page shows leaves no mark.
    other.page.bring_to_front()
    other.choose(MODEL).ask("And now?").wait_for_end()
    other.page.reload()
    expect(other.answers.last).to_be_visible()
    other.open()
    expect(other.row("Tell me later")).to_have_count(1)
    expect(other.row("Tell me later").get_by_role("img", name="New answer")).to_have_count(0)


def test_tags_are_typed_shown_filtered_by_found_and_deleted(chat: Chat) -> None:
    page = chat.page
    for title in ("Bees in the garden", "Wasps in the attic"):
        chat.begin(MODEL, title).wait_for_end()
    row = chat.row("Bees in the garden")
    row.hover()
    row.get_by_role("button", name=re.compile("^Actions for")).click()
    page.get_by_role("menuitem", name="Tags…").click()
    field = page.get_by_role("textbox", name="Find or create a tag")
    expect(field).to_be_focused()
    field.fill("Insects")
    field.press("Enter")
    expect(page.get_by_role("checkbox", name="Insects")).to_be_checked()
    expect(field).to_have_value("")
    field.fill("Zoo")
    page.get_by_role("button", name="Create “Zoo”").click()
    expect(page.get_by_role("checkbox", name="Zoo")).to_be_checked()
    page.get_by_role("checkbox", name="Zoo").click()
    expect(page.get_by_role("checkbox", name="Zoo")).not_to_be_checked()
    page.get_by_role("button", name="Done").click()
    expect(row.get_by_role("link", name="Bees in the garden Tags: Insects")).to_be_visible()
    row.get_by_role("link").click()
    page.locator(".topbar").get_by_role("button", name="Insects").click()
    expect(chat.row("Wasps in the attic")).to_have_count(0)
    expect(row).to_be_visible()
    chat.sidebar.get_by_role("button", name="Filtered by Insects. Remove the filter").click()
    expect(chat.row("Wasps in the attic")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("tag:insects")
    expect(page.get_by_role("option", name="Bees in the garden")).to_be_visible()
    page.get_by_role("option", name="Chats tagged “Insects”").click()
    expect(chat.row("Wasps in the attic")).to_have_count(0)
    chat.sidebar.get_by_role("button", name="Projects and tags").click()
    page.get_by_role("menuitem", name="Manage tags…").click()
    page.get_by_role("button", name="Change Insects").click()
    page.get_by_role("textbox", name="Name").fill("Small animals")
    page.get_by_role("radio", name="Purple").check()
    page.get_by_role("button", name="Save").click()
    expect(chat.sidebar.get_by_role("button", name="Filtered by Small animals. Remove the filter")).to_be_visible()
    chat.sidebar.get_by_role("button", name="Projects and tags").click()
    page.get_by_role("menuitem", name="Manage tags…").click()
    page.get_by_role("button", name="Delete Small animals").click()
    expect(page.get_by_text("It is removed from 1 conversation. The conversations stay.")).to_be_visible()
    page.get_by_role("button", name="Delete tag").click()
    expect(chat.row("Wasps in the attic")).to_be_visible()
    expect(row.get_by_role("link", name="Bees in the garden", exact=True)).to_be_visible()


def test_projects_hold_conversations_and_new_ones_begin_in_them(chat: Chat) -> None:
    page = chat.page
    filters = chat.sidebar.get_by_role("button", name="Projects and tags")
    chat.begin(MODEL, "Tiles for the roof").wait_for_end()
    filters.click()
    page.get_by_role("menuitem", name="New project…").click()
    page.get_by_role("textbox", name="Name").fill("House")
    page.get_by_role("textbox", name="Instructions").fill("Use metric units.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    chat.row("Tiles for the roof").hover()
    chat.row("Tiles for the roof").get_by_role("button", name=re.compile("^Actions for")).click()
    page.get_by_role("menuitem", name="Move to project…").click()
    page.get_by_role("group", name="Projects").get_by_role("button", name="House").click()
    expect(page.get_by_text("The conversation is in “House”.")).to_be_visible()
    page.locator(".topbar").get_by_role("button", name="In the project House. Show its chats").click()
    chosen = chat.sidebar.get_by_role("button", name="In the project House. Leave the project")
    expect(chosen).to_be_visible()
    chat.sidebar.get_by_role("link", name="New chat").click()
    expect(page.get_by_text("New chat in House")).to_be_visible()
    chat.ask("How long is a beam?").wait_for_end()
    expect(chat.row("How long is a beam?")).to_be_visible()
    expect(chat.row("Tiles for the roof")).to_be_visible()
    chosen.click()
    expect(chosen).to_have_count(0)
    filters.click()
    page.get_by_role("menuitem", name="Manage projects…").click()
    page.get_by_role("button", name="Delete House").click()
    expect(page.get_by_text("2 conversations are in it.")).to_be_visible()
    page.get_by_role("radio", name="Move them to the trash").check()
    page.get_by_role("button", name="Delete project").click()
    expect(page.get_by_text("The project was deleted. 2 conversations are in the trash.")).to_be_visible()
    expect(chat.row("Tiles for the roof")).to_have_count(0)


def test_a_draft_is_there_on_another_device_and_never_in_place_of_a_newer_one(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    desk = Chat(signed_in(server).new_page(), server.url).begin(MODEL, "A letter to write").wait_for_end()
    path = desk.path
    desk.composer.fill("Dear Sir or Madam")
    phone = Chat(signed_in(server).new_page(), server.url)
    until_saved(desk)
    phone.open(path)
    expect(phone.composer).to_have_value("Dear Sir or Madam")
    phone.composer.fill("Dear Sir or Madam, I write")
    until_saved(phone)
    # What was typed here meanwhile stays, also after a reload; what the other device typed follows it.
    desk.page.context.set_offline(True)
    desk.composer.fill("Dear Ada")
    desk.page.context.set_offline(False)
    desk.open(path)
    expect(desk.composer).to_have_value("Dear Ada\n\nDear Sir or Madam, I write")
    until_saved(desk)
    phone.open(path)
    expect(phone.composer).to_have_value("Dear Ada\n\nDear Sir or Madam, I write")
    desk.composer.fill("Dear Ada")
    desk.composer.press("Enter")
    desk.wait_for_end()
    until_saved(desk)
    phone.open(path)
    expect(phone.asked.last).to_have_text("Dear Ada")
    expect(phone.composer).to_have_value("")
