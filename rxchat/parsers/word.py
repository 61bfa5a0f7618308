"""Word documents: headings, lists with numbers, tables, text boxes, notes, comments and headers.

python-docx opens the package; the text is read from the XML, because python-docx's paragraphs omit content controls and
tracked insertions. Tracked changes are read as accepted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import archive, charts
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.list_numbers import BULLET
from rxchat.parsers.margins import is_page_number
from rxchat.parsers.tables import add_table
from rxchat.parsers.word_numbering import Numbering
from rxchat.parsers.word_text import FALLBACK, TEXT_BOX, WITHOUT_TEXT, TextReader

_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_EMBEDDED = qn("w:altChunk")
_OBJECTS = frozenset({qn("w:object"), qn("w:subDoc")})
_EXTENT = qn("wp:extent")
_PICTURE = qn("pic:pic")
# In EMU, 360,000 to a centimeter: smaller images are logos or signs.
_LARGE_PICTURE = 8 * 5 * 360_000**2
_DEEPEST_STYLE = 12
_BODY_LEVEL = 9
_NOTE_PARTS = frozenset({"/word/footnotes.xml", "/word/endnotes.xml"})
_COMMENTS = "/word/comments.xml"
_HEADER_PART = re.compile(r"/word/(header|footer)\d*\.xml")


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return headers, body, notes, comments and footers, in this order."""
    del suffix
    document = docx.Document(archive.office(content, "word/"))
    builder = TextBuilder(len(content))
    builder.title = document.core_properties.title or ""
    parts = {str(part.partname): part for part in document.part.package.iter_parts()} if document.part.package else {}
    body = _Body(builder, document)
    body.add_margins(parts, "header")
    body.add(document.element.body)
    for name, part in parts.items():
        if name in _NOTE_PARTS:
            body.add_footnotes(parse_xml(part.blob))
    body.add_margins(parts, "footer")
    if _COMMENTS in parts:
        body.add_comments(parse_xml(parts[_COMMENTS].blob))
    charts.add_parts(builder, parts)
    body.note_what_was_left_out()
    return builder.built()


class _Body:
    """Appends the elements of a document; consecutive list items are one block."""

    def __init__(self, builder: TextBuilder, document: Document) -> None:
        self._builder = builder
        self._levels: dict[str, int] = {}
        self._items: list[str] = []
        self._lists: set[str] = set()
        self._joined = ""
        self._has_embedded_files = False
        self._pictures = 0
        styles = _styles(document)
        self._reader = TextReader(styles)
        self._numbering = Numbering(_numbering(document), styles)
        for style in document.styles:
            identifier = style.element.get(qn("w:styleId")) or ""
            self._levels[identifier] = _style_level(style)
            if (style.name or "").startswith("List"):
                self._lists.add(identifier)

    def add(self, parent: Any) -> None:
        """Append all paragraphs and tables below an element."""
        self._add_below(parent)
        self._end_list()

    def add_footnotes(self, notes: Any) -> None:
        """Append the footnotes, without the separators that Word adds."""
        for note in notes:
            if note.get(qn("w:type")) is None:
                self.add(note)

    def add_comments(self, comments: Any) -> None:
        """Append the comments of reviewers."""
        for comment in comments:
            text = one_line(self._text_below(comment))
            author = one_line(comment.get(qn("w:author")) or "")
            if text:
                self._builder.add(BlockKind.PARAGRAPH, f"Comment{f' by {author}' if author else ''}: {text}")

    def add_margins(self, parts: dict[str, Any], kind: str) -> None:
        """Append headers or footers, each text once, except page numbers."""
        seen: set[str] = set()
        for name, part in parts.items():
            found = _HEADER_PART.fullmatch(name)
            if found is None or found.group(1) != kind:
                continue
            text = one_line(self._text_below(parse_xml(part.blob)))
            if text and text not in seen and not is_page_number(text):
                seen.add(text)
                self._builder.add(BlockKind.PARAGRAPH, f"{kind.capitalize()}: {text}")

    def note_what_was_left_out(self) -> None:
        """Add notes about hidden text that was read, and contents that were not read."""
        if self._reader.has_hidden_text:
            self._builder.note("Hidden text in this document was left out.")
        if self._has_embedded_files:
            self._builder.note("Another document that is embedded in this one was not read: upload it by itself.")
        if self._pictures:
            self._builder.note(f"{self._pictures:,} large pictures in this document were not read.")
        if self._reader.unknown_signs:
            signs = f"{self._reader.unknown_signs:,} signs of symbol fonts"
            self._builder.note(f"{signs} have no known character, and were replaced by “\ufffd”.")

    def _text_below(self, parent: Any) -> str:
        return " ".join(
            self._reader.text(paragraph, _style(paragraph))
            for paragraph in parent.iter(_PARAGRAPH)
            if next(paragraph.iterancestors(FALLBACK), None) is None
        )

    def _add_below(self, parent: Any) -> None:
        for element in parent:
            if self._builder.is_full:
                return
            if element.tag == _PARAGRAPH:
                self._add_paragraph(element)
            elif element.tag == _TABLE:
                self._end_list()
                add_table(self._builder, self._rows(element))
            elif element.tag == _EMBEDDED:
                self._has_embedded_files = True
            elif element.tag not in WITHOUT_TEXT:
                # Content controls, tracked insertions and custom XML contain the same elements.
                self._add_below(element)

    def _add_paragraph(self, paragraph: Any) -> None:
        style = _style(paragraph)
        text = self._joined + self._reader.text(paragraph, style)
        self._joined = ""
        if _is_end_deleted(paragraph):
            # Its end is deleted as a tracked change, which joins it with the next paragraph.
            self._joined = text
        else:
            self._add_text(paragraph, style, text.strip())
        self._count_what_is_not_read(paragraph)
        for box in paragraph.iter(TEXT_BOX):
            # A nested box is read with its own paragraph.
            is_own = next(box.iterancestors(_PARAGRAPH), None) is paragraph
            if is_own and next(box.iterancestors(FALLBACK), None) is None:
                self.add(box)

    def _count_what_is_not_read(self, paragraph: Any) -> None:
        self._has_embedded_files |= next(paragraph.iter(*_OBJECTS), None) is not None
        for extent in paragraph.iter(_EXTENT):
            area = _length(extent.get("cx")) * _length(extent.get("cy"))
            if area >= _LARGE_PICTURE and next(extent.getparent().iter(_PICTURE), None) is not None:
                self._pictures += 1

    def _add_text(self, paragraph: Any, style: str, text: str) -> None:
        own_level = _value(paragraph, "w:pPr", "w:outlineLvl") or ""
        level = int(own_level) + 1 if own_level.isdecimal() else self._levels.get(style, 0)
        # Word does not number paragraphs without text either, unless their numbering is set directly.
        numbered = self._numbering.label(paragraph, style) if text else None
        label, depth = numbered or ("", 0)
        if 0 < level <= _BODY_LEVEL and text:
            self._end_list()
            self._builder.heading(f"{label} {text}" if label not in {"", BULLET} else text, level)
        elif (numbered is not None or style in self._lists) and text:
            self._items.append(f"{'  ' * depth}{label or BULLET} {one_line(text)}")
        else:
            self._end_list()
            self._builder.add(BlockKind.PARAGRAPH, text)

    def _rows(self, table: Any) -> Iterator[list[str]]:
        """Yield the cells of each row; nested tables are part of a cell's text, deleted rows are skipped."""
        for row in table.iter(_ROW):
            if next(row.iterancestors(_TABLE)) is not table or row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None:
                continue
            cells = (cell for cell in row.iter(_CELL) if next(cell.iterancestors(_ROW)) is row)
            yield [" ".join(self._cell_texts(cell)) for cell in cells]

    def _cell_texts(self, cell: Any) -> Iterator[str]:
        for paragraph in cell.iter(_PARAGRAPH):
            if next(paragraph.iterancestors(FALLBACK), None) is not None:
                continue
            style = _style(paragraph)
            text = self._reader.text(paragraph, style)
            label, _ = (self._numbering.label(paragraph, style) if text.strip() else None) or ("", 0)
            yield f"{label} {text}" if label not in {"", BULLET} else text

    def _end_list(self) -> None:
        self._builder.add(BlockKind.LIST, "\n".join(self._items))
        self._items.clear()


def _styles(document: Document) -> Any:
    return document.styles.element


def _numbering(document: Document) -> Any | None:
    """Return the definitions of lists; None if the document has none."""
    for relation in document.part.rels.values():
        if relation.reltype.endswith("/numbering") and not relation.is_external:
            return parse_xml(relation.target_part.blob)
    return None


def _length(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 12 else 0


def _style(paragraph: Any) -> str:
    return _value(paragraph, "w:pPr", "w:pStyle") or ""


def _is_end_deleted(paragraph: Any) -> bool:
    mark = paragraph.find(f"{qn('w:pPr')}/{qn('w:rPr')}")
    return mark is not None and (mark.find(qn("w:del")) is not None or mark.find(qn("w:moveFrom")) is not None)


def _style_level(style: Any) -> int:
    """Return the heading level of a style or of a style that it is based on; 0 if it is no heading."""
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
