"""Rows 28-30: nothing that a model, a person or a file can write runs in a page, and nothing is fetched for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, expect

from rxchat.domain.text import sanitize
from tests.journeys.browser import EMAIL, Chat
from tests.journeys.server import RxChat
from tests.stored_conversations import StoredMessage, store_conversation

CORPUS = Path(__file__).parents[1] / "security" / "corpus" / "hostile-markdown.jsonl"
PAYLOADS = [sanitize(json.loads(line)) for line in CORPUS.read_text().splitlines()]
# As many messages as a page shows at first, half of them questions.
IN_ONE = 96
FIELDS = [payload for payload in PAYLOADS if "\n" not in payload and len(payload) < 90][:24]

WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.__violations.push(event.violatedDirective + " " + event.blockedURI));
"""
# What must not be in the page, nor in what a second parser makes of the page's own words (mutation XSS).
BAD_PARTS = """
() => {
  const found = [];
  const look = (root, where) => {
    for (const part of root.querySelectorAll(".main *, .sidebar *")) {
      const name = part.localName;
      if (["script", "iframe", "object", "embed", "base", "meta", "link", "style", "form", "animate", "foreignobject"].includes(name)
          && !(name === "iframe" && part.getAttribute("src").startsWith("/frames/") && String(part.sandbox) === "allow-scripts")
          && !part.closest("form.composer, form.form, .composer, [data-own-form]")) found.push(`${where}: <${name}>`);
      for (const { name: attribute, value } of part.attributes) {
        const text = value.replace(/[\\u0000-\\u0020]/g, "").toLowerCase();
        if (attribute.startsWith("on") || attribute === "srcdoc") found.push(`${where}: ${name} ${attribute}`);
        if (["href", "src", "action", "formaction", "xlink:href", "data", "poster", "ping", "srcset", "background"].includes(attribute)
            && /^(javascript|vbscript|data:text|data:image\\/svg|file):?/.test(text)) found.push(`${where}: ${name} ${attribute}=${value}`);
        if (["src", "poster", "srcset", "background", "ping"].includes(attribute) && text.includes("evil.example")) found.push(`${where}: ${name} ${attribute}=${value}`);
      }
    }
  };
  look(document, "page");
  const again = document.implementation.createHTMLDocument("");
  again.body.innerHTML = document.body.innerHTML;
  look(again, "parsed again");
  return found;
}
"""


class Watched:
    """A page whose every misstep is noted."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        """Watch a page of this context before anything is loaded into it."""
        self.dialogs: list[str] = []
        self.identity_providers: list[str] = []
        self.page: Page = context.new_page()
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._dismiss)
        context.on("request", lambda request: self._note(request.url, url))

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _note(self, asked: str, own: str) -> None:
        if not asked.startswith((own, own.replace("http", "ws"), "data:", "blob:")):
            self.identity_providers.append(asked)

    def assert_unharmed(self) -> None:
        """Nothing ran, nothing was asked for, nothing stands in the page that could, and no policy had to stop it."""
        assert self.page.evaluate("window.__xss") is None
        assert self.dialogs == [] and self.identity_providers == []
        assert self.page.evaluate("window.__violations") == []
        assert self.page.evaluate(BAD_PARTS) == []
        # The second parser is under the policy, too, and may not apply the styles that React has set.
        self.page.evaluate("window.__violations.length = 0")


def owner_of(server: RxChat) -> Any:
    with psycopg.connect(server.owner_url()) as connection:
        row = connection.execute("SELECT id FROM user_account WHERE email = %s", (EMAIL,)).fetchone()
    assert row
    return row[0]


def add_conversation(server: RxChat, payloads: list[str], title: str) -> str:
    """Add a conversation whose questions and answers are these payloads, eight to a message."""
    texts = ["\n\n".join(payloads[at : at + 8]) for at in range(0, len(payloads), 8)]
    messages = [
        StoredMessage("user" if seq % 3 == 0 else "assistant", text, title, reasoning=text, tokens=1)
        for seq, text in enumerate(texts, start=1)
    ]
    owner = owner_of(server)
    with psycopg.connect(server.owner_url()) as connection, connection.cursor() as cursor:
        conversation = store_conversation(cursor, owner, messages, title=title)
    return str(conversation)


@pytest.mark.parametrize("part", range(-(-len(PAYLOADS) // IN_ONE)))
def test_whatever_is_written_in_a_conversation_is_shown_and_does_nothing(
    server: RxChat, signed_in: Callable[..., BrowserContext], part: int
) -> None:
    payloads = PAYLOADS[part * IN_ONE : (part + 1) * IN_ONE]
    conversation = add_conversation(server, payloads, f"Hostile {part}")
    watched = Watched(signed_in(server), server.url)
    chat = Chat(watched.page, server.url).open(f"/c/{conversation}")
    expect(chat.answers.last).to_be_visible()
    expect(chat.page.get_by_role("article")).to_have_count(len(payloads) // 8 + (len(payloads) % 8 > 0))
    # What is drawn late (highlighting, the rest of long messages) and what the mouse or the keyboard would wake.
    chat.page.wait_for_function("() => !document.querySelector('.main [aria-busy=true]')")
    folded = chat.page.get_by_role("button", name="Show more")
    while folded.count():
        folded.first.click()
    chat.page.evaluate(
        "() => document.querySelectorAll('.main *').forEach((part) => ['mouseover', 'focus', 'load', 'error', 'toggle']"
        ".forEach((name) => part.dispatchEvent(new Event(name))))"
    )
    watched.assert_unharmed()


def test_titles_names_and_models_are_words_and_nothing_else(
    server: RxChat, signed_in: Callable[..., BrowserContext]
) -> None:
    for title in FIELDS:
        add_conversation(server, ["plain"], title)
    with psycopg.connect(server.owner_url()) as connection:
        connection.execute("UPDATE user_account SET name = %s WHERE email = %s", (FIELDS[0], EMAIL))
    try:
        watched = Watched(signed_in(server), server.url)
        chat = Chat(watched.page, server.url).open()
        expect(chat.sidebar.get_by_role("link", name=FIELDS[-1], exact=True)).to_be_visible()
        watched.assert_unharmed()
        chat.page.get_by_role("button", name=FIELDS[0], exact=True).click()
        chat.page.keyboard.press("Escape")
        chat.sidebar.get_by_role("link", name=FIELDS[3], exact=True).click()
        expect(chat.page.get_by_role("heading", level=1, name=FIELDS[3])).to_be_visible()
        watched.assert_unharmed()
    finally:
        with psycopg.connect(server.owner_url()) as connection:
            connection.execute("UPDATE user_account SET name = 'Ada Lovelace' WHERE email = %s", (EMAIL,))
