"""Quotas: reserved before a request and settled after it, so that requests at the same time cannot overspend."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from rxchat.db.models import quotas as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.chat import ChatMessage, ChatOptions, Role
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound, QuotaExceeded
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from rxchat.domain.quotas import ModelPrice, Quota, QuotaLimits, QuotaPeriod, QuotaState, QuotaSubject
from rxchat.services.app.container import Services
from rxchat.services.chat.completions import Question
from tests import owner
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio

MODEL = "scripted:tokens=20"
HERE = ClientInfo("127.0.0.1", "a browser")
MINUTE = timedelta(minutes=1)
TOTAL = "SELECT coalesce(sum(requests), 0), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0) FROM model_usage"


@pytest.fixture
def root(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Root", "admin")


async def limit(
    services: Services,
    root: CurrentUser,
    subject: QuotaSubject | None = None,
    *,
    model: str = "",
    period: QuotaPeriod = QuotaPeriod.DAY,
    requests: int | None = None,
    tokens: int | None = None,
    cost: Decimal | None = None,
) -> Quota:
    limits = QuotaLimits(requests, tokens, cost)
    return await services.models.quotas.add(root, subject or QuotaSubject(), model, period, limits, HERE)


async def ask(services: Services, user: CurrentUser, model: str = MODEL) -> None:
    question = Question(model, [[ChatMessage(Role.USER, "Hello")]])
    async with aclosing(services.chat.completions.ask(user, question)) as arriving:
        async for _ in arriving:
            pass


async def left(services: Services, user: CurrentUser) -> list[tuple[str, int]]:
    return [(item.measure.value, int(item.left)) for item in await services.models.quotas.own(user)]


def counted(owner_url: str) -> tuple[int, int, int]:
    with owner.transaction(owner_url) as connection:
        row = connection.execute(TOTAL).fetchone()
    assert row
    return int(row[0]), int(row[1]), int(row[2])


@pytest.mark.without_engine
async def test_a_hundred_requests_at_once_overspend_by_at_most_one_reservation(
    services: Services, root: CurrentUser, current_user: CurrentUser, owner_url: str, database_url: str
) -> None:
    await limit(services, root, tokens=1_000)
    await limit(services, root, QuotaSubject(is_each=True), period=QuotaPeriod.MONTH, tokens=1_010)
    databases = [Database(database_url, pool_size=8) for _ in range(2)]
    users = [current_user, root]

    async def run(number: int) -> bool:
        database, user, reservation = databases[number % 2], users[number // 2 % 2], new_id()
        async with database.begin(user.user_id) as session:
            if await rows.reserve(session, reservation, None, MODEL, 10, 90, MINUTE) is not None:
                return False
        await asyncio.sleep(0)
        async with database.begin(user.user_id) as session:
            await rows.settle(session, reservation, MODEL, 1, 10, 95, is_repeated=False)
        return True

    try:
        allowed = sum(await asyncio.gather(*(run(number) for number in range(100))))
    finally:
        for database in databases:
            await database.aclose()
    requests, read, written = counted(owner_url)
    assert requests == allowed and read + written == 105 * allowed
    # One more reservation than fits, and what each of them wrote beyond its reservation.
    assert 1_000 <= read + written <= 1_000 + 105
    states = await services.models.quotas.own(current_user)
    assert sorted(int(item.amount) for item in states if item.is_used_up) == [1_000]
    assert [item.reserved for item in states] == [0, 0]


@pytest.mark.without_engine
async def test_of_parallel_requests_only_as_many_are_made_as_are_left(
    services: Services, root: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    await limit(services, root, QuotaSubject(current_user.user_id), requests=7)
    metering = services.chat.completions._metering

    async def one() -> str:
        asked = metering.chat(current_user.user_id, MODEL, [ChatMessage(Role.USER, "Hello")])
        try:
            async with aclosing(asked) as events:
                return "".join([getattr(event, "text", "") async for event in events])
        except QuotaExceeded as error:
            return error.message

    found = await asyncio.gather(*(one() for _ in range(100)))
    assert sum("word" in text for text in found) == 7 == len(ollama.asked)
    assert len({text for text in found if "word" not in text} - {""}) in {1, 2}


async def test_an_answer_is_counted_with_the_numbers_of_its_provider_and_its_cost(
    services: Services, root: CurrentUser, current_user: CurrentUser, owner_url: str
) -> None:
    await services.models.quotas.set_price(root, ModelPrice(MODEL, Decimal(2), Decimal(10)), HERE)
    await limit(services, root, tokens=1_000, cost=Decimal(1))
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    message = await ended(services, current_user, turn.conversation_id)
    assert message.state is MessageState.DONE
    # The scripted host says that it has read 10 tokens and written 20.
    assert counted(owner_url) == (1, 10, 20)
    states = {item.measure.value: item for item in await services.models.quotas.own(current_user)}
    assert (states["tokens"].used, states["cost"].used) == (30, Decimal("0.00022"))
    _, record = await services.chat.prompt_records.of_answer(current_user, turn.conversation_id, message.id)
    assert (record["cost"], record["currency"]) == (0.00022, "USD")


async def test_a_question_is_refused_before_it_is_stored_when_a_quota_is_used_up(
    services: Services, root: CurrentUser, current_user: CurrentUser
) -> None:
    quota = await limit(services, root, QuotaSubject(is_each=True), requests=1)
    await ask(services, current_user)
    with pytest.raises(
        QuotaExceeded, match=r"Your quota of 1 request a day is used up. It resets on .* at 00:00 UTC"
    ) as caught:
        await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    assert abs(caught.value.retry_after_seconds - (midnight - datetime.now(UTC)).total_seconds()) < 60
    assert await services.chat.conversations.page(current_user) == []
    # Each user has it for themselves, and what an administrator raises holds at once.
    await ask(services, root)
    await services.models.quotas.change(root, quota.id, QuotaLimits(requests=3), HERE)
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    assert (await ended(services, current_user, turn.conversation_id)).state is MessageState.DONE
    assert await left(services, current_user) == [("requests", 1)]


async def test_an_answer_whose_quota_ran_out_while_it_waited_says_so_and_can_be_made_again(
    services: Services, root: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    quota = await limit(services, root, requests=2)
    turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
    await ended(services, current_user, turn.conversation_id)
    engine = services.chat.run_engine
    engine._limits = replace(engine._limits, at_once=0)
    second = await services.chat.messages.send_message(current_user, turn.conversation_id, "And again?", MODEL)
    await ask(services, root)
    engine._limits = replace(engine._limits, at_once=9)
    engine._wake.set()
    failed = await ended(services, current_user, turn.conversation_id)
    assert (failed.state, failed.error_code, len(ollama.asked)) == (MessageState.FAILED, "quota_exceeded", 2)
    assert "quota of this installation, 2 requests a day, is used up" in failed.error
    assert second.conversation_id == turn.conversation_id
    await services.models.quotas.delete(root, quota.id, HERE)
    await services.chat.messages.retry(current_user, turn.conversation_id, failed.id)
    assert (await ended(services, current_user, turn.conversation_id)).state is MessageState.DONE


async def test_a_group_shares_its_quota_and_a_model_has_its_own(
    services: Services, root: CurrentUser, current_user: CurrentUser, owner_url: str
) -> None:
    group = await services.access.groups.save(root, group_id=None, name="Team", description="", client_info=HERE)
    await services.access.groups.set_member(root, group, current_user.user_id, HERE, is_member=True)
    other = add_user(owner_url, "Grace")
    await services.access.groups.set_member(root, group, other.user_id, HERE, is_member=True)
    await limit(services, root, QuotaSubject(group_id=group), requests=2)
    await limit(services, root, model="scripted:tokens=3", tokens=0)
    await ask(services, current_user)
    await ask(services, other)
    with pytest.raises(QuotaExceeded, match="group “Team”"):
        await ask(services, current_user)
    # Those outside of the group go on, but not with the model that is closed for all.
    await ask(services, root)
    with pytest.raises(QuotaExceeded, match=r"of scripted:tokens=3, is used up.*choose another model"):
        await services.models.quotas.require_model(root, "scripted:tokens=3")


@pytest.mark.without_engine
async def test_what_a_dead_process_has_reserved_is_free_again(
    services: Services, root: CurrentUser, current_user: CurrentUser, database_url: str
) -> None:
    await limit(services, root, tokens=100)
    run, database = new_id(), Database(database_url)

    async def reserve(run_id: UUID | None, lease: timedelta = MINUTE) -> QuotaState | None:
        async with database.begin(current_user.user_id) as session:
            return await rows.reserve(session, new_id(), run_id, MODEL, 10, 90, lease)

    try:
        assert await reserve(run) is None
        refused = await reserve(None)
        assert refused is not None and not refused.is_used_up and refused.reserved == 100
        # Another process takes over the run: its reservation replaces the one of the dead process.
        assert await reserve(run, -MINUTE) is None
        # This one has expired, too.
        assert await reserve(None) is None
        assert await reserve(None) is not None
    finally:
        await database.aclose()


@pytest.mark.without_engine
async def test_a_quota_that_is_added_later_counts_what_was_used_and_what_is_in_progress(
    services: Services, root: CurrentUser, current_user: CurrentUser, database_url: str
) -> None:
    await ask(services, current_user)
    database, reservation = Database(database_url), new_id()
    try:
        async with database.begin(current_user.user_id) as session:
            assert await rows.reserve(session, reservation, None, MODEL, 10, 40, MINUTE) is None
        await limit(services, root, period=QuotaPeriod.MONTH, tokens=1_000)
        assert await left(services, current_user) == [("tokens", 970)]
        await ask(services, root)
        [state] = await services.models.quotas.own(current_user)
        assert (state.used, state.reserved) == (60, 50)
        async with database.begin(current_user.user_id) as session:
            for is_repeated in (False, True):
                await rows.settle(session, reservation, MODEL, 1, 10, 60, is_repeated=is_repeated)
    finally:
        await database.aclose()
    [state] = await services.models.quotas.own(current_user)
    assert (state.used, state.reserved) == (130, 0)


async def test_requests_that_fail_before_the_first_word_cost_nothing_and_stopped_ones_what_they_wrote(
    services: Services, root: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama, owner_url: str
) -> None:
    await limit(services, root, tokens=100_000)
    turn = await services.chat.messages.send_message(current_user, None, "Hello", "scripted:fault=refused")
    assert (await ended(services, current_user, turn.conversation_id)).state is MessageState.FAILED
    assert counted(owner_url)[0] == 0
    metering = services.chat.completions._metering
    asked = metering.chat(
        current_user.user_id, "scripted:tokens=100000,rate=1000", [ChatMessage(Role.USER, "Hello")],
        options=ChatOptions(max_tokens=50),
    )  # fmt: skip
    async with aclosing(asked) as events:
        async for _ in events:
            break
    requests, read, written = counted(owner_url)
    assert requests == 1 and read > 0 and 0 < written < 1_000
    [state] = await services.models.quotas.own(current_user)
    assert (state.used, state.reserved) == (read + written, 0)


async def test_embeddings_count_too(
    services: Services, root: CurrentUser, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    await limit(services, root, requests=1)
    embedder = "scripted-embed:tokens=256"
    ollama.offered = [embedder]
    assert len(await services.retrieval.embeddings.vectors(current_user, embedder, ["Hello"])) == 1
    with pytest.raises(QuotaExceeded):
        await services.retrieval.embeddings.vectors(current_user, embedder, ["Hello"])


async def test_quotas_and_prices_are_for_those_who_may_set_them(
    services: Services, root: CurrentUser, current_user: CurrentUser
) -> None:
    quotas = services.models.quotas
    quota = await limit(services, root, requests=5)
    await quotas.set_price(root, ModelPrice(MODEL, Decimal(1), Decimal(2)), HERE)
    for refused in (
        quotas.all(current_user),
        quotas.prices(current_user),
        quotas.delete(current_user, quota.id, HERE),
        quotas.change(current_user, quota.id, QuotaLimits(requests=9), HERE),
        quotas.add(current_user, QuotaSubject(), "", QuotaPeriod.DAY, QuotaLimits(requests=1), HERE),
        quotas.set_price(current_user, ModelPrice(MODEL, Decimal(0), Decimal(0)), HERE),
        quotas.delete_price(current_user, MODEL, HERE),
    ):
        with pytest.raises(NotAllowed):
            await refused
    assert [(item.limits.requests, item.name) for item in await quotas.all(root)] == [(5, "")]
    with pytest.raises(InvalidInput, match="does not exist any more"):
        await limit(services, root, QuotaSubject(user_id=new_id()), requests=1)
    await quotas.delete(root, quota.id, HERE)
    for missing in (quotas.delete(root, quota.id, HERE), quotas.change(root, quota.id, QuotaLimits(tokens=1), HERE)):
        with pytest.raises(NotFound):
            await missing
    said = [item.action for item in await services.access.audit_log.page(root)]
    assert said[:3] == ["quota_deleted", "price_set", "quota_set"]
