"""`python -m rxchat ask` and `chat`, as a user types them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of, serving
from tests.peers.scripted_model import counted

pytestmark = pytest.mark.anyio

Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
async def run(services: Services, settings: Settings, current_user: CurrentUser) -> AsyncGenerator[Run]:
    key = await key_of(services, current_user)
    async with serving(settings) as url:

        async def command(*arguments: str, given: str = "", **changed: str) -> tuple[int, str, str]:
            environment = os.environ | {"RXCHAT_URL": url, "RXCHAT_KEY": key} | changed
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "rxchat", *arguments, env=environment,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            printed, failed = await asyncio.wait_for(process.communicate(given.encode()), 120)
            return process.returncode or 0, printed.decode(), failed.decode()

        yield command


async def test_a_question_is_asked_and_its_answer_printed(run: Run) -> None:
    model = "scripted:tokens=30,count=1"
    assert await run("ask", "Count", "--model", model) == (0, f"{counted(1, 30)}\n", "")
    code, printed, _ = await run("ask", "-", "--model", model, "--json", given="Count")
    events = [json.loads(line) for line in printed.splitlines()]
    assert code == 0 and events[-1]["event"] == "run.ended" and events[-1]["state"] == "done"
    assert "".join(event["text"] for event in events if event["event"] == "run.text") == counted(1, 30)
    said = events[-1]["conversation_id"]
    assert (await run("ask", "Again", "--conversation", said))[1] == f"{counted(1, 30)}\n"


async def test_a_conversation_goes_from_line_to_line(run: Run, services: Services, current_user: CurrentUser) -> None:
    code, printed, said = await run("chat", "--model", "scripted:tokens=2", given="One\n\nTwo\n")
    assert (code, printed) == (0, "word word \nword word \n")
    [conversation] = await services.chat.conversations.page(current_user)
    assert str(conversation.id) in said
    page = await services.chat.conversations.open(current_user, conversation.id)
    assert [message.text.strip() for message in page.messages] == ["One", "word word", "Two", "word word"]


async def test_failures_are_sentences_with_an_exit_code(run: Run) -> None:
    code, printed, said = await run("ask", "Hi", "--model", "scripted:fault=error-line,at=2")
    assert (code, printed) == (1, "word word \n") and said.startswith("rxchat: ")
    assert await run("ask", "Hi", RXCHAT_KEY="rxc_wrong") == (1, "", "rxchat: Sign in to continue.\n")
    code, _, said = await run("ask", "Hi", RXCHAT_URL="http://127.0.0.1:9")
    assert code == 1 and "does not respond" in said
    code, _, said = await run("ask", "Hi", RXCHAT_KEY="")
    assert code == 1 and "Set RXCHAT_KEY" in said
