"""People who come and go at a server whose accounts are open: made over HTTP, looked at in the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast
from uuid import uuid4

import httpx
import psycopg
from playwright.sync_api import BrowserContext, Page, StorageState, expect

from tests.journeys.browser import EMAIL, PASSWORD, PATIENCE_MS
from tests.journeys.server import RxChat, until
from tests.peers.mailbox import Mailbox

Profile = Callable[..., BrowserContext]


def session_of(server: RxChat) -> StorageState:
    """A sign-in of the first administrator's, as a browser keeps it."""
    body = {"email": EMAIL, "password": PASSWORD}
    answer = httpx.post(f"{server.url}/api/auth/sign-in", json=body, trust_env=False)
    answer.raise_for_status()
    cookies = [
        {"name": cookie.name, "value": cookie.value, "domain": "127.0.0.1", "path": "/", "httpOnly": True}
        | {"expires": cookie.expires or -1, "secure": False, "sameSite": "Lax"}
        for cookie in answer.cookies.jar
    ]
    return cast("StorageState", {"cookies": cookies, "origins": []})


@dataclass
class Person:
    """A user with an account, or one who is about to register."""

    name: str
    email: str
    password: str = PASSWORD


def somebody(name: str = "Grace Hopper") -> Person:
    """Return a new user without an account."""
    return Person(name, f"{name.split(maxsplit=1)[0].lower()}-{uuid4().hex[:8]}@example.org")


def site(server: RxChat) -> str:
    """The server under its name: passkeys do not work under an IP address."""
    return f"http://localhost:{server.port}"


def invitation_for(server: RxChat, email: str) -> str:
    """The token of an invitation by the first administrator."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.post("/api/auth/sign-in", json={"email": EMAIL, "password": PASSWORD}).raise_for_status()
        answer = client.post("/api/admin/invitations", json={"email": email})
        answer.raise_for_status()
        return answer.json()["link"].partition("token=")[2]


def member(server: RxChat, name: str = "Grace Hopper") -> tuple[Person, StorageState]:
    """Create a user with an account, and a session for a browser."""
    found = somebody(name)
    token = invitation_for(server, found.email)
    body = {"token": token, "name": found.name, "password": found.password}
    return found, kept(posted(server, "/api/auth/join", body))


def signed_in_again(server: RxChat, person: Person) -> StorageState:
    """Sign a user in once more."""
    body = {"email": person.email, "password": person.password}
    return kept(posted(server, "/api/auth/sign-in", body))


def posted(server: RxChat, path: str, body: dict[str, str]) -> httpx.Response:
    """What the server answers somebody at home: people do not share one address, and what is counted for it."""
    home = f"127.{'.'.join(str(byte % 254 + 1) for byte in uuid4().bytes[:3])}"
    with httpx.Client(transport=httpx.HTTPTransport(local_address=home), base_url=server.url) as client:
        answer = client.post(path, json=body)
    answer.raise_for_status()
    return answer


def kept(answer: httpx.Response) -> StorageState:
    """What a browser keeps of an answer."""
    cookies = [
        {"name": cookie.name, "value": cookie.value, "domain": "localhost", "path": "/", "httpOnly": True}
        | {"expires": cookie.expires or -1, "secure": False, "sameSite": "Lax"}
        for cookie in answer.cookies.jar
    ]
    return cast("StorageState", {"cookies": cookies, "origins": []})


def signed_in_long_ago(server: RxChat, person: Person) -> None:
    """Date a user's sessions back, so that their sign-in is no proof any more that it is them."""
    with psycopg.connect(server.owner_url()) as connection:
        found = connection.execute("SELECT id FROM user_account WHERE email = %s", (person.email,)).fetchone()
        assert found
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(found[0]),))
        done = connection.execute(
            "UPDATE user_session SET created_at = created_at - interval '6 minutes' WHERE user_id = %s", (found[0],)
        )
        assert done.rowcount


def tab(context: BrowserContext) -> Page:
    """A new tab that is waited for with patience."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def sign_in(page: Page, person: Person) -> None:
    """Fill the form and press Enter."""
    page.get_by_label("E-mail", exact=True).fill(person.email)
    page.get_by_label("Password", exact=True).fill(person.password)
    page.get_by_label("Password", exact=True).press("Enter")


def sign_out(page: Page, person: Person) -> None:
    """Leave by the account menu."""
    page.get_by_role("button", name=person.name).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in to RxChat")).to_be_visible()


def greeted(page: Page, person: Person) -> None:
    """Be in: the empty page says hello."""
    expect(page.get_by_role("heading", name=f"Hello, {person.name.split()[0]}")).to_be_visible()


def prove(page: Page, person: Person, action: str) -> None:
    """Give the password that a dialog asks for, and go on."""
    page.get_by_label("Your password", exact=True).fill(person.password)
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()


def token_for(mailbox: Mailbox, person: Person, page: str, *, but: str = "") -> str:
    """Return the token of the newest mailed link to a page, another one than the user had before."""
    marker = f"/{page}#token="

    def newest() -> str:
        texts = [text for to, _, text in reversed(mailbox.mails) if to == person.email and marker in text]
        return texts[0].partition(marker)[2].split()[0] if texts else ""

    until(lambda: newest() not in {"", but})
    return newest()
