"""What was said can be said otherwise: editing, answering again, versions, deleting, a new chat from a message."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.journeys.browser import Chat

TWENTY, FEW = "scripted:count=1,tokens=20", "scripted:notes=1"


def two_turns(chat: Chat) -> Chat:
    chat.begin(TWENTY, "Count to twenty").wait_for_end()
    return chat.ask("And once more").wait_for_end()


def button(message: Locator, name: str) -> Locator:
    message.hover()
    return message.get_by_role("button", name=name, exact=True)


def choose(chat: Chat, message: Locator, item: str) -> None:
    button(message, "More actions").click()
    chat.page.get_by_role("menuitem", name=item, exact=True).click()


def test_an_edited_message_is_answered_again_and_the_arrows_lead_to_the_earlier_one(chat: Chat) -> None:
    page = two_turns(chat).page
    button(chat.questions.first, "Edit message").click()
    dialog = page.get_by_role("dialog", name="Edit message")
    field = dialog.get_by_role("textbox", name="Message")
    expect(field).to_have_value("Count to twenty")
    expect(field).to_be_focused()
    field.fill("  ")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_text("Enter a message.")).to_be_visible()
    field.fill("Count again")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog).to_have_count(0)
    expect(chat.asked).to_have_text(["Count again"])
    chat.wait_for_end()
    expect(chat.questions.first).to_contain_text("2/2")
    earlier = button(chat.questions.first, "Earlier version")
    earlier.focus()
    page.keyboard.press("Enter")
    expect(chat.asked).to_have_text(["Count to twenty", "And once more"])
    expect(chat.questions.first).to_contain_text("1/2")
    # The keyboard is still at the arrows, of which this one leads no further.
    later = chat.questions.first.get_by_role("button", name="Later version")
    expect(earlier).to_have_attribute("aria-disabled", "true")
    expect(earlier).to_be_focused()
    page.reload()
    expect(chat.asked).to_have_text(["Count to twenty", "And once more"])
    later.click()
    expect(chat.asked).to_have_text(["Count again"])


def test_an_answer_is_given_again_by_another_model_in_its_place(chat: Chat) -> None:
    two_turns(chat).choose(FEW)
    button(chat.answers.last, "Answer again").click()
    expect(chat.answers.last).to_contain_text("First.")
    chat.wait_for_end()
    expect(chat.answers).to_have_count(2)
    expect(chat.answers.last).to_contain_text("2/2")
    button(chat.answers.last, "Earlier version").click()
    expect(chat.answers.last.locator(".md")).to_have_text(re.compile(r"^1 2 3 .*20"))
    expect(chat.answers.last).to_contain_text("1/2")


def test_an_answer_is_edited_and_copied_without_markdown(chat: Chat) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = chat.begin(TWENTY, "Count to twenty").wait_for_end().page
    choose(chat, chat.answers.last, "Edit answer")
    dialog = page.get_by_role("dialog", name="Edit answer")
    dialog.get_by_role("textbox", name="Answer").fill("It is **twenty**.\n\n- one\n- two")
    dialog.get_by_role("button", name="Save").click()
    expect(chat.answers.last.get_by_role("listitem")).to_have_text(["one", "two"])
    choose(chat, chat.answers.last, "Copy as plain text")
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.startsWith('It is twenty.'))")
    assert "*" not in page.evaluate("navigator.clipboard.readText()")


def test_a_message_is_deleted_with_what_follows_and_undo_brings_it_back(chat: Chat) -> None:
    page = two_turns(chat).page
    choose(chat, chat.questions.last, "Delete")
    expect(chat.asked).to_have_text(["Count to twenty"])
    toast = page.get_by_text("Message deleted, and one after it.")
    expect(toast).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(chat.asked).to_have_text(["Count to twenty", "And once more"])
    expect(toast).to_have_count(0)


def test_a_new_chat_begins_from_a_message_and_the_first_one_stays(chat: Chat) -> None:
    page = two_turns(chat).page
    before = page.url
    choose(chat, chat.answers.first, "New chat from here")
    page.wait_for_url(lambda url: "/c/" in url and url != before)
    expect(chat.asked).to_have_text(["Count to twenty"])
    expect(chat.row("Count to twenty (fork)")).to_be_visible()
    chat.ask("Elsewhere").wait_for_end()
    page.goto(before)
    expect(chat.asked).to_have_text(["Count to twenty", "And once more"])


def test_an_answer_is_rated_with_reasons(chat: Chat) -> None:
    page = two_turns(chat).page
    good, bad = [chat.answers.last.get_by_role("button", name=f"{kind} answer") for kind in ("Good", "Bad")]
    good.click()
    expect(good).to_have_attribute("aria-pressed", "true")
    bad.click()
    dialog = page.get_by_role("dialog", name="What was wrong?")
    dialog.get_by_label("It is not correct").check()
    dialog.get_by_label("In your words").fill("Twenty comes after nineteen.")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(good).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
