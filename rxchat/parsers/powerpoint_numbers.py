"""Computes the automatic numbers of PowerPoint's paragraphs, which a file does not store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rxchat.parsers.list_numbers import on_slide

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_PROPERTIES, _STYLE, _BODY = f"{_DRAWING}pPr", f"{_DRAWING}lstStyle", "{*}txBody"
_NUMBERED = f"{_DRAWING}buAutoNum"
_OTHERS = (f"{_DRAWING}buNone", f"{_DRAWING}buChar", f"{_DRAWING}buBlip")
_LEVELS = 9


def labels_of(shape: Any) -> list[str]:
    """Return the number of each paragraph of a shape; "" if it has none."""
    styles = list(_styles(shape))
    counters: list[tuple[tuple[str, int], int] | None] = [None] * _LEVELS
    labels: list[str] = []
    for paragraph in shape.text_frame.paragraphs:
        level = min(paragraph.level, _LEVELS - 1)
        if not paragraph.text.strip():
            labels.append("")
            continue
        found = _numbering(paragraph, level, styles)
        counters[level + 1 :] = [None] * (_LEVELS - level - 1)
        before = counters[level]
        if found is None:
            counters[level] = None
            labels.append("")
            continue
        number = before[1] + 1 if before is not None and before[0] == found else found[1]
        counters[level] = found, number
        labels.append(on_slide(number, found[0]))
    return labels


def _numbering(paragraph: Any, level: int, styles: list[Any]) -> tuple[str, int] | None:
    """Return the format and first number of a paragraph's numbering, from the nearest style that defines it."""
    own = paragraph._p.find(_PROPERTIES)
    for properties in (own, *(style.find(f"{_DRAWING}lvl{level + 1}pPr") for style in styles)):
        if properties is None:
            continue
        numbered = properties.find(_NUMBERED)
        if numbered is not None:
            start = numbered.get("startAt") or "1"
            return numbered.get("type") or "", int(start) if start.isdecimal() and len(start) < 6 else 1
        if any(properties.find(other) is not None for other in _OTHERS):
            return None
    return None


def _styles(shape: Any) -> Iterator[Any]:
    """Yield the list styles of a shape and of its placeholders."""
    while shape is not None:
        body = shape._element.find(_BODY)
        style = body.find(_STYLE) if body is not None else None
        if style is not None:
            yield style
        shape = getattr(shape, "_base_placeholder", None) if getattr(shape, "is_placeholder", False) else None
