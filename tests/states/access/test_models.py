"""The page of models: renamed, described, ordered, hidden, made the default."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.model_parameters import PARAMETERS
from rxchat.services.app.container import Services
from rxchat.states.access.models import ModelsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.factories import signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.tab import open_tab, open_tabs

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
A, B = "scripted:tokens=2", "scripted:tokens=3"
EMPTY = {"label": "", "description": "", "system_prompt": "", **{item.name: "" for item in PARAMETERS}}


@pytest.fixture(autouse=True)
async def clean(services: Services, ada: CurrentUser, ollama: ScriptedOllama) -> AsyncGenerator[None]:
    ollama.offered = [A, B]
    services.models.catalog.forget()
    yield
    for model in await services.models.settings.all(ada):
        await services.models.settings.reset(ada, model, ClientInfo("127.0.0.1", "a browser"))
    services.models.catalog.forget()


async def test_an_administrator_sets_how_a_model_is_offered(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(ModelsState, "load")
        assert [line.name for line in tab.shown(ModelsState, "models")] == [A, B]
        form = EMPTY | {
            "model": B, "version": "0", "label": "Quick", "description": "Short answers.", "is_default": "on",
            "system_prompt": "Be brief.", "temperature": "0.5", "dialog": "4",
        }  # fmt: skip
        await tab.do(ModelsState, "save", form=form | {"temperature": "7"})
        assert (tab.shown(ModelsState, "problem_dialog"), tab.shown(ModelsState, "problem_field")) == (4, "temperature")
        await tab.do(ModelsState, "save", form=form)
        assert tab.shown(ModelsState, "done_dialog") == 4
        assert tab.shown(ModelsState, "flash") == "Saved “Quick”. It applies to the next answers."
        line = tab.shown(ModelsState, "models")[1]
        assert (line.title, line.badge, line.summary) == ("Quick", "default", "system prompt, temperature")
        assert (line.form.temperature, line.version, line.is_set) == ("0.5", 1, True)
        # Another administrator's change is not replaced unseen.
        await tab.do(ModelsState, "save", form=form | {"label": "Quicker", "dialog": "5"})
        assert tab.shown(ModelsState, "problem_dialog") == 5 and tab.shown(ModelsState, "problem")
        await tab.do(ModelsState, "save", form=form | {"version": "nonsense"})
        assert tab.shown(ModelsState, "problem") == "This form is out of date. Reload the page."
        await tab.do(ModelsState, "move", name=B, way="up")
        assert [line.name for line in tab.shown(ModelsState, "models")] == [B, A]
        await tab.do(ModelsState, "move", name=B, way="sideways")
        assert tab.shown(ModelsState, "problem") == "A model can be moved up, down, or to the top."
        await tab.do(ModelsState, "save", form=EMPTY | {"model": A, "version": "1", "is_hidden": "on"})
        assert [line.badge for line in tab.shown(ModelsState, "models")] == ["default", "hidden"]
        await tab.do(ModelsState, "reset_model", form={"model": B, "dialog": "6"})
        assert tab.shown(ModelsState, "flash") == f"“{B}” has its defaults again."


async def test_users_see_names_descriptions_and_their_favorites_first(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    async with open_tabs(await signed_in_as(services, ada), await signed_in_as(services, grace)) as (admin, tab):
        form = EMPTY | {"model": B, "version": "0", "label": "Quick", "description": "Short answers."}
        await admin.do(ModelsState, "save", form=form)
        await tab.do(ThreadState, "open")
        first, second = tab.shown(ModelPickerState, "models")
        assert (first.name, second.name, second.title, second.description) == (A, B, "Quick", "Short answers.")
        assert "quick" in second.words and "short answers." in second.words
        await tab.do(ModelPickerState, "set_favorite", name=B, is_favorite="yes")
        assert [item.is_favorite for item in tab.shown(ModelPickerState, "models")] == [False, True]
        await tab.do(ModelPickerState, "choose", name=B)
        assert tab.shown(ModelPickerState, "title") == "Quick"
        await tab.do(ModelPickerState, "keep_as_default")
        assert tab.shown(ModelPickerState, "default") == B
    async with open_tab(await signed_in_as(services, grace)) as tab:
        await tab.do(ThreadState, "open")
        assert [item.name for item in tab.shown(ModelPickerState, "models")] == [B, A]
        assert (tab.shown(ModelPickerState, "model"), tab.shown(ModelPickerState, "title")) == (B, "Quick")
        await tab.do(ModelPickerState, "set_favorite", name=B, is_favorite="")
        assert not any(item.is_favorite for item in tab.shown(ModelPickerState, "models"))
    assert (await services.app.preferences.get(ada)).favorite_models == ()


async def test_there_are_at_most_fifty_favorites(services: Services, grace: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, grace)) as tab:
        for number in range(51):
            await tab.do(ModelPickerState, "set_favorite", name=f"model-{number}", is_favorite="yes")
    assert len((await services.app.preferences.get(grace)).favorite_models) == 50
