"""The Python model of the page passes the cases that the page itself passes (tests/ui/page-cases.test.js)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.page import Page

CASES: list[dict[str, Any]] = json.loads((Path(__file__).parents[2] / "support" / "page_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_it_shows_what_the_page_shows(case: dict[str, Any]) -> None:
    asked = {"resyncs": 0, "more": 0}

    def count(what: str) -> None:
        asked[what] += 1

    page = Page(lambda: count("resyncs"), lambda: count("more"))
    steps = {"patch": page.take_patch, "packet": page.take_packet}
    for step, *values in case["steps"]:
        (steps.get(step) or getattr(page, step))(*values)
    shown = {
        "messages": [[item["id"], item["state"], page.text(item["id"])] for item in page.messages],
        "pending": [item["id"] for item in page.pending],
        "older": page.older,
    }
    assert shown | asked == case["shows"]
    assert page.resyncs == asked["resyncs"]
