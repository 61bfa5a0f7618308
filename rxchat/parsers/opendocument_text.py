"""The visible text of OpenDocument paragraphs, and their anchored footnotes, comments, boxes and charts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rxchat.parsers.builder import one_line

_NAMES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "form": "urn:oasis:names:tc:opendocument:xmlns:form:1.0",
    "svg": "urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0",
    "chart": "urn:oasis:names:tc:opendocument:xmlns:chart:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
}
_WHITE_SPACE = re.compile(r"[ \t\r\n]+")
_MOST_SPACES = 100


def tag(name: str) -> str:
    """Return the full name of an element or attribute, such as "text:p"."""
    prefix, _, local = name.partition(":")
    return f"{{{_NAMES[prefix]}}}{local}"


PARAGRAPHS = frozenset({tag("text:p"), tag("text:h")})
_SPACE, _TAB, _BREAK = tag("text:s"), tag("text:tab"), tag("text:line-break")
_NOTE, _ANNOTATION, _FRAME = tag("text:note"), tag("office:annotation"), tag("draw:frame")
_SILENT = frozenset(
    {
        *(tag("text:tracked-changes"), tag("text:ruby-text"), tag("text:script"), tag("office:forms")),
        *(
            tag("text:hidden-text"),
            tag("office:annotation-end"),
            tag("text:sequence-decls"),
            tag("text:variable-decls"),
        ),
        *(tag("text:user-field-decls"), tag("office:event-listeners"), tag("draw:glue-point")),
    }
)
_SHAPES = frozenset(
    {
        _FRAME,
        *(tag(f"draw:{name}") for name in ("custom-shape", "rect", "ellipse", "line", "connector", "g", "caption")),
    }
)


@dataclass(slots=True)
class Hanging:
    """The objects anchored to paragraphs that are not part of their text."""

    notes: list[Any] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    shapes: list[Any] = field(default_factory=list)


class TextReader:
    """Reads paragraphs; `in_line` returns the text of equations and form fields in them."""

    def __init__(self, in_line: Callable[[Any], str | None], *sources: Any) -> None:
        self._in_line = in_line
        self._hidden = _hidden_styles(sources)
        self.hanging = Hanging()
        self.has_hidden_text = False

    def text(self, paragraph: Any) -> str:
        """Return the visible text of a paragraph; "" if it is hidden."""
        if self._is_hidden(paragraph) or any(
            it.get(tag("text:is-hidden")) == "true" for it in paragraph.iter(tag("text:hidden-paragraph"))
        ):
            self.has_hidden_text = True
            return ""
        return "".join(self._pieces(paragraph)).strip()

    def _pieces(self, element: Any) -> Iterator[str]:
        yield _WHITE_SPACE.sub(" ", element.text or "")
        for child in element:
            if isinstance(child.tag, str):
                yield from self._of_child(child)
            yield _WHITE_SPACE.sub(" ", child.tail or "")

    def _of_child(self, child: Any) -> Iterator[str]:
        name = child.tag
        if name == _SPACE:
            count = child.get(tag("text:c")) or "1"
            yield " " * min(int(count) if count.isdecimal() and len(count) < 9 else _MOST_SPACES, _MOST_SPACES)
        elif name in {_TAB, _BREAK}:
            yield "\t" if name == _TAB else "\n"
        elif name == _NOTE:
            self.hanging.notes.append(child)
        elif name == _ANNOTATION:
            self.hanging.comments.append(self.comment(child))
        elif (shown := self._in_line(child)) is not None:
            yield shown
        elif name in _SHAPES:
            self.hanging.shapes.append(child)
        elif self._is_hidden(child):
            self.has_hidden_text = True
        elif name not in _SILENT:
            yield from self._pieces(child)

    def comment(self, annotation: Any) -> str:
        """Return a comment on one line, with its author."""
        author = one_line(annotation.findtext(tag("dc:creator")) or "")
        text = one_line(" ".join("".join(self._pieces(it)) for it in annotation.iter(*PARAGRAPHS)))
        return f"Comment{f' by {author}' if author else ''}: {text}"

    def taken(self) -> Hanging:
        """Return the anchored objects since the last call."""
        found, self.hanging = self.hanging, Hanging()
        return found

    def _is_hidden(self, element: Any) -> bool:
        return element.get(tag("text:style-name")) in self._hidden


def _hidden_styles(sources: tuple[Any, ...]) -> frozenset[str]:
    """Return the names of styles whose text is not displayed."""
    return frozenset(
        style.get(tag("style:name")) or ""
        for source in sources
        if source is not None
        for style in source.iter(tag("style:style"))
        if any(it.get(tag("text:display")) == "none" for it in style.iter(tag("style:text-properties")))
    )
