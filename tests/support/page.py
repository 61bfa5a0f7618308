"""The page's model of one conversation, in Python: the rules of rxchat/ui/client/thread-state.js (docs/protocol.md).

State tests, fault tests, sequences and the bench use it; `page_cases.json` tests it and the JavaScript for the same
behavior.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rxchat.domain.text import utf16_length

Message = dict[str, Any]
_KINDS = ("text", "reasoning")


def place_window(buffer: str, offset: int, piece: str) -> str | None:
    """Insert a piece into a text at an offset in UTF-16 units; None if text before it is missing."""
    if buffer.isascii():
        return None if offset > len(buffer) else buffer[:offset] + piece
    units = buffer.encode("utf-16-le", "surrogatepass")
    if offset * 2 > len(units):
        return None
    return (units[: offset * 2] + piece.encode("utf-16-le", "surrogatepass")).decode("utf-16-le", "surrogatepass")


class Page:
    """The displayed messages; calls `resync` if a part is missing, and `more` for the rest of long texts."""

    def __init__(self, resync: Callable[[], None] = lambda: None, more: Callable[[], None] = lambda: None) -> None:
        """Start without messages."""
        self.messages: list[Message] = []
        self.older = False
        self.pending: list[Message] = []
        self.waiting: list[Message] | None = None
        self.resyncs = 0
        self.number: int | None = None
        self._resync, self._more = resync, more
        self._texts: dict[tuple[str, str], str] = {}
        self._accepted: set[str] = set()
        self._doubtful: set[str] = set()
        self.awaits_more = self._awaits_set = False

    def text(self, message_id: str, kind: str = "text") -> str:
        """Return the displayed text of an answer, running or finished."""
        message = self.find(message_id)
        if message is not None and message["state"] != "running":
            return message.get(kind) or ""
        return self._texts.get((message_id, kind), "")

    def find(self, message_id: str) -> Message | None:
        """Return the message with this ID, or None."""
        return next((message for message in self.messages if message["id"] == message_id), None)

    def last_answer(self) -> Message | None:
        """Return the newest answer, or None."""
        return next((message for message in reversed(self.messages) if message["role"] == "assistant"), None)

    def take_patch(self, patch: dict[str, Any]) -> None:
        """Apply a patch from the server."""
        if not patch.get("change"):
            return
        before, self.number = self.number, patch["number"]
        if patch["change"] in {"set", "extend"}:
            self.awaits_more = False
        if patch.get("more") and not self.awaits_more:
            self.awaits_more = True
            self._more()
        if patch["change"] == "set":
            self._set(patch)
        elif before is None:
            return
        elif patch["number"] != before + 1 or self._awaits_set:
            self.ask_once()
        else:
            {
                "append": self._append,
                "prepend": self._prepend,
                "finish": self._finish,
                "extend": self._extend,
                "branch": self._branch,
                "rate": lambda given: (self.find(given["id"]) or {}).update(feedback=given["feedback"]),
                "replace": lambda given: self._replace(given["item"]),
            }[patch["change"]](patch)

    def take_packet(self, packet: dict[str, Any]) -> None:
        """Apply a window: the newest part of a running answer."""
        message = self.find(packet["message_id"])
        if message is not None and message["state"] != "running":
            return
        key = packet["message_id"], packet["kind"]
        placed = place_window(self._texts.get(key, ""), packet["offset"], packet["text"])
        if placed is not None:
            self._texts[key] = placed
        elif message is not None:
            self.ask_once()

    def sent(self, message_id: str, text: str) -> None:
        """Display a message that the user sent, before the server has accepted it."""
        if all(item["id"] != message_id for item in self.pending):
            self.pending.append({"id": message_id, "text": text})

    def doubt(self, message_id: str) -> None:
        """It was sent once more."""
        self._doubtful.add(message_id)

    def accept(self, message_id: str) -> None:
        """The server has it; its message follows, unless the server may have had it for long."""
        self._accepted.add(message_id)
        was_doubtful = message_id in self._doubtful
        self._doubtful.discard(message_id)
        if was_doubtful and any(item["id"] == message_id for item in self.pending):
            self.pending = [item for item in self.pending if item["id"] != message_id]
            self.ask_once()

    def refuse(self, message_id: str) -> None:
        """The server would not take it."""
        self.pending = [item for item in self.pending if item["id"] != message_id]

    def waits(self, waiting: list[Message] | None) -> None:
        """Set the queued messages; None if they are not known."""
        if waiting is not None:
            self.waiting = waiting
            self._delivered({item["id"] for item in waiting})

    def connected_again(self) -> None:
        """What was asked before the socket fell may never be answered."""
        self.awaits_more = self._awaits_set = False

    def leave(self) -> None:
        """Go to another page, which begins with its own `set`."""
        self._texts.clear()
        self._awaits_set = True
        self.messages, self.older, self.pending, self.waiting = [], False, [], None

    def ask_once(self) -> None:
        """Ask for all of it again, unless that has been asked already."""
        if not self._awaits_set:
            self._awaits_set = True
            self.resyncs += 1
            self._resync()

    def _delivered(self, ids: set[str]) -> None:
        self.pending = [item for item in self.pending if item["id"] not in ids]

    def _branch(self, patch: dict[str, Any]) -> None:
        """What follows a message is replaced by another branch; by all of it, if the message is not here."""
        ids = [item["id"] for item in self.messages]
        kept = ids.index(patch["after"]) + 1 if patch["after"] in ids else 0
        if not kept and not patch["items"] and patch["older"]:
            self.ask_once()
            return
        self._delivered({item.get("client_id") or item["id"] for item in patch["items"]})
        self.messages = [*self.messages[:kept], *(self._adopt(item) for item in patch["items"])]
        self.older = self.older if kept else bool(patch.get("older"))

    def _set(self, patch: dict[str, Any]) -> None:
        self._awaits_set = False
        kept = {item["id"] for item in patch["items"]}
        self._texts = {key: text for key, text in self._texts.items() if key[0] in kept}
        self.messages = [self._adopt(item) for item in patch["items"]]
        self.older = bool(patch.get("older"))
        self._delivered(kept | self._accepted | {item["id"] for item in self.waiting or ()})
        self._doubtful |= {item["id"] for item in self.pending}

    def _append(self, patch: dict[str, Any]) -> None:
        self.messages += self._fresh(patch)

    def _prepend(self, patch: dict[str, Any]) -> None:
        if patch.get("before") and (not self.messages or patch["before"] != self.messages[0]["id"]):
            # Another branch may be shown since they were requested.
            return
        self.messages = self._fresh(patch) + self.messages
        self.older = bool(patch.get("older"))

    def _fresh(self, patch: dict[str, Any]) -> list[Message]:
        fresh = [self._adopt(item) for item in patch["items"] if self.find(item["id"]) is None]
        self._delivered({item["id"] for item in patch["items"]})
        return fresh

    def _extend(self, patch: dict[str, Any]) -> None:
        for piece in patch["pieces"]:
            before = self.find(piece["id"])
            if before is None:
                continue
            whole = place_window(before.get(piece["kind"]) or "", piece["offset"], piece["text"])
            if whole is None:
                self.ask_once()
            else:
                self._change(piece["id"], {piece["kind"]: whole})

    def _finish(self, patch: dict[str, Any]) -> None:
        item = patch["item"]
        before = self.find(item["id"])
        buffers = {kind: self._texts.get((item["id"], kind), "") for kind in _KINDS}
        lengths = {"text": item["length"], "reasoning": item.get("reasoning_length") or 0}
        is_whole = all(utf16_length(buffers[kind]) == lengths[kind] for kind in buffers)
        if before is None or (before["state"] == "running" and not is_whole):
            self.ask_once()
        elif before["state"] == "running":
            self._replace({**before, **item, **buffers})

    def _replace(self, item: Message) -> None:
        before = self.find(item["id"]) if item.get("keeps") else None
        if before is not None and not any(key[0] == item["id"] for key in self._texts):
            # A continued answer keeps its displayed text until the stream brings the rest.
            self._texts |= {(item["id"], kind): before.get(kind) or "" for kind in _KINDS}
        shown = self._adopt(item)
        self.messages = [shown if message["id"] == item["id"] else message for message in self.messages]
        self._delivered({item["id"]})

    def _change(self, message_id: str, changes: Message) -> None:
        self.messages = [
            {**message, **changes} if message["id"] == message_id else message for message in self.messages
        ]

    def _adopt(self, message: Message) -> Message:
        for kind in _KINDS:
            key = message["id"], kind
            if message["state"] != "running":
                self._texts.pop(key, None)
                continue
            kept, given = self._texts.get(key, ""), message.get(kind) or ""
            self._texts[key] = kept if len(kept) > len(given) and kept.startswith(given) else given
        return message
