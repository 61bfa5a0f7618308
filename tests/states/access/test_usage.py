"""The pages of usage, models and the system: numbers in words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.usage import UsagePart
from rxchat.services.app.container import Services
from rxchat.states.access.models import ModelsState
from rxchat.states.access.system import SystemState, _size
from rxchat.states.access.usage import UsageState, _chart, _labels
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


async def test_usage_is_a_bar_for_each_day_and_a_line_for_each_model_user_or_group(
    cookie: str, services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(UsageState, "load")
        chart = tab.shown(UsageState, "chart")
        # Two answers of 3 tokens, for which the scripted host has read 10 each.
        assert (len(chart), chart[-1]["s0"], chart[0].keys()) == (30, 26.0, {"day"})
        assert "Tokens per day for 30 days, most on" in tab.shown(UsageState, "chart_words")
        assert [tab.shown(UsageState, name) for name in ("requests", "tokens", "cost")] == ["2", "26", "–"]
        [line] = tab.shown(UsageState, "lines")
        assert (line.label, line.requests, line.read, line.written, line.color) == (MODEL, "2", "20", "6", "0")
        [model] = tab.shown(UsageState, "models")
        assert (model.model, model.answers, model.failed) == (MODEL, "2", "–")
        for by, label in (("user", current_user.name), ("group", "In no group")):
            await tab.do(UsageState, "divide", by=by)
            assert [item.label for item in tab.shown(UsageState, "lines")] == [label]
        await tab.do(UsageState, "measure_by", measure="requests")
        assert tab.shown(UsageState, "chart")[-1]["s0"] == 2.0
        await tab.do(UsageState, "choose", days="7")
        assert (tab.shown(UsageState, "days"), len(tab.shown(UsageState, "chart"))) == ("7", 7)
        assert tab.shown(UsageState, "export_path") == "/api/admin/usage/export?days=7"
        await tab.do(UsageState, "choose", days="9999")
        assert "Valid periods" in tab.shown(UsageState, "problem")
        await tab.do(UsageState, "divide", by="secret")
        assert (tab.shown(UsageState, "days"), tab.shown(UsageState, "by")) == ("7", "group")


def test_beyond_eight_series_the_rest_is_one() -> None:
    today = datetime.now(UTC).date()
    parts = [UsagePart(today, f"m{at}", f"m{at}", 1, at, 0, Decimal(0)) for at in range(12)]
    parts.append(UsagePart(today, None, "", 1, 5, 0, Decimal(0)))
    labels = _labels(parts, "tokens")
    assert [label for _, label in labels[:2]] == ["m11", "m10"] and labels[-1] == (None, "Others")
    [day] = _chart(parts, [key for key, _ in labels[:8]], "tokens", 1)
    assert (day["s0"], day["s8"]) == (11.0, 0 + 1 + 2 + 3 + 5)


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
