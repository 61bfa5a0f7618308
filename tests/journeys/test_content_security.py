"""The Content-Security-Policy in a real browser: nothing of ours needs more than it allows, and nothing foreign runs."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.browser import EMAIL, PASSWORD, PATIENCE_MS, Chat
from tests.journeys.conftest import session_of
from tests.journeys.server import RxChat
from tests.journeys.users import member, site, tab

WATCH = (
    "document.addEventListener('securitypolicyviolation',"
    " event => told(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`))"
)


def watched(context: BrowserContext) -> tuple[list[str], list[str]]:
    """What the policy forbids on this profile's pages from now on, and what they complain about in the console."""
    violations: list[str] = []
    errors: list[str] = []
    context.expose_binding("told", lambda _, words: violations.append(words))
    context.add_init_script(WATCH)
    context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    context.on("weberror", lambda error: errors.append(str(error.error)))
    return violations, errors


def test_nothing_that_a_person_does_needs_more_than_the_policy_allows(
    server: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    context = profile()
    violations, errors = watched(context)
    chat = Chat(context.new_page(), server.url)
    page = chat.page
    answer = page.goto(server.url)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy and "script-src 'self' 'sha256-" in policy

    page.get_by_label("E-mail", exact=True).fill(EMAIL)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(chat.composer).to_be_visible()
    chat.choose("scripted:fault=markdown,rate=200").ask("A plan, please")
    page.wait_for_url(re.compile("/c/"))
    chat.wait_for_end()
    expect(chat.answers.last.locator("figure pre span[style]").first).to_be_visible()
    colors = "all => new Set(all.map(token => getComputedStyle(token).color)).size"
    assert chat.answers.last.locator("figure pre span[style]").evaluate_all(colors) > 1, "nothing is highlighted"
    page.get_by_role("button", name="Use the dark theme").click()
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    page.get_by_role("button", name=re.compile("^Model: ")).click()
    expect(page.get_by_role("menuitemradio").first).to_be_visible()
    page.keyboard.press("Escape")
    page.reload()
    expect(chat.answers.last.locator("figure pre")).to_be_visible()

    # What the server tells a page to do must not need eval either: here, to go elsewhere.
    ended = context.request.post(f"{server.url}/api/auth/sign-out", headers={"origin": server.url})
    assert ended.ok
    page.wait_for_url(re.compile("/sign-in"))
    expect(page.get_by_label("E-mail", exact=True)).to_be_visible()
    assert (violations, errors) == ([], [])


def test_the_pages_about_accounts_need_no_more_either(
    open_server: RxChat, profile: Callable[..., BrowserContext]
) -> None:
    _, cookies = member(open_server)
    stranger = profile()
    violations, errors = watched(stranger)
    page = tab(stranger)
    for path in (
        "sign-in",
        "sign-in?step=second-factor",
        "register",
        "join",
        "forgot",
        "reset#token=x",
        "confirm#token=x",
    ):
        page.goto(f"{site(open_server)}/{path}")
        expect(page.get_by_role("heading").first).to_be_visible()
    # A link that does not work is refused, as it should be; browsers write that into the console.
    assert (violations, [error for error in errors if "403 (Forbidden)" not in error]) == ([], [])

    context = profile(storage_state=cookies)
    violations, errors = watched(context)
    page = tab(context)
    page.goto(f"{site(open_server)}/account")
    for section in ("Sessions", "API keys", "My data", "Security"):
        page.get_by_role("navigation", name="Account").get_by_role("link", name=section).click()
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
    page.get_by_role("button", name="Set up an authenticator app").click()
    picture = page.get_by_role("img", name="QR code for your authenticator app")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 50
    assert (violations, errors) == ([], [])


# Each one is started by a timer: what the test itself evaluates may use eval, whatever the policy says.
INTRUSIONS = {
    "script-src-elem": "const script = document.createElement('script'); script.textContent = 'window.ran = 1';"
    " document.body.append(script)",
    "script-src": "eval('window.ran = 1')",
    "script-src-attr": "document.body.insertAdjacentHTML('beforeend',"
    ' \'<img src="data:," onerror="window.ran = 1">\')',
    "style-src-elem": "document.head.insertAdjacentHTML('beforeend', '<style>body { --ran: 1 }</style>')",
    "img-src": "new Image().src = 'http://127.0.0.1:9/leak'",
    "connect-src": "fetch('http://127.0.0.1:9/leak').catch(() => {})",
    "frame-src": "document.body.insertAdjacentHTML('beforeend', '<iframe src=\"http://127.0.0.1:9/\"></iframe>')",
    "base-uri": "document.head.insertAdjacentHTML('beforeend', '<base href=\"http://127.0.0.1:9/\">')",
}


@pytest.mark.parametrize("directive", INTRUSIONS)
def test_what_somebody_slips_into_a_page_does_nothing(
    server: RxChat, profile: Callable[..., BrowserContext], directive: str
) -> None:
    context = profile(storage_state=session_of(server))
    violations, _ = watched(context)
    page: Page = Chat(context.new_page(), server.url).open().page
    page.set_default_timeout(PATIENCE_MS)
    page.evaluate(f"() => setTimeout(() => {{ {INTRUSIONS[directive]} }})")
    page.wait_for_function("() => new Promise(done => setTimeout(() => done(true), 500))")
    assert [violation.split()[0] for violation in violations] == [directive]
    ran = "[window.ran, getComputedStyle(document.body).getPropertyValue('--ran'), document.baseURI]"
    assert page.evaluate(ran) == [None, "", page.url]
