"""The page of ratings: numbers by model, and the newest ratings in words, page by page."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.feedback import Rating
from rxchat.services.app.container import Services
from rxchat.services.chat import feedback
from rxchat.states.access import feedback as page
from rxchat.states.access.feedback import FeedbackState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=1"


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = [MODEL]
    return ollama


async def test_ratings_are_shown_by_model_and_one_by_one(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (feedback, page):
        monkeypatch.setattr(module, "PAGE", 2)
    for rating, reasons in ((Rating.GOOD, ()), (Rating.BAD, ("incorrect", "style")), (Rating.GOOD, ())):
        turn = await services.chat.messages.send_message(current_user, None, "Hello", MODEL)
        answer = await ended(services, current_user, turn.conversation_id)
        await services.chat.feedback.rate(
            current_user, turn.conversation_id, answer.id, rating, reasons=reasons, comment="Hm" if reasons else ""
        )
    async with open_tab(await signed_in_as(services, add_user(owner_url, "Ada", "admin"))) as tab:
        await tab.do(FeedbackState, "load")
        [model] = tab.shown(FeedbackState, "models")
        assert (model.model, model.good, model.bad, model.share) == (MODEL, 2, 1, "67 %")
        rows = tab.shown(FeedbackState, "rows")
        assert [(row.is_good, row.reasons, row.comment, row.user) for row in rows] == [
            (True, "", "", current_user.name),
            (False, "It is not correct · I do not like the style or length", "Hm", current_user.name),
        ]
        assert tab.shown(FeedbackState, "has_older")
        await tab.do(FeedbackState, "older")
        assert len(tab.shown(FeedbackState, "rows")) == 3 and not tab.shown(FeedbackState, "has_older")
