"""The pages of usage, models and the system: numbers in words."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.models import ModelsState
from rxchat.states.access.system import SystemState, _size
from rxchat.states.access.usage import UsageState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=3"


@pytest.fixture
async def cookie(services: Services, current_user: CurrentUser, ollama: ScriptedOllama, owner_url: str) -> str:
    """The session of an administrator, after two answers for another user."""
    ollama.offered = [MODEL]
    for _ in range(2):
        turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
        await ended(services, current_user, turn.conversation_id)
    return await signed_in_as(services, add_user(owner_url, "Grace", "admin"))


async def test_usage_is_a_bar_for_each_day_and_a_line_for_each_model_and_user(
    cookie: str, current_user: CurrentUser
) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(UsageState, "load")
        bars = tab.shown(UsageState, "bars")
        assert (len(bars), bars[-1].x, bars[-1].y, bars[-1].height) == (30, 290, 0, 120)
        assert bars[-1].title.endswith(": 2 answers") and bars[0].height == 0
        assert "most on" in tab.shown(UsageState, "chart_words")
        assert [tab.shown(UsageState, name) for name in ("answers", "tokens", "active")] == ["2", "6", "1"]
        [model] = tab.shown(UsageState, "models")
        assert (model.model, model.answers, model.failed, model.tokens, model.users) == (MODEL, "2", "–", "6", 1)
        [user] = tab.shown(UsageState, "users")
        assert (user.name, user.answers) == (current_user.name, "2")
        await tab.do(UsageState, "choose", days="7")
        assert (tab.shown(UsageState, "days"), len(tab.shown(UsageState, "bars"))) == ("7", 7)
        await tab.do(UsageState, "choose", days="9999")
        assert "Valid periods" in tab.shown(UsageState, "problem")
        assert tab.shown(UsageState, "days") == "7"


async def test_models_and_the_system_are_shown_as_they_are(
    cookie: str, services: Services, ollama: ScriptedOllama
) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(ModelsState, "load")
        [model] = tab.shown(ModelsState, "models")
        assert (model.name, model.answers, model.badge) == (MODEL, "2", "default")
        await tab.do(SystemState, "load")
        assert tab.shown(SystemState, "is_healthy")
        stored = {fact.label: fact.value for fact in tab.shown(SystemState, "stored")}
        assert (stored["Users"], stored["Conversations"], stored["Messages"]) == ("2", "2", "4")
        assert tab.shown(SystemState, "queues")[0].name == "Answers"
        await ollama.stop()
        services.models.catalog._asked_at = 0
        await tab.do(SystemState, "load")
        broken = [item.name for item in tab.shown(SystemState, "components") if item.problem]
        assert (broken, tab.shown(SystemState, "is_healthy")) == (["Models"], False)
        await tab.do(ModelsState, "load")
        assert tab.shown(ModelsState, "host_problem") != ""


def test_sizes_have_a_unit_that_fits() -> None:
    assert [_size(count) for count in (0, 999, 1_000, 9_949, 10_000, 999_499, 999_500, 1_500_000_000, 10**16)] == [
        "0 bytes", "999 bytes", "1.0 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "1.5 GB", "10000 TB",
    ]  # fmt: skip
