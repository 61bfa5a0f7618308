"""A page of RxChat as a person uses it: what they see, press and wait for."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

# The first one is the same Chromium without windows: it takes a quarter of the processor time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --disable-background-networking --disable-component-update"
    " --disable-sync --no-first-run"
)
PATIENCE_MS = 60_000

EMAIL, PASSWORD, NAME = "ada@example.org", "a rather long sentence", "Ada Lovelace"


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium, as the Makefile looks for it."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert path, "no Chromium: see `make browser`"
    browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS.split())
    yield browser
    browser.close()


class Chat:
    """One tab on RxChat."""

    def __init__(self, page: Page, url: str) -> None:
        """Look at a page; nothing is loaded yet."""
        self.page = page
        self.url = url
        page.set_default_timeout(PATIENCE_MS)
        self.composer = page.get_by_role("textbox", name="Message")
        self.answers = page.get_by_role("article", name=re.compile("answers$"))
        self.questions = page.get_by_role("article", name="You", exact=True)
        self.asked = self.questions.locator(".bubble-text")
        self.stop_button = page.get_by_role("button", name="Stop the answer")
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.sidebar = page.get_by_role("navigation", name="Conversations")
        self.composer_hint = page.locator(".composer-hint")

    def open(self, path: str = "/") -> Chat:
        """Go to an address, and wait until one can write there."""
        self.page.goto(self.url + path)
        expect(self.composer).to_be_visible()
        expect(self.page.get_by_role("button", name=re.compile("^Model: .+"))).to_be_visible()
        return self

    def choose(self, model: str) -> Chat:
        """Choose a model in the picker."""
        # Tabs in the background draw once a second.
        self.page.bring_to_front()
        self.page.get_by_role("button", name=re.compile("^Model: ")).click()
        choices = self.page.get_by_role("menuitemradio")
        choices.filter(has=self.page.get_by_text(model, exact=True)).click()
        expect(self.page.get_by_role("button", name=f"Model: {model}", exact=True)).to_be_visible()
        return self

    def ask(self, question: str) -> Chat:
        """Write and press Enter."""
        self.composer.fill(question)
        self.composer.press("Enter")
        expect(self.questions.filter(has_text=question[:80]).last).to_be_visible()
        return self

    def begin(self, model: str, question: str) -> Chat:
        """Begin a conversation, and wait until it has its address."""
        self.open().choose(model).ask(question)
        self.page.wait_for_url(re.compile("/c/"))
        return self

    def put(self, text: str) -> Chat:
        """Have a text in the composer at once, as pasting does; lone surrogates pass, too."""
        data = text.encode("utf-16-le", "surrogatepass")
        units = [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]
        self.composer.evaluate(
            "(field, units) => { const text = units.map((unit) => String.fromCharCode(unit)).join('');"
            " Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, 'value').set.call(field, text);"
            " field.dispatchEvent(new Event('input', { bubbles: true })) }",
            units,
        )
        return self

    @property
    def conversation_id(self) -> str:
        """The conversation that the address names."""
        return str(UUID(self.page.url.rpartition("/c/")[2]))

    @property
    def path(self) -> str:
        """The conversation's address on this site."""
        return f"/c/{self.conversation_id}"

    @property
    def answer(self) -> Locator:
        """The last answer's words, as they are drawn."""
        return self.answers.last.locator(".md")

    def said(self) -> str:
        """The last answer's words on one line."""
        return " ".join(self.answer.inner_text().split()) if self.answer.count() else ""

    def wait_for_words(self, count: int, seconds: float = PATIENCE_MS / 1000) -> Chat:
        """Wait until the last answer has so many words."""
        self.page.wait_for_function(
            "count => { const all = document.querySelectorAll('.message-answer');"
            " const words = (all[all.length - 1]?.querySelector('.md')?.textContent ?? '').split(/\\s+/);"
            " return words.filter(Boolean).length >= count }",
            arg=count,
            timeout=seconds * 1000,
        )
        return self

    def wait_for_end(self, seconds: float = 60) -> Chat:
        """Wait until the last answer has ended, however it did."""
        expect(self.answers.last).to_have_attribute("aria-busy", "false", timeout=seconds * 1000)
        expect(self.stop_button).to_have_count(0)
        return self

    def row(self, title: str) -> Locator:
        """The sidebar's row with this title."""
        return self.sidebar.get_by_role("listitem").filter(has_text=title)


def requests_of(context: BrowserContext) -> list[str]:
    """The addresses that a context's pages ask for from now on; the list grows."""
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    return asked
