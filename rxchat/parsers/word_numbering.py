"""Computes the numbers of Word's paragraphs ("4.2", "(a)", "IV."), which a document does not store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from docx.oxml.ns import qn

from rxchat.parsers.list_numbers import BULLET, formatted

_PLACEHOLDER = re.compile(r"%([1-9])")
_LEVELS = 9
_DEEPEST_STYLE = 12


@dataclass(slots=True)
class _Level:
    """The numbering of one level of a list."""

    start: int = 1
    format: str = "decimal"
    text: str = ""
    restarts_after: int | None = None
    """The level (from 1) after which it restarts; 0: never; None: after every higher level."""
    is_legal: bool = False
    style: str = ""


@dataclass(slots=True)
class _List:
    """An abstract numbering definition, and its current counts."""

    levels: dict[int, _Level] = field(default_factory=dict)
    style_link: str = ""
    counters: list[int | None] = field(default_factory=lambda: [None] * _LEVELS)


class Numbering:
    """Counts the numbered paragraphs of a document in order."""

    def __init__(self, numbering: Any | None, styles: Any | None) -> None:
        self._lists: dict[str, _List] = {}
        self._instances: dict[str, tuple[str, dict[int, _Level], dict[int, int]]] = {}
        self._started: set[tuple[str, int]] = set()
        self._style_numbers = _of_styles(styles)
        if numbering is None:
            return
        for abstract in numbering.findall(qn("w:abstractNum")):
            identifier = abstract.get(qn("w:abstractNumId")) or ""
            link = _value(abstract, "w:numStyleLink") or ""
            levels = {_index(level): _level(level) for level in abstract.findall(qn("w:lvl"))}
            # If a file defines a number twice, Word uses the first definition.
            self._lists.setdefault(identifier, _List(levels, link))
        for instance in numbering.findall(qn("w:num")):
            overrides = {_index(it): it for it in instance.findall(qn("w:lvlOverride"))}
            levels = {
                index: _level(own) for index, it in overrides.items() if (own := it.find(qn("w:lvl"))) is not None
            }
            starts = {
                index: _number(start, 1) for index, it in overrides.items() if (start := _value(it, "w:startOverride"))
            }
            self._instances[instance.get(qn("w:numId")) or ""] = (
                _value(instance, "w:abstractNumId") or "",
                levels,
                starts,
            )

    def label(self, paragraph: Any, style: str) -> tuple[str, int] | None:
        """Return the label and level of a paragraph; None if it is not numbered.

        Call exactly once for each paragraph, in order, since it counts.
        """
        own = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        styled_number, styled_level = self._style_numbers.get(style, ("", None))
        number = (_value(own, "w:numId") if own is not None else None) or styled_number
        if number not in self._instances:
            return None
        own_level = _value(own, "w:ilvl") if own is not None else None
        found = self._definition(number)
        if found is None:
            return None
        list_, levels, starts = found
        if own_level is not None and own_level.isdecimal():
            level = int(own_level)
        else:
            linked = next((index for index, it in levels.items() if it.style and it.style == style), None)
            level = linked if linked is not None else styled_level or 0
        level = min(level, _LEVELS - 1)
        self._count(number, list_, levels, starts, level)
        return self._shown(list_, levels, level), level

    def _definition(self, number: str) -> tuple[_List, dict[int, _Level], dict[int, int]] | None:
        abstract, overridden, starts = self._instances[number]
        list_ = self._lists.get(abstract)
        if list_ is not None and list_.style_link:
            # A list's definition may name a style, which refers to another definition.
            linked = self._instances.get(self._style_numbers.get(list_.style_link, ("", None))[0])
            list_ = self._lists.get(linked[0], list_) if linked else list_
        return None if list_ is None else (list_, list_.levels | overridden, starts)

    def _count(
        self, number: str, list_: _List, levels: Mapping[int, _Level], starts: Mapping[int, int], level: int
    ) -> None:
        counters = list_.counters
        definition = levels.get(level, _Level())
        if level in starts and (number, level) not in self._started:
            self._started.add((number, level))
            counters[level] = starts[level]
        else:
            current = counters[level]
            counters[level] = definition.start if current is None else current + 1
        for lower in range(level + 1, _LEVELS):
            restarts_after = levels.get(lower, _Level()).restarts_after
            if restarts_after is None or (restarts_after and level < restarts_after):
                counters[lower] = None

    def _shown(self, list_: _List, levels: Mapping[int, _Level], level: int) -> str:
        definition = levels.get(level, _Level())
        if definition.format == "bullet":
            return BULLET
        if definition.format == "none":
            return _PLACEHOLDER.sub("", definition.text).strip()

        def number(found: re.Match[str]) -> str:
            index = int(found.group(1)) - 1
            above = levels.get(index, _Level())
            value = list_.counters[index]
            is_decimal = definition.is_legal and above.format != "none"
            return formatted(above.start if value is None else value, "decimal" if is_decimal else above.format)

        return _PLACEHOLDER.sub(number, definition.text).strip()


def _of_styles(styles: Any | None) -> dict[str, tuple[str, int | None]]:
    """Return the list and level of each style, from itself or the style that it is based on."""
    if styles is None:
        return {}
    own: dict[str, tuple[str | None, int | None]] = {}
    based: dict[str, str] = {}
    for style in styles.findall(qn("w:style")):
        identifier = style.get(qn("w:styleId")) or ""
        based[identifier] = _value(style, "w:basedOn") or ""
        level = _value(style, "w:pPr", "w:numPr", "w:ilvl")
        own[identifier] = _value(style, "w:pPr", "w:numPr", "w:numId"), _number(level, 0) if level else None
    found: dict[str, tuple[str, int | None]] = {}
    for identifier in own:
        number, level, at = None, None, identifier
        for _ in range(_DEEPEST_STYLE):
            if at not in own:
                break
            number = number or own[at][0]
            level = own[at][1] if level is None else level
            at = based[at]
        if number:
            found[identifier] = number, level
    return found


def _level(element: Any) -> _Level:
    format_ = _value(element, "w:numFmt") or "decimal"
    legal = element.find(qn("w:isLgl"))
    restart = _value(element, "w:lvlRestart")
    return _Level(
        start=_number(_value(element, "w:start"), 1),
        format=format_,
        text=_value(element, "w:lvlText") or "",
        restarts_after=_number(restart, 0) if restart is not None else None,
        is_legal=legal is not None and legal.get(qn("w:val")) not in {"0", "false", "off"},
        style=_value(element, "w:pStyle") or "",
    )


def _index(element: Any) -> int:
    return _number(element.get(qn("w:ilvl")), 0)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 7 else default


def _value(element: Any, *path: str) -> str | None:
    found = element.find("/".join(qn(step) for step in path))
    return found.get(qn("w:val")) if found is not None else None
