"""The lists of a web page: the marker of each item."""

from __future__ import annotations

from collections.abc import Mapping

from rxchat.parsers.list_numbers import BULLET, formatted

LISTS = frozenset({"ul", "ol", "menu"})
_FORMATS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_DEEPEST_INDENT = 10
_LONGEST_NUMBER = 9

Attributes = Mapping[str, str | None]


class OpenLists:
    """The open lists at a position in a page, which count their items."""

    def __init__(self) -> None:
        """Start outside of lists."""
        self._open: list[_List] = []
        self._marker = ""

    def __bool__(self) -> bool:
        """Whether the position is in a list."""
        return bool(self._open)

    def enter(self, tag: str, attributes: Attributes, items: int) -> None:
        """Start a list with `items` direct items."""
        self._open.append(_List(tag, attributes, items))

    def leave(self) -> None:
        """End the innermost list."""
        if self._open:
            self._open.pop()

    def begin_item(self, attributes: Attributes) -> None:
        """Start an item: the next line gets its marker."""
        self._marker = f"{self._open[-1].marker(attributes)} " if self._open else ""

    def line(self, text: str) -> str:
        """Return a paragraph of the item as a line; the first one with the marker."""
        indent = "  " * min(len(self._open) - 1, _DEEPEST_INDENT)
        marker, self._marker = self._marker or "  ", ""
        return f"{indent}{marker}{text}"


class _List:
    def __init__(self, tag: str, attributes: Attributes, items: int) -> None:
        self._is_numbered = tag == "ol"
        self._format = _FORMATS.get(attributes.get("type") or "", "decimal")
        self._step = -1 if "reversed" in attributes else 1
        self._next = _number(attributes.get("start"), items if self._step < 0 else 1)

    def marker(self, item: Attributes) -> str:
        """Return the marker of the next item."""
        if not self._is_numbered:
            return BULLET
        number = _number(item.get("value"), self._next)
        self._next = number + self._step
        return f"{formatted(number, _FORMATS.get(item.get('type') or '', self._format))}."


def _number(text: str | None, default: int) -> int:
    digits = (text or "").strip()
    is_number = digits.removeprefix("-").isdecimal() and len(digits) <= _LONGEST_NUMBER
    return int(digits) if is_number else default
