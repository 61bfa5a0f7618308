"""Passkeys, with the browser's own virtual authenticator: added, used alone and as a second step, removed."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.server import RxChat
from tests.journeys.users import Profile, greeted, member, prove, sign_in, sign_out, site, tab

SAYS_NO = "() => { navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError')) }"


def with_authenticator(context: BrowserContext) -> tuple[Page, Any, str]:
    """A tab whose browser has an authenticator, the line to it, and its id."""
    page = tab(context)
    line = context.new_cdp_session(page)
    line.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = line.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page, line, made["authenticatorId"]


def test_a_passkey_signs_in_alone_and_as_a_second_step(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page, line, authenticator = with_authenticator(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/account/security")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Chrome on Linux")
    page.get_by_label("Name", exact=True).fill("My laptop")
    prove(page, person, "Continue")
    row = page.get_by_role("list", name="Passkeys").get_by_role("listitem")
    expect(row).to_contain_text("My laptop")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert len(line.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]) == 1

    # The same device a second time is one too many.
    page.get_by_role("button", name="Add a passkey").click()
    prove(page, person, "Continue")
    expect(page.get_by_role("alert")).to_have_text("This device already has a passkey for your account.")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Add a passkey")).to_be_focused()

    sign_out(page, person)
    page.get_by_role("button", name="Sign in with a passkey").click()
    greeted(page, person)
    sign_out(page, person)
    sign_in(page, person)
    page.get_by_role("button", name="Use a passkey").click()
    greeted(page, person)

    # A person who says no to the browser is told so, and can take another way.
    sign_out(page, person)
    page.evaluate(SAYS_NO)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("No passkey was used. Try again, or sign in another way.")
    page.reload()
    page.get_by_role("button", name="Sign in with a passkey").click()
    greeted(page, person)

    page.goto(f"{site(open_server)}/account/security")
    page.get_by_role("button", name="Remove the passkey My laptop").click()
    prove(page, person, "Remove passkey")
    expect(row).to_have_count(0)
    sign_out(page, person)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_have_text(
        "This passkey could not be used. Try again, or sign in with your password."
    )


def test_under_an_ip_address_there_are_no_passkeys(open_server: RxChat, profile: Profile) -> None:
    page = tab(profile())
    page.goto(f"{open_server.url}/sign-in")
    expect(page.get_by_role("link", name="Continue with GitHub")).to_be_visible()
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_have_count(0)
