"""Usage and the state of the system: numbers for administrators only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from rxchat import __version__
from rxchat.db.platform.database import libpq_url
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput, NotAllowed
from rxchat.services.app.container import Services
from tests import owner
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio

BRIEF, GONE, FAILING = "scripted:tokens=3", "scripted:tokens=4", "scripted:fault=cut,at=1"


@pytest.fixture
async def ada(services: Services, owner_url: str) -> CurrentUser:
    """An administrator."""
    assert services
    return add_user(owner_url, "Ada", "admin")


async def answer(services: Services, user: CurrentUser, model: str) -> None:
    turn = await services.chat.messages.send_message(user, None, "Hello", model)
    await ended(services, user, turn.conversation_id)


async def test_answers_are_counted_by_day_model_and_user(
    services: Services, ada: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama, owner_url: str
) -> None:
    ollama.offered = [BRIEF, GONE, FAILING]
    for user, model in ((current_user, BRIEF), (current_user, BRIEF), (ada, GONE), (current_user, FAILING)):
        await answer(services, user, model)
    with owner.transaction(owner_url) as connection:
        # One of them was ten days ago.
        connection.execute(
            "UPDATE run SET created_at = created_at - interval '10 days' WHERE owner_id = %s", (ada.user_id,)
        )
    status, today = services.app.system_status, datetime.now(UTC).date()
    month = await status.usage(ada, 30)
    assert len(month.days) == 30 and month.days[-1].day == today
    assert [(item.day, item.answers, item.users) for item in month.days if item.answers] == [
        (today - timedelta(days=10), 1, 1),
        (today, 3, 1),
    ]
    assert [(item.model, item.answers, item.failed, item.users) for item in month.models] == [
        (BRIEF, 2, 0, 1), (FAILING, 1, 1, 1), (GONE, 1, 0, 1),
    ]  # fmt: skip
    assert month.models[0].tokens == 6 and month.models[0].tokens_per_second > 0
    assert [(item.user_name, item.answers) for item in month.users] == [(current_user.name, 3), ("Ada", 1)]
    week = await status.usage(ada, 7)
    assert len(week.days) == 7 and [item.user_name for item in week.users] == [current_user.name]
    with pytest.raises(InvalidInput, match="7, 30, 90"):
        await status.usage(ada, 100_000)


async def test_models_are_listed_with_their_usage_and_so_are_those_that_are_gone(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [BRIEF, GONE]
    await answer(services, ada, GONE)
    ollama.offered = [BRIEF]
    services.models.catalog._asked_at = 0
    found = await services.app.system_status.models(ada)
    assert [(item.name, item.info is not None, item.usage is not None, item.is_default) for item in found.models] == [
        (BRIEF, True, False, True),
        (GONE, False, True, False),
    ]
    assert found.problem == ""
    await ollama.stop()
    services.models.catalog._asked_at = 0
    assert "127.0.0.1" in (await services.app.system_status.models(ada)).problem


async def test_the_state_of_the_system_is_what_is_there(
    services: Services, ada: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = [BRIEF]
    await answer(services, current_user, BRIEF)
    state = await services.app.system_status.state(ada)
    assert {item.name for item in state.components} >= {"database", "migrations", "models", "files"}
    assert [item.problem for item in state.components if item.is_needed] == ["", "", ""]
    assert (state.totals.users, state.totals.conversations, state.totals.messages) == (2, 1, 2)
    assert state.totals.database_bytes > 1_000_000 and state.totals.answers_running == 0
    assert state.versions["RxChat"] == __version__ and state.versions["pgvector"][0].isdigit()


async def test_numbers_are_for_administrators(services: Services, current_user: CurrentUser, database_url: str) -> None:
    status = services.app.system_status
    for refused in (status.usage(current_user, 7), status.state(current_user), status.models(current_user)):
        with pytest.raises(NotAllowed):
            await refused
    with psycopg.connect(libpq_url(database_url)) as connection:
        for procedure in (
            "usage_by_day(7)",
            "usage_by_model(7)",
            "usage_by_user(7, 1)",
            "system_totals()",
            "count_jobs()",
        ):
            connection.execute("SELECT set_config('rxchat.user_id', %s, false)", (str(current_user.user_id),))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {procedure}".encode())
            connection.rollback()
