"""Word documents: headings by their styles, lists, tables, text boxes and footnotes.

python-docx opens the package; the text is taken from the XML directly, because its own paragraphs leave out what
stands in content controls and in tracked insertions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.tables import add_table

_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_TEXT_BOX = qn("w:txbxContent")
_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_WITHOUT_TEXT = frozenset({_FALLBACK, _TEXT_BOX, qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr")})
_TEXTS = frozenset({qn("w:t"), _MATH_TEXT})
_SIGNS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_DEEPEST_STYLE = 12
_BODY_LEVEL = 9


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the document in its order, and its footnotes at the end."""
    del suffix
    document = docx.Document(archive.office(content, "word/"))
    builder = TextBuilder()
    builder.title = document.core_properties.title or ""
    body = _Body(builder, document)
    body.add(document.element.body)
    for part in document.part.package.iter_parts() if document.part.package else ():
        if str(part.partname) in {"/word/footnotes.xml", "/word/endnotes.xml"}:
            body.add_footnotes(parse_xml(part.blob))
    return builder.built()


class _Body:
    """Appends the elements of a document; items of a list that follow each other are one block."""

    def __init__(self, builder: TextBuilder, document: Document) -> None:
        self._builder = builder
        self._levels: dict[str, int] = {}
        self._lists: set[str] = set()
        self._items: list[str] = []
        for style in document.styles:
            element: Any = style.element
            identifier = element.get(qn("w:styleId")) or ""
            self._levels[identifier] = _style_level(style)
            if element.find(f".//{qn('w:numPr')}") is not None or (style.name or "").startswith("List"):
                self._lists.add(identifier)

    def add(self, parent: Any) -> None:
        """Append everything below an element that holds paragraphs and tables."""
        self._add_below(parent)
        self._end_list()

    def add_footnotes(self, notes: Any) -> None:
        """Append the footnotes that people wrote; Word adds lines that separate them."""
        for note in notes:
            if note.get(qn("w:type")) is None:
                self.add(note)

    def _add_below(self, parent: Any) -> None:
        for element in parent:
            if self._builder.is_full:
                return
            if element.tag == _PARAGRAPH:
                self._add_paragraph(element)
            elif element.tag == _TABLE:
                self._end_list()
                add_table(self._builder, _rows(element))
            elif element.tag not in _WITHOUT_TEXT:
                # Content controls, tracked insertions, custom XML: they hold the same again.
                self._add_below(element)

    def _add_paragraph(self, paragraph: Any) -> None:
        text = "".join(_pieces(paragraph)).strip()
        style = _value(paragraph, "w:pPr", "w:pStyle") or ""
        own_level = _value(paragraph, "w:pPr", "w:outlineLvl") or ""
        level = int(own_level) + 1 if own_level.isdecimal() else self._levels.get(style, 0)
        numbered = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if 0 < level <= _BODY_LEVEL and text:
            self._end_list()
            self._builder.heading(text, level)
        elif (numbered is not None or style in self._lists) and text:
            depth = _value(paragraph, "w:pPr", "w:numPr", "w:ilvl") or "0"
            self._items.append(f"{'  ' * min(int(depth), 8) if depth.isdecimal() else ''}- {one_line(text)}")
        else:
            self._end_list()
            self._builder.add(BlockKind.PARAGRAPH, text)
        for box in paragraph.iter(_TEXT_BOX):
            # A box in a box comes when its own paragraph does.
            is_own = next(box.iterancestors(_PARAGRAPH), None) is paragraph
            if is_own and next(box.iterancestors(_FALLBACK), None) is None:
                self.add(box)

    def _end_list(self) -> None:
        self._builder.add(BlockKind.LIST, "\n".join(self._items))
        self._items.clear()


def _style_level(style: Any) -> int:
    """Return the level of the headings that have a style, or one that it is based on; 0 when they are none."""
    for _ in range(_DEEPEST_STYLE):
        if style is None:
            return 0
        first, _, number = (style.name or "").partition(" ")
        if first.lower() == "heading" and number.isdecimal():
            return int(number)
        if style.name == "Title":
            return 1
        outline = _value(style.element, "w:pPr", "w:outlineLvl")
        if outline is not None and outline.isdecimal():
            return int(outline) + 1
        style = getattr(style, "base_style", None)
    return 0


def _value(element: Any, *path: str) -> str | None:
    """Return the value of the property at a path below an element."""
    found = element.find("/".join(qn(step) for step in path))
    return found.get(qn("w:val")) if found is not None else None


def _pieces(element: Any) -> Iterator[str]:
    """Yield the visible text of an element, but not of text boxes in it."""
    for child in element:
        if child.tag in _TEXTS:
            yield child.text or ""
        elif child.tag in _SIGNS:
            yield _SIGNS[child.tag]
        elif child.tag not in _WITHOUT_TEXT:
            yield from _pieces(child)


def _rows(table: Any) -> Iterator[list[str]]:
    """Yield the cells of each row; a table in a cell is part of its text."""
    for row in table.iter(_ROW):
        if next(row.iterancestors(_TABLE)) is table:
            cells = (cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row)
            yield [" ".join("".join(_pieces(paragraph)) for paragraph in cell.iter(_PARAGRAPH)) for cell in cells]
