"""The page of quotas: limits of users, groups and models, and the prices of models, by forms."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.quotas import QuotasState
from tests.factories import signed_in_as
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
DAILY = {"model": "", "period": "day", "requests": "", "tokens": "1 000", "cost": ""}


async def test_quotas_are_added_changed_and_deleted(services: Services, ada: CurrentUser, grace: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(QuotasState, "load")
        assert (tab.shown(QuotasState, "quotas"), tab.shown(QuotasState, "currency")) == ([], "USD")
        await tab.do(QuotasState, "begin")
        await tab.do(QuotasState, "add", form=DAILY | {"dialog": "3"})
        assert tab.shown(QuotasState, "done_dialog") == 3
        await tab.do(QuotasState, "choose_kind", kind="user")
        await tab.do(QuotasState, "add", form=DAILY)
        assert tab.shown(QuotasState, "problem") == "Choose a user."
        await tab.do(QuotasState, "find", words="grace")
        await tab.do(QuotasState, "pick", user_id=str(grace.user_id))
        await tab.do(
            QuotasState, "add",
            form={"model": "a/b", "period": "month", "requests": "1", "tokens": "", "cost": "2.50"},
        )  # fmt: skip
        assert [item.about for item in tab.shown(QuotasState, "quotas")] == [
            "Each user, All models together: 1,000 tokens a day",
            "Grace, a/b: 1 request, 2.50 USD a month",
        ]
        own = tab.shown(QuotasState, "quotas")[1]
        assert (own.requests, own.tokens, own.cost) == ("1", "", "2.5")
        await tab.do(QuotasState, "save", form={"id": own.id, "requests": "", "tokens": "7", "cost": ""})
        assert tab.shown(QuotasState, "quotas")[1].limits == ["7 tokens"]
        await tab.do(QuotasState, "remove", form={"id": own.id})
        assert len(tab.shown(QuotasState, "quotas")) == 1


async def test_a_quota_of_a_group_is_for_all_of_it_or_for_each(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await services.access.groups.save(
            ada, group_id=None, name="Team", description="", client_info=ClientInfo("127.0.0.1", "a browser")
        )
        await tab.do(QuotasState, "load")
        [group] = tab.shown(QuotasState, "groups")
        for kind in ("group", "each_of_group"):
            await tab.do(QuotasState, "choose_kind", kind=kind)
            await tab.do(QuotasState, "add", form=DAILY | {"group": group.value})
        details = {item.detail for item in tab.shown(QuotasState, "quotas")}
        assert details == {"the group together", "each user of the group"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tokens", "many"),
        ("tokens", "1.5"),
        ("requests", "-1"),
        ("cost", "NaN"),
        ("cost", "1e999999"),
        ("cost", "-1"),
        ("tokens", "9" * 29),
    ],
)
async def test_what_is_no_number_is_said_at_its_field(
    services: Services, ada: CurrentUser, field: str, value: str
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(QuotasState, "load")
        await tab.do(QuotasState, "add", form=DAILY | {field: value})
        assert (tab.shown(QuotasState, "problem_field"), tab.shown(QuotasState, "quotas")) == (field, [])
        await tab.do(QuotasState, "add", form=DAILY | {"tokens": ""})
        assert "at least one limit" in tab.shown(QuotasState, "problem")


async def test_prices_are_set_and_deleted(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(QuotasState, "load")
        form = {"model": "a/b", "input_price": "0.150", "output_price": "10"}
        await tab.do(QuotasState, "set_price", form=form)
        [price] = tab.shown(QuotasState, "prices")
        assert (price.model, price.input_price, price.output_price) == ("a/b", "0.15", "10")
        await tab.do(QuotasState, "set_price", form=form | {"input_price": ""})
        assert tab.shown(QuotasState, "problem_field") == "input_price"
        await tab.do(QuotasState, "remove_price", form={"model": "a/b"})
        assert tab.shown(QuotasState, "prices") == []
