"""The examples of docs/api.md, run as they are written."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of, serving

pytestmark = pytest.mark.anyio

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[f"example {number}" for number in range(1, len(EXAMPLES) + 1)])
async def test_an_example_prints_the_answer(
    services: Services, settings: Settings, current_user: CurrentUser, example: str
) -> None:
    key = await key_of(services, current_user, "read", "chat")
    async with serving(settings) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", "-c", example,
            env={**os.environ, "RXCHAT_URL": url, "RXCHAT_KEY": key},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        printed, failed = await asyncio.wait_for(process.communicate(), 120)
    assert failed.decode() == ""
    assert printed.decode().strip() == ("word " * 20).strip()
