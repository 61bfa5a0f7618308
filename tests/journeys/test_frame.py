"""The frame around the chat: the list's pages, the drawer, focus, and where a message lands that was just sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import BrowserContext, expect

from rxchat.domain.ids import new_id
from tests.journeys.browser import Chat
from tests.journeys.server import RxChat, until
from tests.journeys.test_survival import cut, cuttable

QUICK = "scripted:count=1,tokens=20"
COUNT = 250
FOCUS = "document.activeElement"


@pytest.fixture
def many(server: RxChat) -> Iterator[None]:
    """250 conversations, one an hour, which are older than those of other tests; they are gone after this one."""
    with psycopg.connect(server.owner_url()) as connection:
        row = connection.execute("SELECT id FROM user_account WHERE role = 'admin'").fetchone()
        assert row is not None
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(row[0]),))
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq, updated_at)"
                " VALUES (%s, %s, gen_random_uuid(), %s, %s, 0, now() - make_interval(days => 30, hours => %s))",
                [(row[0], new_id(), f"Old number {number}.", QUICK, number) for number in range(COUNT)],
            )
    yield
    with psycopg.connect(server.owner_url()) as connection:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(row[0]),))
        connection.execute("DELETE FROM conversation WHERE updated_at < now() - interval '20 days'")


def test_all_conversations_are_reached_by_scrolling_and_one_of_them_is_renamed_and_deleted_by_keyboard(
    chat: Chat, many: None
) -> None:
    assert many is None
    page = chat.open().page
    box = page.locator(".groups")
    box.hover()
    last = chat.row(f"Old number {COUNT - 1}.")

    def is_reached() -> bool:
        page.mouse.wheel(0, 3000)
        return last.count() > 0

    until(is_reached)
    last.scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Show more conversations")).to_have_count(0)

    row = chat.row("Old number 240.")
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Conversation title")).to_be_focused()
    page.keyboard.type("A newer name")
    page.keyboard.press("Enter")
    expect(chat.row("A newer name").get_by_role("link")).to_be_focused()

    row = chat.row("Old number 230.")
    row.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename")).to_be_focused()
    for item in (
        "Pin", "Tags…", "Move to project…", "Select…", "Share link…", "Export or print…", "History and map", "Archive", "Delete",
    ):  # fmt: skip
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("menuitem", name=item)).to_be_focused()
    page.keyboard.press("Enter")
    expect(row).to_have_count(0)
    expect(chat.row("Old number 231.").get_by_role("link")).to_be_focused()


def test_a_title_is_shown_at_once_and_taken_back_when_the_server_refuses(chat: Chat, server: RxChat) -> None:
    chat.begin(QUICK, "Renamed in vain").wait_for_end()
    identifier = chat.conversation_id
    chat.open()
    chat.row("Renamed in vain").hover()
    chat.row("Renamed in vain").get_by_role("button").click()
    chat.page.get_by_role("menuitem", name="Rename").click()
    with psycopg.connect(server.owner_url()) as connection:
        connection.execute("SELECT set_config('rxchat.user_id', id::text, true) FROM user_account WHERE role = 'admin'")
        connection.execute("UPDATE conversation SET deleted_at = now() WHERE id = %s", (identifier,))
    chat.page.get_by_label("Conversation title").fill("Another title")
    chat.page.get_by_label("Conversation title").press("Enter")
    expect(chat.page.locator(".notice.is-warning")).to_be_visible()
    expect(chat.row("Another title")).to_have_count(0)


def test_the_drawer_of_a_phone_is_modal_and_a_row_has_its_menu_there(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    phone = signed_in(server, viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    chat = Chat(phone.new_page(), server.url).begin(QUICK, "Seen on a phone").wait_for_end()
    page = chat.page
    expect(page.get_by_role("link", name="New chat")).to_be_visible()
    opener = page.get_by_role("button", name="Show the sidebar")
    opener.click()
    expect(page.get_by_role("link", name="RxChat")).to_be_focused()
    for _ in range(40):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{FOCUS} === document.body || !!{FOCUS}.closest('.sidebar')"), "the focus left the drawer"
    button = chat.row("Seen on a phone").get_by_role("button")
    expect(button).to_be_visible()
    box = button.bounding_box()
    assert box is not None and min(box["width"], box["height"]) >= 40
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    expect(chat.composer).to_be_editable()
    opener.click()
    button.click()
    page.get_by_role("menuitem", name="Delete").click()
    # It was open, so the page for a new chat is shown, and no drawer.
    page.get_by_role("button", name="Undo").click()
    opener.click()
    expect(chat.row("Seen on a phone")).to_have_count(1)


def test_a_click_on_another_conversation_right_after_sending_is_not_undone(chat: Chat) -> None:
    chat.begin(QUICK, "The other one").wait_for_end()
    other = chat.path
    chat.open().choose(QUICK)
    chat.composer.fill("Sent and left")
    # In one task of the page: nothing of the server's can come between.
    chat.page.evaluate(
        "path => { document.querySelector('.composer').requestSubmit();"
        " setTimeout(() => document.querySelector(`.sidebar a[href='${path}']`).click(), 30) }",
        other,
    )
    expect(chat.row("Sent and left")).to_have_count(1)
    chat.page.wait_for_timeout(1000)
    assert chat.page.url.endswith(other)
    expect(chat.asked).to_have_text("The other one")
    chat.ask("Typed next").wait_for_end()
    expect(chat.asked).to_have_text(["The other one", "Typed next"])
    chat.page.get_by_role("link", name="New chat").click()
    expect(chat.page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    chat.page.wait_for_timeout(500)
    assert chat.page.url == f"{chat.url}/"


def test_a_low_window_shows_the_empty_page_from_its_top(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server, viewport={"width": 900, "height": 400})
    chat = Chat(context.new_page(), server.url).open()
    expect(chat.page.get_by_role("heading", name="Hello, Ada")).to_be_in_viewport(ratio=1)


def test_many_models_are_filtered_by_name(chat: Chat) -> None:
    page = chat.open().page
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    field = page.get_by_label("Filter the models")
    expect(field).to_be_focused()
    field.fill("THINK=20")
    expect(page.get_by_role("menuitemradio")).to_have_count(1)
    field.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Model: scripted:think=20,tokens=20,rate=40")).to_be_focused()
    page.keyboard.press("Enter")
    field.fill("no such model")
    expect(page.get_by_text("No model matches.")).to_be_visible()


def test_without_a_line_the_documents_page_is_shown_and_says_that_it_waits(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = cuttable(signed_in(server))
    chat = Chat(context.new_page(), server.url).open()
    # Their code is loaded some seconds after the page, when there is nothing else to do.
    chat.page.wait_for_function(
        "() => document.querySelectorAll('link[rel=modulepreload][href*=documents]').length > 0"
    )
    chat.page.wait_for_load_state("networkidle")
    chat.composer.fill("A draft")
    cut(chat)
    chat.page.get_by_role("link", name="Documents").first.click()
    expect(chat.page).to_have_url(re.compile("/documents"))
    expect(chat.page.get_by_text("Reconnecting…")).to_be_visible()
    expect(chat.page.get_by_role("heading", name="Documents").first).to_be_visible()
    context.set_offline(False)
    expect(chat.page.get_by_text("Reconnecting…")).to_have_count(0)
    chat.page.go_back()
    expect(chat.composer).to_have_value("A draft")
