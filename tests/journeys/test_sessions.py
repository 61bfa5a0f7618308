"""Where one is signed in, what that ends with, one's own keys, and all of one's data."""

from __future__ import annotations

import re
import zipfile

import httpx
from playwright.sync_api import expect

from tests.journeys.server import RxChat
from tests.journeys.users import Profile, greeted, member, prove, sign_in, signed_in_again, site, tab


def test_a_session_ended_elsewhere_leads_an_open_tab_out(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    other = tab(profile(storage_state=signed_in_again(open_server, person)))
    other.goto(site(open_server))
    greeted(other, person)
    page.goto(f"{site(open_server)}/account/sessions")
    rows = page.get_by_role("list", name="Sessions").get_by_role("listitem")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="This device")).to_have_count(1)
    expect(rows.filter(has_text="This device").get_by_role("button")).to_have_count(0)
    page.get_by_role("button", name=re.compile("^Sign out python-httpx")).click()
    expect(rows).to_have_count(1)
    # Nobody touches the other tab.
    other.wait_for_url(re.compile("/sign-in"))


def test_all_others_end_at_once_and_with_the_password(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    for _ in range(2):
        signed_in_again(open_server, person)
    page = tab(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/account/sessions")
    rows = page.get_by_role("list", name="Sessions").get_by_role("listitem")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="Sign out all other sessions").click()
    expect(rows).to_have_count(1)
    expect(page.get_by_text("No other sessions.")).to_be_visible()

    other = tab(profile(storage_state=signed_in_again(open_server, person)))
    page.get_by_role("link", name="Security").click()
    page.get_by_role("button", name="Change password").click()
    page.get_by_label("Current password", exact=True).fill(person.password)
    page.get_by_label("New password", exact=True).fill("a sentence that is new")
    page.get_by_label("New password", exact=True).press("Enter")
    expect(page.get_by_text("Password changed. All other devices were signed out.")).to_be_visible()
    other.goto(site(open_server))
    other.wait_for_url(re.compile("/sign-in"))
    person.password = "a sentence that is new"
    sign_in(other, person)
    greeted(other, person)


def test_the_sign_in_page_lets_whoever_is_signed_in_pass(open_server: RxChat, profile: Profile) -> None:
    _, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/sign-in?next=/account/keys")
    page.wait_for_url(re.compile("/account/keys$"))
    expect(page.get_by_text("No API keys yet.")).to_be_visible()


def test_a_key_is_shown_once_works_and_is_revoked(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    page.goto(f"{site(open_server)}/account/keys")
    page.get_by_role("button", name="New key").click()
    page.get_by_label("Name", exact=True).fill("Nightly report")
    page.get_by_label("Ask models, send messages, change my conversations, prompts and assistants").uncheck()
    page.get_by_label("Read my conversations, my prompts and assistants, and my account").uncheck()
    page.get_by_label("Expires after").select_option("30 days")
    prove(page, person, "Create key")
    expect(page.get_by_text("Choose at least one.")).to_be_visible()
    page.get_by_label("Read my conversations, my prompts and assistants, and my account").check()
    expect(page.get_by_text("Choose at least one.")).to_have_count(0)
    prove(page, person, "Create key")
    key = page.get_by_label("The key", exact=True).inner_text()
    page.get_by_role("button", name="I’ve copied it").click()
    row = page.get_by_role("list", name="API keys").get_by_role("listitem")
    expect(row).to_contain_text("Nightly report")
    expect(row).to_contain_text(re.compile(r"Expires on \d+ \w+ \d{4}"))
    expect(row).to_contain_text("Read my conversations, my prompts and assistants, and my account")
    assert key not in page.content()

    def me() -> httpx.Response:
        return httpx.get(f"{open_server.url}/api/me", headers={"Authorization": f"Bearer {key}"}, trust_env=False)

    assert me().json()["email"] == person.email
    page.get_by_role("button", name="Revoke Nightly report").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(row).to_have_count(0)
    assert me().status_code == 401


def test_a_name_is_changed_everywhere_at_once(open_server: RxChat, profile: Profile) -> None:
    _, cookies = member(open_server)
    page = tab(profile(storage_state=cookies))
    page.goto(site(open_server))
    page.get_by_role("button", name="Grace Hopper").click()
    page.get_by_role("menuitem", name="Account").click()
    page.wait_for_url(re.compile("/account$"))
    page.get_by_label("Name", exact=True).fill("Grace B. Hopper")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("x" * 200)
    page.get_by_label("Name", exact=True).press("Enter")
    # The browser shows it at the field, and sends nothing.
    problem = page.get_by_label("Name", exact=True).evaluate("field => field.validationMessage")
    assert problem == "Use at most 100 characters; this text has 200."
    expect(page.get_by_label("Name", exact=True)).to_have_value("x" * 200)
    expect(page.get_by_text("Saved")).not_to_be_visible()
    expect(page.get_by_role("button", name="Grace B. Hopper")).to_be_visible()


def test_all_of_it_can_be_taken_along_and_an_account_kept_after_all(open_server: RxChat, profile: Profile) -> None:
    person, cookies = member(open_server)
    page = tab(profile(storage_state=cookies, accept_downloads=True))
    page.goto(f"{site(open_server)}/account/data")
    page.get_by_role("button", name="Download my data").click()
    page.get_by_label("Your password", exact=True).fill("not this one")
    page.get_by_label("Your password", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong password.")
    with page.expect_download() as download:
        prove(page, person, "Download")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert person.email in archive.read("account.json").decode()
    page.get_by_role("button", name="Delete my account").click()
    expect(page.get_by_role("dialog")).to_contain_text("7 days")
    page.get_by_label("Your password", exact=True).fill("not this one")
    page.get_by_label("Your password", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Wrong password.")
    prove(page, person, "Delete my account")
    expect(page.get_by_text(re.compile("Your account will be deleted on"))).to_be_visible()
    page.get_by_role("link", name="Profile").click()
    page.get_by_role("button", name="Cancel deletion").click()
    expect(page.get_by_text(re.compile("Your account will be deleted on"))).to_have_count(0)
