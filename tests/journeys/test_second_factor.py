"""Two-factor authentication: setting it up, signing in with it, and the ways out when the phone is lost."""

from __future__ import annotations

import time

from playwright.sync_api import Page, expect
from pyotp.totp import TOTP

from tests.journeys.server import RxChat
from tests.journeys.users import (
    Person,
    Profile,
    greeted,
    member,
    prove,
    sign_in,
    sign_out,
    signed_in_long_ago,
    site,
    tab,
    token_for,
)
from tests.peers.mailbox import Mailbox

REFUSED = "Wrong code, or it was already used. Try the next one."


def give(page: Page, code: str, label: str = "Code") -> None:
    """Answer the second step."""
    page.get_by_label(label, exact=True).fill(code)
    page.get_by_role("button", name="Continue", exact=True).click()


def set_up(page: Page, person: Person) -> tuple[TOTP, str, list[str]]:
    """Set up an authenticator app; return it, its first code and the recovery codes."""
    page.get_by_role("button", name="Set up an authenticator app").click()
    expect(page.get_by_label("Your password", exact=True)).to_be_focused()
    prove(page, person, "Continue")
    return scan(page)


def scan(page: Page) -> tuple[TOTP, str, list[str]]:
    """Scan the code, give a wrong code and then a right one."""
    picture = page.get_by_role("img", name="QR code for your authenticator app")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 50
    app = TOTP(page.locator(".scan-key code").inner_text().replace(" ", ""))
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    page.get_by_label("Code", exact=True).fill("000000" if app.now() != "000000" else "000001")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("alert")).to_contain_text("Wrong code")
    code = app.now()
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_label("Code", exact=True).press("Enter")
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    return app, code, codes.all_inner_texts()


def with_recovery_code(page: Page, person: Person, code: str) -> None:
    """Sign in with the password and one of the recovery codes."""
    sign_in(page, person)
    page.get_by_role("button", name="Use a recovery code instead").click()
    give(page, code, "Recovery code")


def protected(open_server: RxChat, profile: Profile) -> tuple[Page, Person, TOTP, str, list[str]]:
    """A tab of somebody who has just set up two-factor authentication, and what they got."""
    person, cookies = member(open_server)
    signed_in_long_ago(open_server, person)
    page = tab(profile(storage_state=cookies, accept_downloads=True))
    page.goto(f"{site(open_server)}/account/security")
    app, first, codes = set_up(page, person)
    return page, person, app, first, codes


def test_a_second_step_from_set_up_to_the_lost_phone(open_server: RxChat, profile: Profile) -> None:
    page, person, app, first, codes = protected(open_server, profile)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download", exact=True).click()
    kept = download.value.path().read_text()
    assert all(code in kept for code in codes) and person.email in kept
    page.get_by_role("button", name="I’ve saved them").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("10 of 10 left. Each can replace a code from the app once.")).to_be_visible()
    assert codes[0] not in page.content()

    sign_out(page, person)
    sign_in(page, person)
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    give(page, first)
    expect(page.get_by_role("alert")).to_have_text(REFUSED)
    expect(page.get_by_label("Code", exact=True)).to_have_value("")
    give(page, app.at(time.time() + 30))
    greeted(page, person)

    sign_out(page, person)
    with_recovery_code(page, person, codes[0].upper())
    greeted(page, person)
    sign_out(page, person)
    with_recovery_code(page, person, codes[0])
    expect(page.get_by_role("alert")).to_have_text(REFUSED)
    page.get_by_role("button", name="Use another account").click()
    expect(page.get_by_label("E-mail", exact=True)).to_be_focused()


def test_who_has_just_signed_in_is_not_asked_for_the_password_again(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/account/security")
    page.get_by_role("button", name="Set up an authenticator app").click()
    _, _, codes = scan(page)
    page.get_by_role("button", name="I’ve saved them").click()
    # The same button of the row now removes the app, and has the focus again.
    expect(page.get_by_role("button", name="Remove the authenticator app")).to_be_focused()
    assert codes[0] not in page.content()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your password", exact=True)).to_be_focused()
    prove(page, person, "Remove app")
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_focused()


def test_a_new_password_by_mail_still_wants_the_second_step(
    open_server: RxChat, mailbox: Mailbox, profile: Profile
) -> None:
    page, person, _, _, codes = protected(open_server, profile)
    page.keyboard.press("Escape")
    sign_out(page, person)
    page.get_by_role("link", name="Forgot your password?").click()
    expect(page.get_by_role("heading", name="Forgot your password?")).to_be_visible()
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    page.goto(f"{site(open_server)}/reset#token={token_for(mailbox, person, 'reset')}")
    person.password = "an entirely new sentence"
    page.get_by_label("New password", exact=True).fill(person.password)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("link", name="Sign in").click()
    with_recovery_code(page, person, codes[1])
    greeted(page, person)


def test_new_recovery_codes_and_the_end_of_the_second_step(open_server: RxChat, profile: Profile) -> None:
    page, person, _, _, codes = protected(open_server, profile)
    page.get_by_role("button", name="I’ve saved them").click()
    page.get_by_role("button", name="Create new recovery codes").click()
    prove(page, person, "Create new codes")
    shown = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(shown).to_have_count(10)
    fresh = shown.all_inner_texts()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    sign_out(page, person)
    with_recovery_code(page, person, codes[0])
    expect(page.get_by_role("alert")).to_have_text(REFUSED)
    give(page, fresh[0], "Recovery code")
    greeted(page, person)

    page.goto(f"{site(open_server)}/account/security")
    expect(page.get_by_text("9 of 10 left.")).to_be_visible()
    page.get_by_role("button", name="Remove the authenticator app").click()
    prove(page, person, "Remove app")
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    sign_out(page, person)
    sign_in(page, person)
    greeted(page, person)
