"""A temporary chat: it is answered as any other, and leaves nothing behind."""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import sql

from rxchat.services.app.container import Services
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.temporary import TemporaryChatState
from tests import owner
from tests.factories import first_administrator
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat.steps import ENDLESS, QUICK
from tests.tab import Tab, open_tab

pytestmark = pytest.mark.anyio

FAILING = "scripted:fault=cut,at=3"


@pytest.fixture
async def cookie(services: Services, ollama: ScriptedOllama) -> str:
    ollama.offered = [QUICK, ENDLESS, FAILING]
    return await first_administrator(services)


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(TemporaryChatState, name)


def said(tab: Tab) -> list[tuple[str, str, str]]:
    return [(item["role"], item["text"].strip(), item["state"]) for item in shown(tab, "messages")]


def rows(owner_url: str) -> dict[str, int]:
    """Return how many rows each table has, apart from signatures of the audit log, made from time to time, and from counted tokens."""
    with owner.transaction(owner_url) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        counts = {}
        for (table,) in tables:
            found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
            counts[table] = found[0] if found else 0
    return counts | {"audit_checkpoint": 0, "model_usage": 0}


async def ask(tab: Tab, text: str, model: str = QUICK) -> None:
    await tab.do(TemporaryChatState, "load")
    await tab.do(ModelPickerState, "choose", name=model)
    await tab.do(TemporaryChatState, "send", form={"text": text})


async def test_it_is_answered_with_what_was_said_before_and_nothing_is_stored(
    cookie: str, ollama: ScriptedOllama, owner_url: str
) -> None:
    async with open_tab(cookie) as tab:
        await tab.do(TemporaryChatState, "load")
        before = rows(owner_url)
        await ask(tab, "one")
        await tab.until(lambda: not shown(tab, "is_busy"))
        await ask(tab, "two")
        await tab.until(lambda: not shown(tab, "is_busy"))
        word = " ".join(["word"] * 5)
        assert said(tab) == [
            ("user", "one", "done"), ("assistant", word, "done"), ("user", "two", "done"), ("assistant", word, "done"),
        ]  # fmt: skip
        assert [item["content"].strip() for item in ollama.asked[-1]["messages"]] == ["one", word, "two"]
        assert shown(tab, "accepted") == 2 and shown(tab, "answer") == []
        assert rows(owner_url) == before
        await tab.do(TemporaryChatState, "clear")
        assert said(tab) == []


async def test_it_is_stopped_and_what_was_written_stays(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await ask(tab, "go on", ENDLESS)
        await tab.until(lambda: shown(tab, "answer") and len(shown(tab, "answer")[0]["text"]) > 20)
        await tab.do(TemporaryChatState, "send", form={"text": "too early"})
        assert "is being written" in shown(tab, "problem")
        await tab.do(TemporaryChatState, "stop")
        [_, answer] = said(tab)
        assert answer[2] == "stopped" and answer[1].startswith("word")
        await ask(tab, "and now")
        await tab.until(lambda: not shown(tab, "is_busy"))
        assert said(tab)[-1][2] == "done"


async def test_what_fails_or_is_refused_is_said(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        await ask(tab, "break", FAILING)
        await tab.until(lambda: not shown(tab, "is_busy"))
        last = shown(tab, "messages")[-1]
        assert last["state"] == "failed" and "stopped" in last["error"]
        await ask(tab, "   ")
        assert shown(tab, "problem") == "Enter a message."
        assert len(said(tab)) == 2


async def test_a_page_that_is_loaded_again_begins_empty(cookie: str) -> None:
    async with open_tab(cookie) as tab:
        tab.socket = "first"
        await ask(tab, "one")
        await tab.until(lambda: not shown(tab, "is_busy"))
        await tab.do(TemporaryChatState, "load")
        assert len(said(tab)) == 2
        tab.socket = "second"
        await tab.do(TemporaryChatState, "load")
        assert said(tab) == []
