"""Large bodies: only of who may ask models, a few at once, and counted as one request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import httpx
import pytest

from rxchat.api.large_bodies import MOST_OF_A_USER
from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api.programs import key_of, program, serving
from tests.factories import add_user

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

PATH = "/v1/chat/completions"
SMALL = {"model": "scripted:tokens=3", "messages": [{"role": "user", "content": "Hello"}]}
LARGE = SMALL | {"metadata": {"a": "x" * 100_000}}


async def held_back(release: asyncio.Event, has_begun: asyncio.Event) -> AsyncGenerator[bytes]:
    """A large body whose last byte comes later."""
    body = json.dumps(LARGE).encode()
    yield body[:-1]
    has_begun.set()
    await release.wait()
    yield body[-1:]


async def first_refused(http: httpx.AsyncClient) -> httpx.Response:
    """The first answer that is a refusal: the server reads what was sent a moment later."""
    while (answer := await http.post(PATH, json=LARGE)).status_code != 429:
        await asyncio.sleep(0)
    return answer


async def test_a_user_sends_a_few_large_bodies_at_once(
    services: Services, settings: Settings, current_user: CurrentUser, owner_url: str
) -> None:
    release = asyncio.Event()
    async with serving(settings) as url, program(url, await key_of(services, current_user)) as http:
        headers = {"content-type": "application/json"}
        began = [asyncio.Event() for _ in range(MOST_OF_A_USER)]
        sending = [
            asyncio.create_task(http.post(PATH, content=held_back(release, event), headers=headers)) for event in began
        ]
        async with asyncio.timeout(60):
            for event in began:
                await event.wait()
            refused = await first_refused(http)
            assert refused.json()["error"]["message"].startswith("Too many large requests are being read.")
            assert int(refused.headers["retry-after"]) == 2
            # Neither small bodies nor other users wait for them.
            small = await http.post(PATH, json=SMALL)
            assert small.status_code == 200, small.text
            async with program(url, await key_of(services, add_user(owner_url, "Bea"))) as other:
                assert (await other.post(PATH, json=LARGE)).status_code == 200
            release.set()
            assert [answer.status_code for answer in await asyncio.gather(*sending)] == [200] * MOST_OF_A_USER
            assert (await http.post(PATH, json=LARGE)).status_code == 200


async def test_large_bodies_need_the_scope_and_count_once(
    services: Services, settings: Settings, current_user: CurrentUser
) -> None:
    few = settings.model_copy(update={"api_requests_per_minute": 3})
    async with serving(few) as url:
        async with program(url, await key_of(services, current_user, "read")) as reader:
            refused = await reader.post(PATH, json=LARGE)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
        async with program(url, await key_of(services, current_user)) as http:
            answers = [await http.post(PATH, json=LARGE) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["ratelimit"].startswith('"default";r=2;')
