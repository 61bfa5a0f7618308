"""Documents that answers cite: a collection of them, and files attached to a message."""

from __future__ import annotations

from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.journeys.server import RxChat, until
from tests.journeys.users import session_of

HANDBOOK = """# Handbook

## Holidays

Everybody has thirty days of holidays in a year. They are asked for in the calendar.

## Coffee

The coffee machine is cleaned on Fridays by the last to drink.
"""


def program(server: RxChat) -> httpx.Client:
    """The first administrator, over HTTP."""
    kept = session_of(server).get("cookies", [])
    cookies = {cookie.get("name", ""): cookie.get("value", "") for cookie in kept}
    return httpx.Client(base_url=server.url, cookies=cookies, trust_env=False)


def fill(server: RxChat) -> None:
    """Make the collection unless it is there, and wait until all of it can be found."""
    with program(server) as client:
        if any(item["name"] == "Team rules" for item in client.get("/api/collections").json()):
            return
        made: dict[str, Any] = client.post("/api/collections", json={"name": "Team rules"}).json()
        for name, text in {
            "handbook.md": HANDBOOK,
            "parking.md": "# Parking\n\nThe bicycles stand in the yard.\n",
        }.items():
            where = {"name": name, "collection": made["id"]}
            client.post("/api/files", params=where, content=text.encode()).raise_for_status()

        def is_ready() -> bool:
            found = client.get(f"/api/collections/{made['id']}/documents").json()
            return len(found) == 2 and all(document["state"] == "ready" for document in found)

        until(is_ready, 60)


def handbook_address(server: RxChat, query: str) -> str:
    """Where the handbook is shown, as the address of a citation says."""
    with program(server) as client:
        [rules] = [item for item in client.get("/api/collections").json() if item["name"] == "Team rules"]
        found = client.get(f"/api/collections/{rules['id']}/documents").json()
    identifier = next(item["id"] for item in found if item["name"] == "handbook.md")
    return f"{server.url}/documents/view/{identifier}?{query}"


def attach(page: Page, name: str = "handbook.md", text: str = HANDBOOK) -> None:
    """Choose a file, and wait until it is there or has been refused."""
    begin_attaching(page, name, text)
    expect(chips(page).filter(has_text=name)).to_have_count(1)
    expect(page.locator(".attachment-ring")).to_have_count(0)


def begin_attaching(page: Page, name: str = "handbook.md", text: str = HANDBOOK) -> None:
    """Choose a file as the file picker would."""
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name="Attach files").click()
    choosing.value.set_files([{"name": name, "mimeType": "text/markdown", "buffer": text.encode()}])


def chips(page: Page) -> Locator:
    """What goes along with the message that is being written."""
    return page.get_by_role("list", name="Attached to this message").get_by_role("listitem")


def known(page: Page) -> Locator:
    """What the conversation's answers are grounded in."""
    return page.get_by_role("region", name="What answers may use").get_by_role("listitem")
