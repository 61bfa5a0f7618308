"""Looking after people: from the invitation to the audit that tells of it, in two browsers at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from rxchat.domain import audit
from rxchat.embedded import endpoints
from tests.factories import add_user
from tests.journeys.browser import PATIENCE_MS, Chat
from tests.journeys.server import RxChat

PASSWORD = "another rather long sentence"
MODEL = "scripted:count=1,tokens=20"


@pytest.fixture(scope="module")
def admin_server(document_server: RxChat) -> RxChat:
    """A server whose administrator needs no second factor."""
    return document_server


@pytest.fixture
def admin(admin_server: RxChat, signed_in: Callable[..., BrowserContext]) -> Page:
    """The administrator's tab."""
    page = signed_in(admin_server, accept_downloads=True).new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def opened(page: Page, admin_server: RxChat, path: str) -> Page:
    """Go to one of the pages, and wait until it has loaded."""
    page.goto(admin_server.url + path)
    expect(page.locator(".admin")).to_be_visible()
    expect(page.get_by_role("status", name="Loading", exact=True)).to_have_count(0)
    return page


def invited(admin: Page, admin_server: RxChat, email: str) -> str:
    """Invite a user; return the link that is shown."""
    opened(admin, admin_server, "/admin/users")
    admin.get_by_role("button", name="Invite a user").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label("E-mail").fill("nowhere")
    dialog.get_by_role("button", name="Create invitation").click()
    expect(dialog.get_by_role("alert")).to_have_text("This is not a valid e-mail address.")
    expect(dialog.get_by_label("E-mail")).to_have_value("nowhere")
    dialog.get_by_label("E-mail").fill(email)
    dialog.get_by_label("E-mail").press("Enter")
    link = dialog.get_by_label("Invitation link", exact=True)
    expect(link).to_be_visible()
    found = link.input_value()
    admin.keyboard.press("Escape")
    expect(admin.get_by_role("dialog")).to_have_count(0)
    expect(admin.get_by_role("row", name=re.compile(email))).to_be_visible()
    return found


def joined(page: Page, link: str, name: str) -> Page:
    """Accept an invitation, and wait for the chat."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(link)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password", exact=True).press("Enter")
    expect(page.get_by_role("heading", name=re.compile(f"^Hello, {name.split(maxsplit=1)[0]}"))).to_be_visible()
    return page


def test_from_the_invitation_to_the_audit(
    admin_server: RxChat, admin: Page, profile: Callable[..., BrowserContext]
) -> None:
    link = invited(admin, admin_server, "grace@example.org")
    context = profile()
    grace = joined(context.new_page(), link, "Grace Hopper")
    Chat(grace, admin_server.url).begin(MODEL, "What <b>nobody</b> else should read").wait_for_end()

    opened(admin, admin_server, "/admin/users")
    # Tests of documents have added another one of that name to this server.
    admin.get_by_label("Search users").fill("grace@example.org")
    expect(admin.get_by_role("table", name="Users").get_by_role("rowheader")).to_have_count(1)
    admin.get_by_role("link", name="Grace Hopper").click()
    expect(admin.get_by_role("heading", name="Grace Hopper")).to_be_visible()

    admin.get_by_role("button", name="Change…").click()
    admin.get_by_role("dialog").get_by_label("Role").select_option(label="Moderator")
    admin.get_by_role("dialog").get_by_role("button", name="Change role").click()
    expect(admin.get_by_text("Grace Hopper is Moderator now.")).to_be_visible()
    grace.wait_for_url(re.compile("/sign-in"))
    grace.get_by_label("E-mail", exact=True).fill("grace@example.org")
    grace.get_by_label("Password", exact=True).fill(PASSWORD)
    grace.get_by_label("Password", exact=True).press("Enter")
    expect(grace.get_by_text("What <b>nobody</b> else should read").first).to_be_visible()

    reads_for_a_reason(admin)
    admin.get_by_role("button", name="Suspend…").click()
    expect(admin.get_by_role("dialog")).to_contain_text("cannot sign in until you reinstate them")
    admin.keyboard.press("Escape")
    expect(admin.get_by_role("dialog")).to_have_count(0)
    expect(admin.get_by_role("button", name="Suspend…")).to_be_focused()
    admin.get_by_role("button", name="Suspend…").click()
    admin.get_by_role("dialog").get_by_role("button", name="Suspend", exact=True).click()
    grace.wait_for_url(re.compile("/sign-in"))
    expect(admin.get_by_text("suspended and signed out everywhere")).to_be_visible()

    opened(admin, admin_server, "/admin/audit")
    rows = admin.get_by_role("table", name="Audit").get_by_role("rowheader")
    for told in (
        "Suspended Grace Hopper",
        "Read a conversation of Grace Hopper",
        "Listed the conversations of Grace Hopper",
        "Made Grace Hopper Moderator",
        "Invited grace@example.org as Member",
    ):
        expect(rows.filter(has_text=told)).to_have_count(1)
    # Others have accepted one, too.
    expect(rows.filter(has_text="Accepted the invitation from Ada Lovelace").first).to_be_visible()
    expect(rows.filter(has_text="reason: a complaint of Friday")).to_have_count(2)
    expect(admin.get_by_role("row", name=re.compile("Suspended Grace")).get_by_text("127.0.0.1")).to_be_visible()


def reads_for_a_reason(admin: Page) -> None:
    """Read what somebody wrote: only with a reason, and only as plain text."""
    admin.get_by_role("button", name="Read this user's conversations…").click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("because")
    dialog.get_by_role("button", name="Show conversations").click()
    expect(dialog.get_by_role("alert")).to_contain_text("audit log records it")
    dialog.get_by_label("Reason").fill("a complaint of Friday")
    dialog.get_by_role("button", name="Show conversations").click()
    admin.get_by_role("button", name=re.compile("nobody.*else should read")).click()
    words = admin.get_by_role("region", name="Conversation").locator(".plain-text")
    expect(words.first).to_have_text("What <b>nobody</b> else should read")
    admin.get_by_role("button", name="Stop reading").click()
    expect(words).to_have_count(0)


def test_the_export_downloads_and_proves_itself(admin_server: RxChat, admin: Page) -> None:
    opened(admin, admin_server, "/admin/audit")
    with admin.expect_download() as downloading:
        admin.get_by_role("link", name="Export").click()
    found = downloading.value
    assert found.suggested_filename == "rxchat-audit.jsonl"
    with Path(found.path()).open() as file:
        assert audit.verify(file).rows >= 2


def test_groups_roles_and_access_with_the_keyboard_alone(admin_server: RxChat, admin: Page) -> None:
    opened(admin, admin_server, "/admin/groups")
    admin.get_by_role("button", name="New group").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_focused()
    admin.keyboard.type("Research")
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("rowheader", name="Research")).to_be_visible()
    admin.get_by_role("button", name="Members of Research").press("Enter")
    expect(admin.get_by_role("combobox", name="Add a member")).to_be_focused()
    admin.keyboard.type("lovelace")
    expect(admin.get_by_role("option", name=re.compile("Ada Lovelace"))).to_be_visible()
    admin.keyboard.press("Enter")
    expect(admin.get_by_role("button", name="Remove Ada Lovelace")).to_be_visible()
    admin.keyboard.press("Escape")
    expect(admin.get_by_role("button", name="Members of Research")).to_be_focused()

    admin.get_by_role("link", name="Access").press("Enter")
    admin.get_by_role("button", name="Grant access").press("Enter")
    admin.get_by_label("For whom").select_option("group")
    expect(admin.get_by_label("Group", exact=True)).to_be_visible()
    admin.get_by_role("dialog").get_by_role("button", name="Grant access").press("Enter")
    expect(admin.get_by_role("row", name=re.compile("Research.*Every model"))).to_be_visible()

    admin.get_by_role("link", name="Roles").press("Enter")
    admin.get_by_role("button", name="New role").press("Enter")
    expect(admin.get_by_role("dialog").get_by_label("Name", exact=True)).to_be_focused()
    admin.keyboard.type("Auditor")
    admin.get_by_label("Read and export the audit log").press("Space")
    admin.get_by_role("dialog").get_by_role("button", name="Create role").press("Enter")
    expect(admin.get_by_role("heading", name="Auditor")).to_be_visible()


def test_a_rule_holds_at_once_and_undo_takes_it_back(
    admin_server: RxChat, admin: Page, profile: Callable[..., BrowserContext]
) -> None:
    opened(admin, admin_server, "/admin/registration")
    expect(admin.get_by_role("radio", name=re.compile("^Invited users"))).to_be_checked()
    admin.get_by_role("radio", name=re.compile("^Anyone")).check()
    expect(admin.get_by_text("Saved.")).to_be_visible()
    stranger = profile().new_page()
    stranger.goto(f"{admin_server.url}/sign-in")
    expect(stranger.get_by_role("link", name=re.compile("account", re.IGNORECASE)).first).to_be_visible()
    admin.get_by_role("button", name="Undo").click()
    expect(admin.get_by_role("radio", name=re.compile("^Invited users"))).to_be_checked()


def test_whoever_may_not_administer_sees_that_there_is_nothing(
    admin_server: RxChat, admin: Page, profile: Callable[..., BrowserContext]
) -> None:
    page = joined(profile().new_page(), invited(admin, admin_server, "alan@example.org"), "Alan Turing")
    for path in ("users", "groups", "roles", "access", "registration", "audit", "users/nonsense"):
        page.goto(f"{admin_server.url}/admin/{path}")
        expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
        expect(page.get_by_role("navigation", name="Administration")).to_have_count(0)
    page.get_by_role("button", name="Alan Turing").click()
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Administration")).to_have_count(0)


def test_no_page_is_wider_than_the_screen_whatever_people_are_called(
    admin_server: RxChat, signed_in: Callable[..., BrowserContext], subtests: pytest.Subtests
) -> None:
    found = endpoints.read(admin_server.data)
    assert found and found.database_owner_url
    names = ["홍길동 👩‍💻", "x" * 100, "שלום 3 (admin)"]
    users = [add_user(found.database_owner_url, name) for name in names]
    page = signed_in(admin_server).new_page()

    def fits(what: str) -> None:
        for width in (360, 768, 1440):
            page.set_viewport_size({"width": width, "height": 800})
            with subtests.test(what=what, width=width):
                boxes = "[document.scrollingElement, document.querySelector('.admin-scroll')]"
                too_wide = f"{boxes}.filter((box) => box && box.scrollWidth > box.clientWidth).length"
                assert page.evaluate(too_wide) == 0

    for current_user, name in zip(users, names, strict=True):
        link = opened(page, admin_server, "/admin/users").locator(f"a[href$='{current_user.user_id}']")
        expect(link).to_have_text(name)
        assert link.evaluate("link => getComputedStyle(link).unicodeBidi") == "isolate"
        link.click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        fits(name)
    for path in ("users", "groups", "roles", "access", "registration", "audit"):
        opened(page, admin_server, f"/admin/{path}")
        fits(path)
