"""What a page shows of one conversation: the rules of rxchat/ui/client/thread-state.js, for readers without a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Page:
    """Messages and growing texts, changed by patches and windows; `resync` is called when something is missing."""

    def __init__(self, resync: Callable[[], None]) -> None:
        """Show nothing yet."""
        self.messages: list[dict[str, Any]] = []
        self.resyncs = 0
        self._resync = resync
        self._texts: dict[str, str] = {}
        self.number: int | None = None
        self._awaits_set = False

    def text(self, message_id: str) -> str:
        """What is shown of an answer, growing or ended."""
        message = self.find(message_id)
        if message is not None and message["state"] != "running":
            return message.get("text", "")
        return self._texts.get(message_id, "")

    def find(self, message_id: str) -> dict[str, Any] | None:
        """The message with this id."""
        return next((message for message in self.messages if message["id"] == message_id), None)

    def last_answer(self) -> dict[str, Any] | None:
        """The newest answer, or None."""
        return next((message for message in reversed(self.messages) if message["role"] == "assistant"), None)

    def connected_again(self) -> None:
        """What was asked before the socket fell may never be answered."""
        self._awaits_set = False

    def take_patch(self, patch: dict[str, Any]) -> None:
        """Apply a patch from the server."""
        if not patch.get("op"):
            return
        before, self.number = self.number, patch["n"]
        if patch["op"] == "set":
            self._set(patch["items"])
        elif before is None:
            return
        elif patch["n"] != before + 1 or self._awaits_set:
            self._ask_once()
        elif patch["op"] == "append":
            self.messages += [self._adopt(item) for item in patch["items"] if self.find(item["id"]) is None]
        elif patch["op"] == "finish":
            self._finish(patch["item"])
        elif patch["op"] == "replace":
            self._replace(patch["item"])

    def take_window(self, window: dict[str, Any]) -> None:
        """Apply the newest piece of a running answer."""
        message = self.find(window["g"])
        if (message is not None and message["state"] != "running") or window["k"] != "t":
            return
        shown = self._texts.get(window["g"], "")
        if window["o"] > len(shown):
            if message is not None:
                self._ask_once()
            return
        self._texts[window["g"]] = shown[: window["o"]] + window["t"]

    def _ask_once(self) -> None:
        if not self._awaits_set:
            self._awaits_set = True
            self.resyncs += 1
            self._resync()

    def _set(self, items: list[dict[str, Any]]) -> None:
        self._awaits_set = False
        kept = {item["id"] for item in items}
        self._texts = {key: text for key, text in self._texts.items() if key in kept}
        self.messages = [self._adopt(item) for item in items]

    def _adopt(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["state"] != "running":
            self._texts.pop(message["id"], None)
            return message
        kept, given = self._texts.get(message["id"], ""), message.get("text", "")
        ahead = len(kept) > len(given) and kept.startswith(given)
        self._texts[message["id"]] = kept if ahead else given
        return message

    def _finish(self, item: dict[str, Any]) -> None:
        shown, before = self._texts.get(item["id"], ""), self.find(item["id"])
        if before is None or (before["state"] == "running" and len(shown) != item["length"]):
            self._ask_once()
        elif before["state"] == "running":
            self._replace({**before, **item, "text": shown})

    def _replace(self, item: dict[str, Any]) -> None:
        item = self._adopt(item)
        self.messages = [{**message, **item} if message["id"] == item["id"] else message for message in self.messages]
