"""What people, models and strangers send that must not hurt: blanks, floods, odd characters, attacks, foreign addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Dialog, Locator, expect

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from tests.factories import add_user
from tests.journeys.browser import Chat, requests_of
from tests.journeys.models import counted
from tests.journeys.server import RxChat

QUICK = "scripted:count=1,tokens=20"


def test_enter_on_a_blank_message_does_nothing(chat: Chat) -> None:
    chat.open()
    for blank in ("", "   ", "\n\n\t"):
        chat.composer.fill(blank)
        chat.composer.press("Enter")
        expect(chat.send_button).to_be_disabled()
    expect(chat.page.get_by_role("heading", name="Hello, Ada")).to_be_visible()
    expect(chat.questions).to_have_count(0)
    assert chat.page.url == f"{chat.url}/"


def test_a_flood_of_text_is_refused_with_a_sentence_and_stays(chat: Chat) -> None:
    chat.open()
    flood = "0123456789" * 30_000
    chat.put(flood)
    expect(chat.composer_hint).to_have_text(
        "This message has 300,000 characters; the maximum is 100,000. Shorten it or send it in parts."
    )
    expect(chat.send_button).to_be_disabled()
    chat.composer.press("Enter")
    expect(chat.questions).to_have_count(0)
    assert chat.composer.input_value() == flood
    chat.page.reload()
    expect(chat.composer).to_have_value(flood)
    chat.composer.fill("")


def test_a_text_too_long_for_a_field_stays_there_is_refused_with_a_sentence_and_goes_nowhere(chat: Chat) -> None:
    page = chat.begin(QUICK, "A conversation to rename").wait_for_end().page
    flood, sent = "0123456789" * 30_000, list[int]()
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(len(frame))))
    page.reload()
    chat.wait_for_words(20)

    def refuse(field: Locator, longest: str) -> None:
        field.fill(flood)
        sentence = f"Use at most {longest} characters; this text has 300,000."
        assert field.evaluate("field => field.validationMessage") == sentence
        page.keyboard.press("Enter")
        page.wait_for_timeout(400)
        expect(field).to_have_value(flood)
        assert max(sent) < 60_000

    row = chat.row("A conversation to rename")
    row.hover()
    row.get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Rename").click()
    refuse(page.get_by_label("Conversation title"), "200")
    page.get_by_label("Conversation title").fill("A better title")
    page.keyboard.press("Enter")
    expect(chat.row("A better title")).to_be_visible()

    page.goto(f"{chat.url}/documents")
    page.get_by_role("button", name=re.compile("New collection|Create your first collection")).last.click()
    name = page.get_by_role("dialog").get_by_label("Name", exact=True)
    name.fill("Kept")
    description = page.get_by_role("dialog").get_by_label("Description")
    refuse(description, "300")
    expect(name).to_have_value("Kept")
    description.fill("Short enough")
    page.get_by_role("button", name="Create collection").click()
    expect(page.get_by_role("heading", name="Kept", exact=True)).to_be_visible()

    page.get_by_role("tab", name="Test search").click()
    refuse(page.get_by_role("searchbox", name="Question"), "2,000")


def test_the_longest_message_is_sent_whole_and_folded(chat: Chat) -> None:
    longest = ("ä€😀 " * 10 + "end\n") * 1_800
    chat.open().choose(QUICK)
    chat.put(longest)
    assert len(longest.strip()) < 100_000
    chat.composer.press("Enter")
    chat.page.wait_for_url(re.compile("/c/"))
    chat.wait_for_words(20).wait_for_end()
    expect(chat.questions.get_by_role("button", name="Show more")).to_be_visible()
    # It is longer than any event may be, and comes in pieces.
    chat.page.wait_for_function(
        "text => document.querySelector('.bubble-text').textContent === text", arg=longest.strip()
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b", "a\ufffdb"),
        ("a\ud800b", "a\ufffdb"),
        ("שלום עולם, مرحبا", "שלום עולם, مرحبا"),
        ("name\u202egnp.exe", "name\u202egnp.exe"),
        ("👩‍👩‍👧‍👦 z͑ͫ̓ͪ̂ͫ̽͏̴̙̤", "👩‍👩‍👧‍👦 z͑ͫ̓ͪ̂ͫ̽͏̴̙̤"),
        ("${7*7} {{7*7}} %s' OR 1=1; --", "${7*7} {{7*7}} %s' OR 1=1; --"),
    ],
    ids=["nul", "surrogate", "right-to-left", "override", "combined", "templates"],
)
def test_odd_characters_round_trip(chat: Chat, typed: str, kept: str) -> None:
    chat.open().choose(QUICK)
    chat.put(typed)
    chat.composer.press("Enter")
    chat.page.wait_for_url(re.compile("/c/"))
    chat.wait_for_words(20).wait_for_end()
    chat.page.reload()
    chat.wait_for_words(20)
    assert chat.questions.locator(".bubble-text").text_content() == kept
    assert chat.said() == counted(1, 20).strip()


def test_odd_characters_of_a_model_do_not_break_the_stream(chat: Chat) -> None:
    chat.begin("scripted:fault=nul,at=2", "Say something odd").wait_for_end()
    streamed = chat.said()
    assert "a\ufffdb\ufffdc" in streamed
    chat.page.reload()
    chat.wait_for_words(20)
    assert chat.said() == streamed


def test_an_attack_in_answer_question_and_title_runs_nothing_and_fetches_nothing(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    context = signed_in(server)
    asked = requests_of(context)
    said: list[str] = []
    chat = Chat(context.new_page(), server.url)

    def dismiss(dialog: Dialog) -> None:
        said.append(dialog.message)
        dialog.dismiss()

    chat.page.on("dialog", dismiss)
    attack = "<img src=http://attack.invalid/q.png onerror=alert(1)><script>alert(2)</script>"
    chat.begin("scripted:hostile=1", attack).wait_for_end()
    expect(chat.answer).to_contain_text("The end.")
    expect(chat.row("<img src=http://attack.invalid")).to_be_visible()
    for _ in range(2):
        assert chat.answer.locator("script, img, iframe, style").count() == 0
        hrefs = chat.answer.locator("a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
        assert all(href.startswith(("http:", "https:", "mailto:")) for href in hrefs), hrefs
        for dead in chat.answer.locator(".dead-link").all():
            dead.click()
        chat.page.reload()
        expect(chat.answer).to_contain_text("The end.")
    assert chat.page.evaluate("window.attacked") is None
    assert said == []
    assert [url for url in asked if not url.startswith((server.url, server.url.replace("http", "ws")))] == []


@pytest.fixture
def foreign(server: RxChat) -> str:
    """A conversation of somebody else's."""
    other: CurrentUser = add_user(server.owner_url(), "Eve")
    conversation = new_id()
    with psycopg.connect(server.owner_url()) as connection:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(other.user_id),))
        connection.execute(
            "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq) VALUES (%s, %s, %s, 'Secret', '', 0)",
            (other.user_id, conversation, conversation),
        )
    return str(conversation)


def test_unknown_malformed_and_foreign_conversations_look_the_same(chat: Chat, foreign: str) -> None:
    looks: set[str] = set()
    for path in (f"/c/{new_id()}", "/c/nonsense", "/c/' OR 1=1", f"/c/{foreign}", f"/c/{foreign.upper()}"):
        chat.page.goto(chat.url + path)
        panel = chat.page.locator(".not-found")
        expect(panel.get_by_role("heading", name="Page not found")).to_be_visible()
        expect(chat.composer).to_have_count(0)
        expect(chat.page.get_by_role("main").get_by_role("heading")).to_have_count(1)
        looks.add(f"{chat.page.title()} {chat.page.get_by_role('main').inner_text()}")
    assert len(looks) == 1, looks
    chat.page.get_by_role("link", name="Start a new chat").click()
    expect(chat.composer).to_be_visible()


def test_an_address_that_no_page_has_is_not_found(chat: Chat) -> None:
    for path in ("/nowhere", "/c", "/c/a/b"):
        chat.page.goto(chat.url + path)
        expect(chat.page.get_by_role("heading", name="Page not found")).to_be_visible()
