"""Texts of a slide's layout, which it displays without containing them, and hidden contents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rxchat.parsers.builder import one_line

_OFF, _ON = frozenset({"0", "false"}), frozenset({"1", "true"})
_MOST_NAMED = 30
_PROPERTIES = "{*}cNvPr"
_RUN_PROPERTIES = "{http://schemas.openxmlformats.org/drawingml/2006/main}rPr"
_STRUCK = frozenset({"sngStrike", "dblStrike"})


class Unseen:
    """Collects notes on hidden contents of all slides."""

    def __init__(self) -> None:
        self._layouts: dict[str, None] = {}
        self._hidden: list[str] = []
        self._struck: list[str] = []

    def look_at(self, slide: Any, number: int) -> list[str]:
        """Record hidden contents of a slide, and return new texts of its layout."""
        tree = slide.shapes._spTree
        if any(it.get("hidden") in _ON for it in tree.iter(_PROPERTIES)):
            self._hidden.append(f"{number:,}")
        if any(it.get("strike") in _STRUCK for it in tree.iter(_RUN_PROPERTIES)):
            self._struck.append(f"{number:,}")
        fresh = [text for text in dict.fromkeys(_layout_texts(slide)) if text not in self._layouts]
        self._layouts |= dict.fromkeys(fresh)
        return fresh

    def notes(self) -> Iterator[str]:
        """Yield the notes on the document."""
        for numbers, what in ((self._hidden, "hidden shapes"), (self._struck, "text that is struck out")):
            if numbers:
                yield f"{_named(numbers)} {what}; {'they were' if what.endswith('s') else 'it was'} read."


def _named(numbers: Sequence[str]) -> str:
    return f"Slides {', '.join(numbers[:_MOST_NAMED])} have" if len(numbers) > 1 else f"Slide {numbers[0]} has"


def _layout_texts(slide: Any) -> Iterator[str]:
    """Yield the texts of a slide's master and layout, without placeholders, whose texts are only prompts."""
    layout = slide.slide_layout
    sources: list[Iterable[Any]] = []
    if slide._element.get("showMasterSp") not in _OFF:
        sources.append(layout.shapes)
        if layout._element.get("showMasterSp") not in _OFF:
            sources.append(layout.slide_master.shapes)
    for shapes in sources:
        for shape in shapes:
            if not shape.is_placeholder and shape.has_text_frame and (text := one_line(shape.text_frame.text)):
                yield text
