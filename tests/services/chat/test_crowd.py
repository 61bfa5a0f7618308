"""A crowd: everyone begins a new chat in the same moment, and everyone gets one."""

from __future__ import annotations

import asyncio

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user, signed_in_as

pytestmark = pytest.mark.anyio

PEOPLE = 60


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With fewer connections than usual: a small pool for many people is what this is about."""
    return settings.model_copy(update={"database_pool_size": 3})


async def test_sixty_people_who_begin_a_chat_in_the_same_moment_are_all_served(
    services: Services, owner_url: str
) -> None:
    users = [add_user(owner_url, f"Person {number}") for number in range(PEOPLE)]
    cookies = [await signed_in_as(services, current_user) for current_user in users]

    async def begin(current_user: CurrentUser, cookie: str) -> bool:
        seen = await services.accounts.sessions.current_user(cookie)
        assert seen.user_id == current_user.user_id
        turn = await services.chat.messages.send_message(seen, None, "Hello", "scripted:tokens=1")
        page = await services.chat.conversations.open(seen, turn.conversation_id)
        await services.chat.conversations.page(seen)
        return len(page.messages) == 2

    assert all(await asyncio.gather(*map(begin, users, cookies)))
