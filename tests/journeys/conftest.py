"""A browser, two servers and tabs in them; a test that fails leaves a picture and the end of the web log."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, expect, sync_playwright

from tests.journeys.browser import EMAIL, NAME, PASSWORD, PATIENCE_MS, Chat, chromium
from tests.journeys.cited_documents import fill
from tests.journeys.server import EMBEDDER, ModelHost, RxChat
from tests.journeys.users import session_of
from tests.peers.mailbox import Mailbox
from tests.peers.mailbox import mailbox as run_mailbox
from tests.peers.sign_in_provider import SignInProviderHost, sign_in_provider
from tests.ports import free_port

PICTURES = Path(tempfile.gettempdir()) / "rxchat-journeys"
HELD = "scripted:count=1,tokens=200,rate=100,hold=80"
"""A model that waits in the middle of its answer until the test lets it go on."""
LATE = "scripted:tokens=10,hold=0+5"
"""A model that waits before its first word, and again after five."""
FAILING = "scripted:fault=cut,at=60,rate=100,tokens=80,hold=30"
ECHO = "scripted:echo=3,rate=150"
RICH, ENDLESS = "scripted:rich=1", "scripted:count=1,tokens=3000,rate=20"
MODELS = (
    HELD,
    ENDLESS,
    "scripted:count=1,tokens=20",
    "scripted:count=1,tokens=12000,rate=400,hold=900+3000",
    LATE,
    "scripted:think=20,tokens=20,rate=40",
    "scripted:fault=cut,at=5",
    FAILING,
    "scripted:fault=nul,at=2",
    "scripted:fault=markdown,rate=200",
    "scripted:think=10,fault=markdown,rate=100,hold=5+50",
    "scripted:hostile=1",
    "scripted:notes=1",
    ECHO,
    EMBEDDER,
)
PLAIN = "scripted:tokens=1,text=Thirty days are yours [1]."
QUOTING = "scripted:tokens=1,text=It says “Everybody has thirty days of holidays” [1]."
DOUBTFUL = "scripted:tokens=1,text=It says “forty days of beach” [1] and so does another [7]."
CODE = "scripted:tokens=1,text=Look at ``[1]`` here. Great![1]"
LONG = "scripted:count=1,tokens=1500,rate=2000"
SEES = "scripted:tokens=1,see=1,text=A black square."
CITING = (PLAIN, QUOTING, DOUBTFUL, CODE, SEES)
Open = Callable[..., Chat]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Add what was on the screens and in the log to the report of a failure."""
    report: pytest.TestReport = yield
    if report.when == "call" and report.failed:
        fixtures: dict[str, Any] = getattr(item, "funcargs", {})
        contexts: list[BrowserContext] = fixtures.get("contexts", [])
        PICTURES.mkdir(exist_ok=True)
        for number, page in enumerate(page for context in contexts for page in context.pages):
            path = PICTURES / f"{re.sub(r'[^a-z0-9]+', '-', item.name.lower())[:80]}-{number}.png"
            try:
                page.screenshot(path=path)
                report.sections.append(("screen", f"{path} shows {page.url}"))
            except Error as error:
                report.sections.append(("screen", f"no picture: {error}"))
        report.sections += [
            (f"web log of {name}", fixture.web_log())
            for name, fixture in fixtures.items()
            if isinstance(fixture, RxChat)
        ]
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright, chromium(playwright) as found:
        yield found


@pytest.fixture(scope="package")
def model_host() -> Iterator[ModelHost]:
    """The scripted model host of the calm server."""
    host = ModelHost(*MODELS)
    host.start()
    yield host
    host.kill()


@pytest.fixture(scope="package")
def server(model_host: ModelHost) -> Iterator[RxChat]:
    """A server that no test kills, with its first administrator."""
    found = RxChat(model_host.host, RXCHAT_CONTEXT_TOKENS="131072")
    try:
        found.start()
        create_account(found)
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="package")
def disposable_model_host() -> Iterator[ModelHost]:
    """A scripted model host that tests may kill; they start it again."""
    host = ModelHost(*MODELS)
    host.start()
    yield host
    host.kill()


@pytest.fixture(scope="package")
def disposable_server(disposable_model_host: ModelHost) -> Iterator[RxChat]:
    """A server whose parts tests may kill; they leave it running. It has one more origin, for a line that leads to it."""
    found = RxChat(disposable_model_host.host, RXCHAT_EXTRA_ORIGINS=f"http://127.0.0.1:{free_port()}")
    try:
        found.start()
        create_account(found)
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="package")
def mailbox() -> Iterator[Mailbox]:
    """The mails that the open server sends."""
    with run_mailbox() as found:
        yield found


@pytest.fixture(scope="package")
def identity_providers() -> Iterator[SignInProviderHost]:
    """Where people have accounts elsewhere."""
    with sign_in_provider() as host:
        yield host


@pytest.fixture(scope="package")
def open_server(model_host: ModelHost, mailbox: Mailbox, identity_providers: SignInProviderHost) -> Iterator[RxChat]:
    """A server with open registration, mail and every sign-in provider."""
    settings = {"RXCHAT_REGISTRATION": "open", "RXCHAT_SECOND_FACTOR": "nobody", "RXCHAT_SMTP_URL": mailbox.url}
    found = RxChat(model_host.host, **settings, **identity_providers.environment)
    try:
        found.start()
        create_account(found)
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="package")
def document_model_host() -> Iterator[ModelHost]:
    """Models that cite, and one that embeds."""
    host = ModelHost(*CITING, LONG, HELD, RICH, ENDLESS, "scripted:count=1,tokens=20", EMBEDDER)
    host.start()
    yield host
    host.kill()


@pytest.fixture(scope="package")
def document_server(document_model_host: ModelHost) -> Iterator[RxChat]:
    """A server with those models, whose administrator needs no second factor.

    It has one more origin, for a line that leads to it.
    """
    settings = {"RXCHAT_SECOND_FACTOR": "nobody", "RXCHAT_EXTRA_ORIGINS": f"http://127.0.0.1:{free_port()}"}
    found = RxChat(document_model_host.host, **settings)
    try:
        found.start()
        create_account(found)
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="package")
def filled_server(document_server: RxChat) -> RxChat:
    """The same server with a collection of two documents."""
    fill(document_server)
    return document_server


@pytest.fixture
def contexts() -> Iterator[list[BrowserContext]]:
    """The browser profiles of this test; they are closed after it."""
    opened: list[BrowserContext] = []
    yield opened
    for context in opened:
        context.close()


@pytest.fixture
def profile(browser: Browser, contexts: list[BrowserContext]) -> Callable[..., BrowserContext]:
    """Create a browser profile without a session.

    It wants less motion, unless a test says otherwise: drawing what moves takes a tenth of a browser's processor time. Without
    a service worker, tests see every request.
    """
    usual = {
        "color_scheme": "light",
        "viewport": {"width": 1280, "height": 800},
        "reduced_motion": "reduce",
        "service_workers": "block",
    }

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**usual | options)
        contexts.append(context)
        return context

    return make


@pytest.fixture
def signed_in(profile: Callable[..., BrowserContext]) -> Callable[..., BrowserContext]:
    """Make a browser profile in which the first administrator of a server is signed in."""

    def make(server: RxChat, **options: Any) -> BrowserContext:
        return profile(storage_state=session_of(server), **options)

    return make


@pytest.fixture
def chat(server: RxChat, signed_in: Callable[..., BrowserContext]) -> Chat:
    """A tab of a user who is signed in at the shared server."""
    return Chat(signed_in(server).new_page(), server.url)


def create_account(server: RxChat) -> None:
    """Create the first administrator with the link that was printed."""
    token = server.link.partition("token=")[2]
    body = {"token": token, "name": NAME, "email": EMAIL, "password": PASSWORD}
    httpx.post(f"{server.url}/api/auth/setup", json=body, trust_env=False).raise_for_status()
