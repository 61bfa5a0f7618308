"""Accounts by oneself, by invitation, and the passwords that are forgotten."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.journeys.server import RxChat
from tests.journeys.users import Profile, greeted, invitation_for, member, sign_in, site, somebody, tab, token_for
from tests.peers.mailbox import Mailbox


def test_an_account_by_oneself_is_open_once_its_address_is_confirmed(
    open_server: RxChat, mailbox: Mailbox, profile: Profile
) -> None:
    person = somebody("Mary Somerville")
    page = tab(profile())
    page.goto(f"{site(open_server)}/sign-in")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Enter your name.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    page.get_by_label("Name", exact=True).fill(person.name)
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_label("Password", exact=True).fill("password123")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("alert")).to_contain_text("lists of stolen passwords")
    expect(page.get_by_label("E-mail", exact=True)).to_have_value(person.email)
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()
    token = token_for(mailbox, person, "confirm")

    page.goto(f"{site(open_server)}/sign-in")
    sign_in(page, person)
    # Whoever does not know whether there is such an account learns nothing here, either.
    expect(page.get_by_role("alert")).to_have_text(
        "Wrong e-mail address or password, or you have not confirmed your address yet: check your inbox for the link."
    )
    # A new link is on its way, and the first one is none any more.
    token = token_for(mailbox, person, "confirm", but=token)
    # Mail programs open links to look at them: only a press counts.
    for _ in range(2):
        page.goto(f"{site(open_server)}/confirm#token={token}")
        expect(page.get_by_role("button", name="Confirm my address")).to_be_visible()
    page.get_by_role("button", name="Confirm my address").click()
    expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    sign_in(page, person)
    greeted(page, person)
    page.goto(f"{site(open_server)}/confirm#token={token}")
    # It is looked at before anything can be pressed.
    expect(page.get_by_role("heading", name="This link is no longer valid")).to_be_visible()


def test_a_forgotten_password_is_replaced_once(open_server: RxChat, mailbox: Mailbox, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    said = []
    for email in ("nobody-at-all@example.org", person.email):
        page.goto(f"{site(open_server)}/forgot")
        page.get_by_label("E-mail", exact=True).fill(email)
        page.get_by_label("E-mail", exact=True).press("Enter")
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
        said.append(page.get_by_role("main").inner_text().replace(email, "..."))
    assert said[0] == said[1]
    token = token_for(mailbox, person, "reset")
    page.goto(f"{site(open_server)}/reset#token={token}")
    page.get_by_label("New password", exact=True).fill("short")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Use at least 10 characters.")).to_be_visible()
    person.password = "quite another sentence"
    page.get_by_label("New password", exact=True).fill(person.password)
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("heading", name="Password changed")).to_be_visible()
    page.goto(site(open_server))
    page.wait_for_url(re.compile("/sign-in"))
    sign_in(page, person)
    greeted(page, person)
    page.goto(f"{site(open_server)}/reset#token={token}")
    expect(page.get_by_role("heading", name="This link is no longer valid")).to_be_visible()
    expect(page.get_by_role("link", name="Request a new link")).to_be_visible()


def test_an_invitation_is_an_account_with_the_invited_address(open_server: RxChat, profile: Profile) -> None:
    person = somebody("Emmy Noether")
    page = tab(profile())
    page.goto(f"{site(open_server)}/join#token={invitation_for(open_server, person.email)}")
    expect(page.get_by_label("E-mail", exact=True)).to_have_value(person.email)
    expect(page.get_by_label("E-mail", exact=True)).not_to_be_editable()
    page.get_by_label("Name", exact=True).fill(person.name)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Password", exact=True).press("Enter")
    greeted(page, person)


def test_a_link_that_is_none_helps_on(open_server: RxChat, profile: Profile) -> None:
    page = tab(profile())
    page.goto(f"{site(open_server)}/join#token=nonsense")
    expect(page.get_by_role("heading", name="This invitation is no longer valid")).to_be_visible()
    for path in ("join", "reset", "confirm"):
        page.goto(f"{site(open_server)}/{path}")
        expect(page.get_by_role("heading", name=re.compile("no longer valid"))).to_be_visible()


def test_whoever_guesses_has_to_wait_and_sees_for_how_long(open_server: RxChat, profile: Profile) -> None:
    person, _ = member(open_server)
    right, person.password = person.password, "not the password"
    page = tab(profile())
    page.goto(f"{site(open_server)}/sign-in")
    waiting = page.get_by_role("button", name=re.compile("^Try again in [0-9]+ second"))
    button = page.get_by_role("button", name="Sign in", exact=True)
    for _ in range(9):
        sign_in(page, person)
        expect(page.get_by_role("alert")).to_be_visible()
        expect(waiting.or_(button)).to_be_visible()
        if "Too many attempts" in page.get_by_role("alert").inner_text():
            break
    expect(waiting).to_be_disabled()
    expect(page.get_by_label("E-mail", exact=True)).to_have_value(person.email)
    expect(button).to_be_enabled()
    expect(page.get_by_role("alert")).to_have_count(0)
    person.password = right
    sign_in(page, person)
    greeted(page, person)
