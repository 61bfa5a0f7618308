"""The page that imports conversations, without a browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.chat.imports import PAGE, ImportsState
from rxchat.states.chat.sidebar import SidebarState
from tests import owner
from tests.domain.imports import samples
from tests.factories import add_user, signed_in_as
from tests.services.chat.test_imports import body_of
from tests.services.chat.test_imports import ended as import_ended
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("203.0.113.7", "a browser")


@pytest.fixture
async def cookie(services: Services, current_user: CurrentUser) -> str:
    return await signed_in_as(services, current_user)


def latest(tab: Tab) -> Any:
    return tab.shown(ImportsState, "latest")


async def start(services: Services, current_user: CurrentUser, content: Any, name: str = "export.json") -> Any:
    body = body_of(json.dumps(content).encode())
    return await services.chat.conversation_imports.start(current_user, name, body, CALLER)


async def test_the_page_follows_an_import_to_its_report(
    services: Services, current_user: CurrentUser, cookie: str
) -> None:
    async with open_tab(cookie) as tab:
        tab.path = PAGE
        await tab.do(ImportsState, "load")
        assert tab.shown(ImportsState, "has_latest") is False
        await start(services, current_user, [samples.chatgpt(), {"title": "Nothing"}])
        # The page loads the reports when its file has arrived, and follows the one that runs.
        await tab.send_event(ImportsState, "load")
        await tab.until(lambda: latest(tab).id and not latest(tab).is_running)
        shown = latest(tab)
        assert (shown.summary, shown.file_name, shown.error) == (
            "1 conversation imported, 1 skipped.",
            "export.json",
            "",
        )
        assert [(line.title, line.source) for line in shown.imported] == [("Bird in a photo", "ChatGPT")]
        assert [(line.title, line.reason) for line in shown.skipped] == [
            ("Nothing", "It is no conversation in a form that RxChat knows.")
        ]


async def test_earlier_imports_are_listed_and_failures_say_why(
    services: Services, current_user: CurrentUser, cookie: str, owner_url: str
) -> None:
    for content, name in (([samples.claude()], "first.json"), (7, "second.json")):
        await import_ended(services, current_user, await start(services, current_user, content, name))
    async with open_tab(cookie) as tab:
        await tab.do(ImportsState, "load")
        assert latest(tab).is_failed and "not valid JSON" in latest(tab).error
        assert [(item.file_name, item.imported) for item in tab.shown(ImportsState, "earlier")] == [("first.json", [])]
        with owner.transaction(owner_url) as connection:
            connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(current_user.user_id),))
            connection.execute(
                "UPDATE conversation_import SET state = 'running', lease_until = now() - interval '1 s', error = ''"
                " WHERE file_name = 'second.json'"
            )
        await tab.do(ImportsState, "load")
        assert latest(tab).is_failed and "Import it again" in latest(tab).error


async def test_another_user_sees_none_of_it(services: Services, current_user: CurrentUser, owner_url: str) -> None:
    await import_ended(services, current_user, await start(services, current_user, [samples.claude()]))
    other = await signed_in_as(services, add_user(owner_url, "Other"))
    async with open_tab(other) as tab:
        await tab.do(ImportsState, "load")
        assert tab.shown(ImportsState, "has_latest") is False
        await tab.do(SidebarState, "load")
        assert tab.shown(SidebarState, "groups") == []
