"""A real Chromium, with people signed in to it and an observer in every page."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.performance.seeding import Person

_OBSERVER = Path(__file__).with_name("observer.js").read_text()
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell")
# Nothing that the browser does on its own account.
_QUIET = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_PATIENCE_MILLISECONDS = 30_000


def executable() -> str:
    """Return the system's Chromium.

    Raises:
        FileNotFoundError: there is none.
    """
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("no Chromium is installed")


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """Run a browser while the context is open."""
    arguments = [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    async with async_playwright() as playwright:
        # This process handles Ctrl-C.
        browser = await playwright.chromium.launch(
            executable_path=executable(), args=arguments, handle_sigint=False, handle_sigterm=False
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def profile(browser: Browser, url: str, person: Person | None) -> AsyncGenerator[BrowserContext]:
    """Give a fresh profile (empty cache), signed in as a person."""
    # Playwright waits for expressions by evaluating them, which the pages' own policy forbids.
    context = await browser.new_context(bypass_csp=True, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(_PATIENCE_MILLISECONDS)
    await context.add_init_script(_OBSERVER)
    if person is not None:
        await context.add_cookies([{"name": "rxchat_session", "value": person.cookie, "url": url}])
    try:
        yield context
    finally:
        await context.close()


async def until_ready(page: Page) -> None:
    """Wait until the chat page can answer: the composer is there and the server has said who and what."""
    await page.wait_for_selector("#composer")
    await page.wait_for_function(
        "document.querySelector('.account-name')?.textContent && !document.querySelector('.rows-skeleton')"
    )


async def noted(page: Page, expression: str) -> Any:
    """Return what the observer has noted."""
    return await page.evaluate(f"window.__bench.{expression}")
