"""The dialog “What the model saw” of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import require_id
from rxchat.domain.model_parameters import words_of
from rxchat.services.app import container
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, dialog_number, show_problem, text_in

_MESSAGE_CHARACTERS = 6_000
_ALL_CHARACTERS = 40_000
"""How much the page is sent; the file has all of it."""
_MOST_MESSAGES = 100
_MOST_SOURCES = 60
_ROLES = {"system": "System", "user": "You", "assistant": "Model", "tool": "Tool"}
_guarded = partial(requires_user, refuse=show_problem)


@dataclass
class SeenMessageView:
    """A message as the model received it."""

    who: str
    text: str
    note: str


@dataclass
class PromptRecordView:
    """A record as the dialog shows it."""

    run_id: str = ""
    facts: list[list[str]] = field(default_factory=list)
    """Names and values."""
    messages: list[SeenMessageView] = field(default_factory=list)
    left_out: list[SeenMessageView] = field(default_factory=list)
    left_out_count: int = 0
    sources: list[str] = field(default_factory=list)
    note: str = ""


class PromptRecordState(DialogState, rx.State):
    """What the model saw for the answer that the open dialog is about."""

    opened: int = 0
    """The number of the dialog that the record belongs to."""
    record: PromptRecordView = PromptRecordView()

    @rx.event
    @_guarded
    async def show(self, current_user: CurrentUser, form: dict) -> None:
        """Show the record of the answer with the form's `id`, in the dialog with its number."""
        self._done()
        conversation_id = require_id((await self.get_state(ThreadState)).conversation_id)
        run_id, record = await container.get_services().chat.prompt_records.of_answer(
            current_user, conversation_id, require_id(text_in(form, "id"))
        )
        self.record = record_view(str(run_id), record)
        self.opened = dialog_number(form)


def record_view(run_id: str, record: dict[str, Any]) -> PromptRecordView:
    """Return a record as the dialog shows it, within the size of an event."""
    messages, room = _messages(record["messages"], _ALL_CHARACTERS)
    left_out, _ = _messages(record["left_out"], room // 4)
    shown, whole = sum(len(item.text) for item in messages), sum(len(item["content"]) for item in record["messages"])
    return PromptRecordView(
        run_id,
        _facts(record),
        messages,
        left_out,
        len(record["left_out"]),
        [_source(item) for item in record["sources"][:_MOST_SOURCES]],
        "Long texts are shortened here. The file has all that is kept." if shown < whole else "",
    )


def _messages(given: list[dict[str, Any]], room: int) -> tuple[list[SeenMessageView], int]:
    found: list[SeenMessageView] = []
    for item in reversed(given[-_MOST_MESSAGES:]):
        text = item["content"][: min(_MESSAGE_CHARACTERS, room)]
        room -= len(text)
        rest = len(item["content"]) - len(text) + item.get("cut_characters", 0)
        calls = [f"calls {call['name']}" for call in item.get("tool_calls", ())]
        count = item.get("images", 0)
        images = f"{count} {'picture' if count == 1 else 'pictures'}" if count else ""
        more = f"{rest:,} more characters" if rest else ""
        note = " · ".join(part for part in (*calls, item.get("tool_name", ""), images, more) if part)
        found.append(SeenMessageView(_ROLES.get(str(item["role"]), ""), text, note))
    return found[::-1], room


def _facts(record: dict[str, Any]) -> list[list[str]]:
    requests = record["requests"]

    def total(name: str) -> float:
        return sum(item[name] for item in requests)

    first, context = record["first_token_seconds"], record["context_tokens"]
    given = {
        "Model": record["model"],
        "Digest": record["digest"][:19],
        "Parameters": words_of(record["parameters"]) or "The model’s own",
        "Context": f"{context:,} tokens" if context else "",
        "Tokens": f"{total('prompt_tokens'):,} read, {total('answer_tokens'):,} written" if requests else "",
        "First token": f"after {first:.2f} s" if first is not None else "",
        "Time": f"{record['seconds']:.2f} s in all, {total('load_seconds'):.2f} s to load,"
        f" {total('prompt_seconds'):.2f} s to read, {total('answer_seconds'):.2f} s to write",
        "Requests": f"{len(requests)}, for the results of tools" if len(requests) > 1 else "",
        "Tools": ", ".join(record["tools"]),
        "Cost": _cost(record["cost"], record.get("currency", "")),
    }
    return [[name, value] for name, value in given.items() if value]


def _source(item: dict[str, Any]) -> str:
    if item.get("is_hidden"):
        return f"[{item['number']}] a document that was deleted, or is no longer shared with you"
    page = f"page {item['page']}" if item["page"] else ""
    return f"[{item['number']}] " + ", ".join(part for part in (item["name"], item["heading"], page) if part)


def _cost(cost: float | None, currency: str) -> str:
    """Return a cost in words: with six digits, since most answers cost less than a cent."""
    return "" if cost is None else f"{cost:.6f}".rstrip("0").rstrip(".") + f" {currency}"
