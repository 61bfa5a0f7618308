"""What is left of the user's quotas, a reminder before they are used up, and a question that is kept when they are."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.ids import new_id
from rxchat.domain.quotas import QuotaLimits, QuotaPeriod, QuotaSubject
from rxchat.services.app.container import Services
from rxchat.states.chat.own_quotas import OwnQuotasState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.states.chat.steps import at_conversation
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=20"
HERE = ClientInfo("127.0.0.1", "a browser")


@pytest.fixture
async def root(services: Services, ollama: ScriptedOllama, owner_url: str) -> CurrentUser:
    assert services
    ollama.offered = [MODEL]
    return add_user(owner_url, "Root", "admin")


async def test_a_reminder_comes_near_the_end_and_a_refused_question_goes_back_to_the_composer(
    services: Services, root: CurrentUser, current_user: CurrentUser
) -> None:
    limits, subject = QuotaLimits(tokens=35), QuotaSubject(is_each=True)
    quota = await services.models.quotas.add(root, subject, "", QuotaPeriod.DAY, limits, HERE)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await at_conversation(tab)
        await tab.do(OwnQuotasState, "load")
        [shown] = tab.shown(OwnQuotasState, "quotas")
        assert (shown.title, shown.left, shown.used, shown.whose) == (
            "35 tokens a day", "35 tokens left", 0, "For you alone",
        )  # fmt: skip
        turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
        await ended(services, current_user, turn.conversation_id)
        await tab.do(OwnQuotasState, "remind")
        # The scripted host has counted 30.
        assert tab.shown(OwnQuotasState, "notice") == "5 tokens are left of your quota of 35 tokens a day."
        turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
        await ended(services, current_user, turn.conversation_id)
        client_id = str(new_id())
        await tab.do(ThreadState, "send", text="One more", client_id=client_id)
        refused = tab.shown(ThreadState, "refused")
        assert refused["id"] == client_id
        assert refused["text"].startswith("Your quota of 35 tokens a day is used up. It resets on ")
        await tab.do(OwnQuotasState, "load")
        assert tab.shown(OwnQuotasState, "notice") == "Your quota of 35 tokens a day is used up."
        assert tab.shown(OwnQuotasState, "notice_resets_at") > 0
        assert tab.shown(OwnQuotasState, "quotas")[0].look == "over"
        await services.models.quotas.change(root, quota.id, QuotaLimits(tokens=1_000), HERE)
        await tab.do(ThreadState, "send", text="One more", client_id=client_id)
        assert tab.shown(ThreadState, "accepted") == client_id
        await tab.do(OwnQuotasState, "remind")
        assert tab.shown(OwnQuotasState, "notice") == ""


async def test_of_a_shared_quota_it_is_said_who_shares_it(
    services: Services, root: CurrentUser, current_user: CurrentUser
) -> None:
    limits = QuotaLimits(requests=0)
    await services.models.quotas.add(root, QuotaSubject(), MODEL, QuotaPeriod.MONTH, limits, HERE)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await tab.do(OwnQuotasState, "load")
        [shown] = tab.shown(OwnQuotasState, "quotas")
        assert (shown.title, shown.left, shown.used, shown.whose) == (
            f"0 requests a month of {MODEL}", "Used up", 1_000, "Shared by all users",
        )  # fmt: skip
