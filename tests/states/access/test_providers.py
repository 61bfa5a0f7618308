"""The page of providers: added, tested, changed, disabled and deleted by forms, and no key in what a tab receives."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.providers import ProvidersState
from tests.factories import signed_in_as
from tests.peers.scripted_openai import ScriptedOpenAI, scripted_openai
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
KEY = "sk-a-secret-of-this-test"


@pytest.fixture
async def server() -> AsyncGenerator[ScriptedOpenAI]:
    async with scripted_openai() as found:
        found.key = KEY
        yield found


@pytest.fixture
def form(server: ScriptedOpenAI) -> dict[str, str]:
    return {
        "name": "gpu", "kind": "openai", "url": server.url, "key": KEY, "headers": f"X-Team: {KEY}", "timeout_seconds": "60",
    }  # fmt: skip


async def test_a_provider_is_added_tested_changed_disabled_and_deleted(
    services: Services, ada: CurrentUser, form: dict[str, str]
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(ProvidersState, "load")
        assert tab.shown(ProvidersState, "providers") == []
        await tab.do(ProvidersState, "add", form=form | {"dialog": "3"})
        assert tab.shown(ProvidersState, "flash") == "Added “gpu”. It offers 1 model."
        assert tab.shown(ProvidersState, "done_dialog") == 3
        (line,) = tab.shown(ProvidersState, "providers")
        assert (line.badge, line.models, line.place) == ("Works", "1", "On RxChat’s own machine")
        await tab.do(ProvidersState, "test", name="gpu")
        assert tab.shown(ProvidersState, "tested") == "It works, and offers 1 model for chats."
        assert tab.shown(ProvidersState, "tested_models") == ["scripted:tokens=20"]
        await tab.do(ProvidersState, "save", form=form | {"key": "", "headers": "", "timeout_seconds": "30"})
        (line,) = tab.shown(ProvidersState, "providers")
        assert (line.timeout_seconds, line.has_key, line.headers, line.badge) == ("30", True, "X-Team", "Works")
        await tab.do(ProvidersState, "save", form=form | {"key": "", "forget_key": "on"})
        assert "does not work yet: It refused the key." in tab.shown(ProvidersState, "flash")
        await tab.do(ProvidersState, "switch", name="gpu")
        (line,) = tab.shown(ProvidersState, "providers")
        assert (line.badge, line.models, line.problem) == ("Disabled", "–", "")
        await tab.do(ProvidersState, "look_at_use", name="gpu")
        assert tab.shown(ProvidersState, "in_use") == "No conversation uses one of its models."
        await tab.do(ProvidersState, "remove", form={"name": "gpu"})
        assert tab.shown(ProvidersState, "providers") == []
        assert KEY not in repr(tab.frames)


async def test_the_deletion_says_which_conversations_lose_their_model(
    services: Services, ada: CurrentUser, form: dict[str, str]
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(ProvidersState, "add", form=form)
        await services.chat.messages.send_message(ada, None, "Hello", "gpu/scripted:tokens=20")
        await tab.do(ProvidersState, "look_at_use", name="gpu")
        assert "1 conversation uses its models: gpu/scripted:tokens=20 (1)." in tab.shown(ProvidersState, "in_use")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": "Two words"}, "name"), ({"url": "http://169.254.169.254"}, "url"), ({"url": "gpu-1"}, "url"),
        ({"key": "two words"}, "key"), ({"headers": "nothing"}, "headers"), ({"timeout_seconds": "soon"}, "timeout_seconds"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_said_at_its_field(
    services: Services, ada: CurrentUser, form: dict[str, str], changed: dict[str, str], field: str
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(ProvidersState, "add", form=form | changed | {"dialog": "3"})
        shown = tab.shown(ProvidersState, "problem_field"), tab.shown(ProvidersState, "problem_dialog")
        assert shown == (field, 3) and tab.shown(ProvidersState, "problem")
