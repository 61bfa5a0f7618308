"""Signing in with an account elsewhere, at real providers of all three kinds."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.server import RxChat
from tests.journeys.users import (
    Profile,
    greeted,
    invitation_for,
    member,
    prove,
    sign_in,
    sign_out,
    site,
    somebody,
    tab,
)

LABELS = {"oidc": "Example ID", "github": "GitHub", "apple": "Apple"}


def at_the_provider(page: Page, login: str, *, allows: bool = True) -> None:
    """Sign in over there, and allow RxChat to know."""
    page.get_by_label("Login name").fill(login)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Allow" if allows else "Deny", exact=True).click()


def named(login: str) -> str:
    """What the providers call somebody with this login name."""
    return login.capitalize()


@pytest.mark.parametrize("key", LABELS)
def test_an_account_by_oneself_and_in_again(open_server: RxChat, profile: Profile, key: str) -> None:
    login = f"{key}mary"
    page = tab(profile(ignore_https_errors=True))
    page.goto(f"{site(open_server)}/register")
    page.get_by_role("link", name=f"Continue with {LABELS[key]}").click()
    at_the_provider(page, login)
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.goto(f"{site(open_server)}/account/security")
    row = page.get_by_role("list", name="External accounts").get_by_role("listitem").filter(has_text=LABELS[key])
    expect(row).to_contain_text("Connected")

    # Without a password or a passkey, it is the only way in.
    page.get_by_role("button", name=f"Disconnect {LABELS[key]}").click()
    page.get_by_role("dialog").get_by_role("button", name="Disconnect", exact=True).click()
    expect(page.get_by_role("alert")).to_have_text(
        "This is your only way to sign in. Choose a password or add a passkey first."
    )
    page.keyboard.press("Escape")

    again = tab(profile(ignore_https_errors=True))
    again.goto(f"{site(open_server)}/account/sessions")
    again.wait_for_url(re.compile("/sign-in"))
    again.get_by_role("link", name=f"Continue with {LABELS[key]}").click()
    at_the_provider(again, login)
    again.wait_for_url(re.compile("/account/sessions$"))
    expect(again.get_by_role("list", name="Sessions").get_by_role("listitem")).to_have_count(2)


def test_an_invitation_is_accepted_with_an_account_elsewhere(open_server: RxChat, profile: Profile) -> None:
    invited = somebody("Invited Person")
    token = invitation_for(open_server, invited.email)
    page = tab(profile())
    page.goto(f"{site(open_server)}/join#token={token}")
    expect(page.get_by_label("E-mail", exact=True)).to_have_value(invited.email)
    page.get_by_role("button", name="Continue with Example ID").click()
    at_the_provider(page, "joinery")
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()
    page.goto(f"{site(open_server)}/account")
    expect(page.get_by_role("main").get_by_text(invited.email)).to_be_visible()
    page.goto(f"{site(open_server)}/join#token={token}")
    expect(page.get_by_role("heading", name="This invitation is no longer valid")).to_be_visible()


def test_connecting_signing_in_and_disconnecting(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/account/security")
    page.get_by_role("button", name="Connect Example ID", exact=True).click()
    at_the_provider(page, "connected")
    page.wait_for_url(re.compile("/account/security$"))
    expect(page.get_by_role("button", name="Disconnect Example ID")).to_be_visible()

    other = tab(profile())
    other.goto(f"{site(open_server)}/sign-in")
    other.get_by_role("link", name="Continue with Example ID").click()
    at_the_provider(other, "connected")
    greeted(other, person)

    # The same account elsewhere cannot be two people's here.
    _, theirs = member(open_server, "Second Person")
    second = tab(profile(storage_state=theirs))
    second.goto(f"{site(open_server)}/account/security")
    second.get_by_role("button", name="Connect Example ID", exact=True).click()
    at_the_provider(second, "connected")
    expect(second.get_by_role("alert")).to_have_text("This account is already connected to another RxChat account.")

    page.get_by_role("button", name="Disconnect Example ID").click()
    prove(page, person, "Disconnect")
    expect(page.get_by_role("button", name="Connect Example ID", exact=True)).to_be_visible()
    sign_out(page, person)
    sign_in(page, person)
    greeted(page, person)


def test_somebody_elses_address_and_a_no_are_said_on_the_sign_in_page(open_server: RxChat, profile: Profile) -> None:
    page = tab(profile())
    page.goto(f"{site(open_server)}/sign-in")
    page.get_by_role("link", name="Continue with Example ID").click()
    # The first administrator's address, by an account elsewhere that was never connected.
    at_the_provider(page, "ada")
    expect(page.get_by_role("alert")).to_have_text(
        "An account with this e-mail address already exists. Sign in to it, then connect this sign-in on your account page."
    )
    page.context.clear_cookies()
    page.get_by_role("link", name="Continue with Example ID").click()
    at_the_provider(page, "nobody", allows=False)
    expect(page.get_by_role("alert")).to_have_text(
        "The sign-in provider cancelled or refused the sign-in. You can try again."
    )
    page.context.clear_cookies()
    page.get_by_role("link", name="Continue with GitHub").click()
    at_the_provider(page, "hidden+unverified")
    expect(page.get_by_role("alert")).to_have_text(
        "The sign-in provider says that your e-mail address is not confirmed (the claim “email_verified” is false). Confirm it there, or ask for an invitation."
    )
