"""What is done with conversations as a whole: renamed, deleted, brought back, and read from their end upwards."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import BrowserContext, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import HELD
from tests.journeys.server import ModelHost, RxChat
from tests.stored_conversations import StoredMessage, store_conversation

QUICK = "scripted:count=1,tokens=20"


def menu(chat: Chat, title: str, item: str) -> None:
    """Choose from a row's menu."""
    chat.page.bring_to_front()
    chat.row(title).hover()
    chat.row(title).get_by_role("button", name=f"Actions for {title}").click()
    chat.page.get_by_role("menuitem", name=item).click()


def test_a_conversation_is_renamed_in_its_row_and_everywhere(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url).begin(QUICK, "A dull first title").wait_for_end()
    other = Chat(context.new_page(), server.url).open(chat.path)
    menu(chat, "A dull first title", "Rename")
    title = chat.page.get_by_label("Conversation title")
    expect(title).to_have_value("A dull first title")
    title.fill("A <b>better</b> title")
    title.press("Enter")
    for tab in (chat, other):
        expect(tab.row("A <b>better</b> title")).to_be_visible()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("A <b>better</b> title")
        expect(tab.page).to_have_title("A <b>better</b> title · RxChat")
    # Two who rename it at once: the page that was slower says what the other one has made of it, too.
    titles = [tab.page.get_by_label("Conversation title") for tab in (chat, other)]
    for tab, field, name in zip((chat, other), titles, ("Of the first", "Of the second"), strict=True):
        menu(tab, "A <b>better</b> title", "Rename")
        field.fill(name)
    for field in titles:
        field.press("Enter")
    expect(chat.row("Of the second")).to_be_visible()
    expect(other.row("Of the second")).to_be_visible()
    for tab in (chat, other):
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Of the second")
        expect(tab.row("Of the first")).to_have_count(0)
    menu(chat, "Of the second", "Rename")
    title.fill("A <b>better</b> title")
    title.press("Enter")
    menu(chat, "A <b>better</b> title", "Rename")
    title.fill("Never kept")
    title.press("Escape")
    expect(chat.row("A <b>better</b> title")).to_be_visible()
    menu(chat, "A <b>better</b> title", "Rename")
    title.fill("   ")
    title.press("Enter")
    chat.page.reload()
    expect(chat.row("A <b>better</b> title")).to_be_visible()
    expect(chat.row("Never kept")).to_have_count(0)


def test_a_deleted_conversation_can_be_brought_back(chat: Chat) -> None:
    chat.begin(QUICK, "Delete this by mistake").wait_for_end()
    path = chat.path
    menu(chat, "Delete this by mistake", "Delete")
    chat.page.wait_for_url(f"{chat.url}/")
    expect(chat.row("Delete this by mistake")).to_have_count(0)
    expect(chat.page.get_by_text("Deleted “Delete this by mistake”")).to_be_visible()
    chat.page.get_by_role("button", name="Undo").click()
    chat.row("Delete this by mistake").get_by_role("link").click()
    chat.page.wait_for_url(f"**{path}")
    chat.wait_for_words(20)
    expect(chat.page.get_by_role("button", name="Undo")).to_have_count(0)


def test_a_deleted_conversation_is_gone_for_every_tab(server: RxChat, signed_in: Callable[..., BrowserContext]) -> None:
    context = signed_in(server)
    chat = Chat(context.new_page(), server.url).begin(QUICK, "Delete this for good").wait_for_end()
    other = Chat(context.new_page(), server.url).open(chat.path)
    path = chat.path
    chat.open()
    menu(chat, "Delete this for good", "Delete")
    expect(other.page.get_by_role("heading", name="Page not found")).to_be_visible()
    expect(other.row("Delete this for good")).to_have_count(0)
    chat.page.goto(chat.url + path)
    expect(chat.page.get_by_role("heading", name="Page not found")).to_be_visible()


def test_going_from_one_conversation_to_another_shows_only_that_one(chat: Chat, model_host: ModelHost) -> None:
    chat.begin(HELD, "Answered while I am away").wait_for_words(5)
    first = chat.path
    chat.begin(QUICK, "Something else").wait_for_end()
    expect(chat.asked).to_have_text("Something else")
    chat.composer.fill("A draft of the second")
    chat.row("Answered while I am away").get_by_role("link").click()
    chat.page.wait_for_url(f"**{first}")
    expect(chat.asked).to_have_text("Answered while I am away")
    expect(chat.composer).to_have_value("")
    model_host.go_on()
    chat.wait_for_words(200).wait_for_end()
    chat.page.go_back()
    expect(chat.asked).to_have_text("Something else")
    expect(chat.composer).to_have_value("A draft of the second")
    chat.page.keyboard.press("Control+Shift+O")
    expect(chat.page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    expect(chat.questions).to_have_count(0)
    expect(chat.composer).to_be_focused()
    expect(chat.composer).to_have_value("")


@pytest.fixture
def long_history(server: RxChat) -> str:
    """A conversation of 200 messages."""
    with psycopg.connect(server.owner_url()) as connection:
        row = connection.execute("SELECT id FROM user_account WHERE role = 'admin'").fetchone()
        assert row is not None
        (owner,) = row
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(owner),))
        messages = [
            StoredMessage("assistant", f"Answer {seq}.\n\nIt has two paragraphs.", QUICK, tokens=10)
            if seq % 2 == 0
            else StoredMessage("user", f"Question {seq}")
            for seq in range(1, 201)
        ]
        with connection.cursor() as cursor:
            conversation = store_conversation(cursor, owner, messages, title="A long history", model=QUICK)
    return str(conversation)


def test_a_long_history_opens_at_its_end_and_older_messages_load_without_moving_what_is_read(
    chat: Chat, long_history: str
) -> None:
    chat.open(f"/c/{long_history}")
    expect(chat.answers.last).to_contain_text("Answer 200.")
    expect(chat.answers.last).to_be_in_viewport()
    expect(chat.page.get_by_text("Question 1", exact=True)).to_have_count(0)
    assert chat.questions.count() + chat.answers.count() < 50

    box = chat.page.locator(".thread-scroll")
    box.hover()
    chat.page.mouse.wheel(0, -300)
    expect(chat.page.get_by_role("button", name="Scroll to the end")).to_be_visible()
    for _ in range(30):
        if chat.page.get_by_text("Question 1", exact=True).count():
            break
        before = chat.questions.count() + chat.answers.count()
        expect(chat.page.locator(".loading-older")).to_have_count(0)
        # In one go, as a wheel's scrolling takes its time: what stands where when older ones are asked for.
        place = box.evaluate(
            "box => { box.scrollTop = Math.min(box.scrollTop, 500); window.read = [...box.querySelectorAll('article')]"
            ".find(item => item.getBoundingClientRect().top > 100); return window.read.getBoundingClientRect().top }"
        )
        chat.page.wait_for_function(
            "before => document.querySelectorAll('.thread article').length > before", arg=before
        )
        after = chat.page.evaluate("window.read.isConnected && window.read.getBoundingClientRect().top")
        assert after is not False, "what is read was drawn anew"
        assert abs(after - place) <= 1, (place, after)
    expect(chat.page.get_by_text("Question 1", exact=True)).to_have_count(1)
    assert chat.questions.count() + chat.answers.count() == 200
    texts = chat.questions.locator(".bubble-text").all_text_contents()
    assert texts == [f"Question {number}" for number in range(1, 200, 2)]
    chat.page.get_by_role("button", name=re.compile("Scroll to the end")).click()
    expect(chat.answers.last).to_be_in_viewport()
