"""Row 44: what is secret is in no log, no frame of a socket, no answer, no metric, no export and no column in clear."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import zipfile
from collections.abc import Iterator

import httpx
import psycopg
import pytest
import structlog
from prometheus_client import generate_latest
from psycopg import sql
from pyotp.totp import TOTP

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.observability import configure_logging
from rxchat.services.app.container import Services
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.tables import metadata
from tests.security.http import Open, create_user, sign_in
from tests.tab import open_tab

pytestmark = pytest.mark.anyio

PASSWORD = "canary-password-3f9a1c"
WORDS = "canary-words-of-a-conversation-77ab"
WRONG = "canary-wrong-password-12cd"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Logging as it was again after a test that configures it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield capsys
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


async def test_secrets_are_nowhere_but_where_they_belong(
    services: Services, clients: Open, owner_url: str, said: pytest.CaptureFixture[str]
) -> None:
    configure_logging("debug", "json")
    current_user, client = await create_user(services, owner_url, "Ada", "admin"), clients()
    secrets = await secrets_of_a_person(client, current_user)
    secrets |= await secrets_of_programs(clients, client, current_user, secrets["recovery code 0"])
    secrets |= await secrets_of_links(services, clients, current_user)
    turn = await services.chat.messages.send_message(current_user, None, WORDS, "scripted:tokens=2")
    async with asyncio.timeout(60):
        while (await services.chat.conversations.open(current_user, turn.conversation_id)).run is not None:
            await asyncio.sleep(0.05)
    for secret in secrets.values():
        careless = f"GET /join?token={secret}"
        structlog.get_logger("somebody").warning("careless", detail=careless, password=secret, cookie=secret)
    shown = await everything_that_is_shown(client, secrets["session"])
    shown["database"] = everything_that_is_stored(owner_url)
    printed = said.readouterr()
    shown["log"] = printed.out + printed.err
    for where, text in shown.items():
        assert text, where
        found = [name for name, secret in secrets.items() if secret in text]
        assert found == [], (where, found)
    assert WORDS not in shown["log"] and WORDS not in shown["metrics"]
    # And the canaries were there to be found: in the export what is one's own is in clear.
    assert WORDS in shown["export"] and WORDS in shown["database"]


async def secrets_of_a_person(client: httpx.AsyncClient, current_user: CurrentUser) -> dict[str, str]:
    await sign_in(client, current_user)
    await client.post("/api/me/password", json={"present": "correct horse battery", "wanted": PASSWORD})
    await sign_in(client, current_user, WRONG)
    begun = (await client.post("/api/me/totp/begin", json={"password": PASSWORD})).json()
    codes = (await client.post("/api/me/totp/confirm", json={"code": TOTP(begun["secret"]).now()})).json()["codes"]
    return {
        "password": PASSWORD,
        "wrong password": WRONG,
        "session": client.cookies["rxchat_session"],
        "device": client.cookies["rxchat_device"],
        "totp": begun["secret"],
    } | {f"recovery code {place}": words for place, words in enumerate(codes)}


async def secrets_of_programs(
    clients: Open, client: httpx.AsyncClient, current_user: CurrentUser, code: str
) -> dict[str, str]:
    made = await client.post("/api/me/keys", json={"name": "k", "scopes": ["read"], "password": PASSWORD})
    await clients().get("/api/me", headers={"x-api-key": made.json()["key"] + "x"})
    again = clients()
    await sign_in(again, current_user, PASSWORD)
    body = {"email": current_user.email, "password": PASSWORD, "code": code}
    pair = (await clients().post("/api/auth/token", json=body)).json()
    return {
        "key": made.json()["key"],
        "pending": again.cookies["rxchat_pending"],
        "access": pair["access_token"],
        "refresh": pair["refresh_token"],
    }


async def secrets_of_links(services: Services, clients: Open, current_user: CurrentUser) -> dict[str, str]:
    link, _ = await services.access.user_admin.invite(
        current_user, email="x@example.org", role="member", client_info=ClientInfo()
    )
    invitation = link.partition("token=")[2]
    reset = (await services.access.user_admin.reset_link(current_user, current_user.user_id, ClientInfo())).partition(
        "token="
    )[2]
    await clients().get(f"/join?token={invitation}")
    await clients(origin="https://evil.example").post(f"/api/auth/confirm?token={reset}", json={})
    return {"invitation": invitation, "reset": reset}


async def everything_that_is_shown(client: httpx.AsyncClient, session: str) -> dict[str, str]:
    shown = {"frames": await everything_a_tab_is_sent(session), "metrics": generate_latest().decode()}
    for path in ("me", "me/sessions", "me/keys", "admin/users", "admin/audit/export"):
        shown[path] = (await client.get(f"/api/{path}")).text
    begun = await client.post("/api/me/export", json={"password": PASSWORD})
    exported = zipfile.ZipFile(io.BytesIO((await client.get(begun.json()["url"])).content))
    return shown | {"export": "".join(exported.read(name).decode() for name in exported.namelist())}


async def everything_a_tab_is_sent(cookie: str) -> str:
    async with open_tab(cookie) as tab:
        for state, handler in ((CurrentUserState, "enter"), (SidebarState, "load"), (ThreadState, "open")):
            await tab.send_event(state, handler)
        await tab.until(lambda: tab.patches and tab.shown(CurrentUserState, "ready"))
        return json.dumps(tab.frames)


def everything_that_is_stored(owner_url: str) -> str:
    found = []
    with psycopg.connect(owner_url) as connection:
        for table in metadata.tables:
            found += connection.execute(
                sql.SQL("SELECT {}::text FROM {}").format(sql.Identifier(table), sql.Identifier(table))
            ).fetchall()
    return str(found)
