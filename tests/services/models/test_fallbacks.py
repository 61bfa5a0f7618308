"""Fallback models: who answers instead of a model that is not available, and what says so."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.chat import ModelInfo
from rxchat.domain.grounding import warnings_for_readers
from rxchat.domain.messages import MessageState
from rxchat.domain.model_fallbacks import note_of, usable_fallbacks
from rxchat.domain.model_settings import ModelSettingDraft
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended

pytestmark = pytest.mark.anyio

BROKEN, REFUSING = "scripted:fault=html-status", "scripted:fault=refused"
CUT, SECOND = "scripted:tokens=9,fault=cut", "scripted:tokens=2"
OFFERED = [BROKEN, REFUSING, CUT, SECOND, "scripted:tokens=3", "scripted:tokens=4,remote=ollama.com"]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    fallbacks = {
        BROKEN: ("not-offered", "scripted:tokens=4,remote=ollama.com", SECOND),
        REFUSING: (SECOND,),
        CUT: (SECOND,),
        "*": ("scripted:tokens=3",),
    }
    return settings.model_copy(update={"model_fallbacks": fallbacks, "remote_models": True})


async def test_a_fallback_answers_and_the_message_says_so(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    turn = await services.chat.messages.send_message(
        current_user, None, "go", BROKEN, parameters={"seed": 7, "temperature": 0.5}
    )
    answer = await ended(services, current_user, turn.conversation_id)
    assert (answer.state, answer.text, answer.model) == (MessageState.DONE, "word word ", BROKEN)
    assert answer.warnings == [f"Answered by {SECOND}, since {BROKEN} was not available."]
    assert [asked["model"] for asked in ollama.asked] == [BROKEN, SECOND]
    assert ollama.asked[1]["options"]["seed"] == 7
    _, record = await services.chat.prompt_records.of_answer(current_user, turn.conversation_id, answer.id)
    assert record["model"] == SECOND, "what the model saw is what the one saw that answered"
    assert warnings_for_readers(answer.warnings) == answer.warnings


async def test_what_a_model_refuses_or_has_begun_is_left_to_it(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    for model, text in ((REFUSING, ""), (CUT, "word " * 5)):
        turn = await services.chat.messages.send_message(current_user, None, "go", model)
        answer = await ended(services, current_user, turn.conversation_id)
        assert (answer.state, answer.text, answer.warnings) == (MessageState.FAILED, text, [])
    assert [asked["model"] for asked in ollama.asked] == [REFUSING, CUT]


async def test_a_model_that_the_user_may_not_use_is_no_fallback(services: Services, owner_url: str) -> None:
    root, guest = add_user(owner_url, "Root", "admin"), add_user(owner_url, "Guest", "guest")
    for model in (BROKEN, "scripted:tokens=3"):
        await services.access.grants.add(
            root, principal_kind="everyone", principal="*", resource_kind="model", resource=model, action="use",
            client_info=ClientInfo("127.0.0.1", "a browser"),
        )  # fmt: skip
    turn = await services.chat.messages.send_message(guest, None, "go", BROKEN)
    answer = await ended(services, guest, turn.conversation_id)
    assert answer.text == "word " * 3, "the next one is that of all models"


async def test_when_all_fail_the_failure_is_that_of_the_chosen_model(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.missing = {SECOND, "scripted:tokens=3"}
    turn = await services.chat.messages.send_message(current_user, None, "go", BROKEN)
    answer = await ended(services, current_user, turn.conversation_id)
    assert (answer.state, answer.warnings) == (MessageState.FAILED, [])
    assert answer.error.startswith(f"{BROKEN} failed on its host")


async def test_the_fallbacks_of_the_interface_come_first(services: Services, owner_url: str) -> None:
    root, here = add_user(owner_url, "Root", "admin"), ClientInfo("127.0.0.1", "a browser")
    await services.models.settings.change(root, ModelSettingDraft(BROKEN, fallbacks=["scripted:tokens=3"]), here)
    hidden = ModelSettingDraft("scripted:tokens=3", is_hidden=True)
    await services.models.settings.change(root, hidden, here)
    turn = await services.chat.messages.send_message(root, None, "go", BROKEN)
    answer = await ended(services, root, turn.conversation_id)
    assert answer.text == "word " * 3, "also one that is hidden in lists"


def test_a_model_outside_of_the_network_replaces_only_one_that_is_outside_too() -> None:
    offered = {
        name: ModelInfo(name, "h", remote_host="api.example" if name.startswith("far") else "")
        for name in ("near", "near-2", "far", "far-2")
    }
    wanted = ["far", "far-2", "near-2", "near", "gone"]
    assert usable_fallbacks("near", wanted, offered) == ["near-2"]
    assert usable_fallbacks("gone", wanted, offered) == ["near-2", "near"]
    assert usable_fallbacks("far", wanted, offered) == ["far-2", "near-2", "near"]
    assert note_of("a", "b") == "Answered by b, since a was not available."


@pytest.mark.parametrize("value", ["[]", "{", '{"a": "b"}', '{"a": [1]}', '{"a": [""]}'])
def test_fallbacks_that_are_none_are_refused_at_the_start(value: str) -> None:
    with pytest.raises(ValidationError, match="must be JSON like"):
        Settings.model_validate({"RXCHAT_MODEL_FALLBACKS": value})
    found = Settings.model_validate({"RXCHAT_MODEL_FALLBACKS": '{"a": ["b", "c"]}'})
    assert found.model_fallbacks == {"a": ("b", "c")}
