"""The page of prompts and the list behind `/`, without a browser: each handler as owner and as another user."""

from __future__ import annotations

from typing import Any

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.ids import new_id
from rxchat.domain.prompt_examples import EXAMPLES
from rxchat.services.app.container import Services
from rxchat.states.chat.prompt_picks import PromptPicksState
from rxchat.states.chat.prompts import PromptsState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, signed_in_as
from tests.tab import Tab, open_tab, open_tabs

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("203.0.113.7", "a browser")
SAID = {
    "title": "Summarize",
    "command": "sum",
    "text": "Summarize {{text}} in {{language=English|German}}",
    "description": "",
}


@pytest.fixture
def bea(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Bea")


def shown(tab: Tab, name: str) -> Any:
    return tab.shown(PromptsState, name)


def picked(tab: Tab, name: str) -> Any:
    return tab.shown(PromptPicksState, name)


async def opened(tab: Tab) -> None:
    """Be on the page."""
    tab.path = "/prompts"
    await tab.send_event(PromptsState, "load")
    await tab.until(lambda: shown(tab, "loaded"))


def commands(tab: Tab) -> list[str]:
    return [line.command for line in shown(tab, "prompts")]


async def test_a_prompt_is_written_changed_and_found(services: Services, current_user: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        await tab.do(PromptsState, "open", form={"dialog": "1", "id": ""})
        assert (shown(tab, "opened").dialog, shown(tab, "pieces")) == ("1", [])
        await tab.do(PromptsState, "preview", text=SAID["text"])
        assert [(item.name, item.choices, item.is_required) for item in shown(tab, "variables")] == [
            ("text", [], True), ("language", ["English", "German"], False),
        ]  # fmt: skip
        assert [piece.text for piece in shown(tab, "pieces") if piece.is_variable] == ["text", "language"]
        await tab.do(PromptsState, "save", form=SAID | {"dialog": "1", "id": "", "version": "0"})
        [line] = shown(tab, "prompts")
        assert (line.command, line.version, shown(tab, "done_dialog")) == ("sum", 1, 1)
        await tab.do(PromptsState, "open", form={"dialog": "2", "id": line.id})
        assert (shown(tab, "opened").text, shown(tab, "opened").version) == (SAID["text"], 1)
        await tab.do(PromptsState, "save", form=SAID | {"dialog": "2", "id": line.id, "version": "1", "title": "Short"})
        assert [(item.title, item.version) for item in shown(tab, "prompts")] == [("Short", 2)]
        for words, count in (("SHORT", 1), ("/sum", 1), ("nothing", 0), ("", 1)):
            await tab.do(PromptsState, "search", words=words)
            assert (len(shown(tab, "prompts")), shown(tab, "count")) == (count, 1)


async def test_an_error_is_shown_at_its_field_and_a_text_that_is_too_long_in_the_dialog(
    services: Services, current_user: CurrentUser
) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        await tab.do(PromptsState, "save", form=SAID | {"dialog": "7", "command": "two words"})
        assert (shown(tab, "problem_dialog"), shown(tab, "problem_field")) == (7, "command")
        await tab.do(PromptsState, "save", form=SAID | {"dialog": "8", "text": "x" * 20_001})
        assert "20,000" in shown(tab, "problem") and shown(tab, "problem_dialog") == 8
        assert (commands(tab), tab.shown(ThreadState, "problem")) == ([], "")


async def test_a_newer_version_of_another_tab_is_shown_beside_the_draft_which_can_replace_it(
    services: Services, current_user: CurrentUser
) -> None:
    prompt_id = await services.chat.prompts.create(current_user, **SAID)
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        await tab.do(PromptsState, "open", form={"dialog": "3", "id": str(prompt_id)})
        other = SAID | {"text": "Theirs"}
        await services.chat.prompts.change(current_user, prompt_id, 1, **other, client_info=CALLER)
        mine = SAID | {"dialog": "3", "id": str(prompt_id), "text": "Mine"}
        await tab.do(PromptsState, "save", form=mine | {"version": "1"})
        assert "version 2 is the newest" in shown(tab, "problem") and shown(tab, "done_dialog") == 0
        assert (shown(tab, "newest"), shown(tab, "theirs")) == (2, "Theirs")
        await tab.do(PromptsState, "save", form=mine | {"version": "2"})
        assert shown(tab, "done_dialog") == 3
        await tab.do(PromptsState, "open_versions", form={"dialog": "4", "id": str(prompt_id)})
        assert [item.text for item in shown(tab, "opened").versions] == ["Mine", "Theirs", SAID["text"]]
        restored = {"dialog": "4", "id": str(prompt_id), "number": "1", "version": "3"}
        await tab.do(PromptsState, "restore_version", form=restored)
        assert (shown(tab, "opened").version, shown(tab, "opened").versions[0].restored_from) == (4, 1)
        # The same again: there is a newer version by now, which is shown.
        await tab.do(PromptsState, "restore_version", form=restored | {"number": "2"})
        assert "version 4" in shown(tab, "problem")


async def test_a_deleted_prompt_comes_back_by_undo(services: Services, current_user: CurrentUser) -> None:
    prompt_id = str(await services.chat.prompts.create(current_user, **SAID))
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        await tab.do(PromptsState, "duplicate", prompt_id=prompt_id)
        assert (commands(tab), shown(tab, "flash")) == (["sum", "sum-2"], "The copy is “/sum-2”.")
        await tab.do(PromptsState, "remove", prompt_id=prompt_id)
        assert (commands(tab), shown(tab, "removed")) == (["sum-2"], prompt_id)
        assert [item.title for item in shown(tab, "deleted")] == ["Summarize"]
        await tab.do(PromptsState, "restore", prompt_id=shown(tab, "removed"))
        assert (commands(tab), shown(tab, "removed"), shown(tab, "deleted")) == (["sum", "sum-2"], "", [])
        await tab.do(PromptsState, "remove", prompt_id=prompt_id)
        await tab.do(PromptsState, "delete_for_good", form={"dialog": "1", "id": prompt_id})
        assert (shown(tab, "deleted"), shown(tab, "done_dialog"), shown(tab, "removed")) == ([], 1, "")


async def test_each_example_can_be_added(services: Services, current_user: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await opened(tab)
        for number in range(len(EXAMPLES)):
            await tab.do(PromptsState, "add_example", number=str(number))
        assert sorted(commands(tab)) == sorted(item.command for item in EXAMPLES)
        for wrong in ("0", "9", "-1", "x"):
            await tab.do(PromptsState, "add_example", number=wrong)
            assert shown(tab, "problem") != ""
        assert shown(tab, "count") == len(EXAMPLES)


async def test_the_page_of_a_reader_follows_what_the_owner_does(
    services: Services, current_user: CurrentUser, bea: CurrentUser
) -> None:
    prompt_id = await services.chat.prompts.create(current_user, **SAID)
    cookies = [await signed_in_as(services, user) for user in (current_user, bea)]
    async with open_tabs(*cookies) as (mine, theirs):
        await opened(mine)
        await opened(theirs)
        form = {"dialog": "1", "id": str(prompt_id)}
        await mine.do(PromptsState, "open_shares", form=form)
        await mine.do(PromptsState, "share", form=form | {"kind": "user", "principal": bea.email, "action": "read"})
        [share] = shown(mine, "opened").shares
        assert (share.name, share.may_write) == (bea.email, False)
        await theirs.until(lambda: commands(theirs) == ["sum"])
        await services.chat.prompts.change(
            current_user, prompt_id, 1, **(SAID | {"title": "Newer"}), client_info=CALLER
        )
        await theirs.until(lambda: [line.title for line in shown(theirs, "prompts")] == ["Newer"])
        for handler, given in (
            ("save", {"form": SAID | form | {"version": "2", "title": "x"}}), ("remove", {"prompt_id": str(prompt_id)}),
            ("share", {"form": form | {"kind": "everyone"}}), ("open_versions", {"form": form}),
        ):  # fmt: skip
            before = shown(theirs, "refusals")
            await theirs.do(PromptsState, handler, **given)
            assert shown(theirs, "refusals") == before + 1, handler
        await mine.do(PromptsState, "unshare", form=form | {"share": share.id})
        await theirs.until(lambda: commands(theirs) == [])


async def test_the_list_behind_a_slash_leads_to_the_filled_text(
    services: Services, current_user: CurrentUser, bea: CurrentUser
) -> None:
    prompts = services.chat.prompts
    async with open_tab(await signed_in_as(services, current_user)) as tab:
        await tab.do(PromptPicksState, "find", words="")
        assert [item["title"] for item in picked(tab, "choices")] == ["Create a prompt"]
        asked = str(await prompts.create(current_user, **SAID))
        plain = str(
            await prompts.create(current_user, title="Hello", command="hello", text="Say hello", description="")
        )
        await tab.do(PromptPicksState, "find", words="SUMM")
        assert [(item["command"], item["has_variables"]) for item in picked(tab, "choices")] == [("sum", True)]
        await tab.do(PromptPicksState, "find", words="zzz")
        assert (picked(tab, "choices"), picked(tab, "searched")) == ([], "zzz")
        await tab.do(PromptPicksState, "choose", prompt_id=plain)
        first = picked(tab, "inserted")
        assert first.text == "Say hello"
        await tab.do(PromptPicksState, "ask", form={"dialog": "1", "id": asked})
        fields = [(item.field, item.name) for item in picked(tab, "asked").variables]
        assert fields == [("value-0", "text"), ("value-1", "language")]
        form = {"dialog": "1", "id": asked} | {f"name-{field}": name for field, name in fields}
        await tab.do(PromptPicksState, "fill", form=form | {"value-0": " ", "value-1": "German"})
        assert "Fill in “text”" in picked(tab, "problem") and picked(tab, "inserted") == first
        await tab.do(PromptPicksState, "fill", form=form | {"value-0": "it", "value-1": "German"})
        assert picked(tab, "inserted").text == "Summarize it in German" and picked(tab, "done_dialog") == 1
        assert picked(tab, "inserted").number > first.number
    async with open_tab(await signed_in_as(services, bea)) as tab:
        for unknown in (asked, str(new_id())):
            await tab.do(PromptPicksState, "fill", form=form | {"id": unknown})
            await tab.do(PromptPicksState, "choose", prompt_id=unknown)
            assert picked(tab, "problem") != "" and not picked(tab, "inserted").text
