"""Every page can be drawn: a wrong var or handler is found here, in milliseconds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import reflex as rx

from rxchat.domain.text import PAGES as FIRST_SEGMENTS
from rxchat.ui.site_map import PAGES, Page, register


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.route)
def test_page_renders(page: Page) -> None:
    assert page.component().render()


def test_no_field_cuts_what_is_pasted_into_it() -> None:
    """`maxlength` does, without a word; `at_most` of the kit keeps the text and says so."""
    modules = (Path(__file__).parents[2] / "rxchat" / "ui").rglob("*.py")
    assert [module.name for module in modules if "max_length=" in module.read_text()] == []


def test_register_adds_every_page_and_runs_what_comes_before_its_loading() -> None:
    app = rx.App()
    register(app, before_load=(rx.console_log("first"),))
    assert len(app._unevaluated_pages) == len(PAGES)


def test_chat_page_has_a_place_for_the_new_and_for_the_named_conversation() -> None:
    routes = {page.route for page in PAGES}
    assert {"/", "/c/[conversation_id]", "/sign-in", "/setup", "404"} <= routes


def test_next_may_lead_to_every_page_and_to_nothing_else() -> None:
    routes = {page.route.split("/")[1] for page in PAGES if page.route.startswith("/")}
    assert routes - {""} == FIRST_SEGMENTS
    # The browser decides alike, before it leaves the sign-in page.
    words = Path(__file__).parents[2] / "rxchat" / "ui" / "client" / "words.js"
    assert (
        set(re.findall(r'"([\w-]+)"', words.read_text().partition("const PAGES = [")[2].partition("]")[0]))
        == FIRST_SEGMENTS
    )
    cases = json.loads((Path(__file__).parents[1] / "support" / "next_cases.json").read_text())
    assert {re.split(r"[/?#]", path)[1] for path in map(str, cases["pages"]) if path.startswith("/")} >= FIRST_SEGMENTS
