"""OpenDocument (LibreOffice): texts, spreadsheets and presentations, as displayed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any

import lxml.etree

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import archive, limits
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.opendocument_lists import ListNumbers
from rxchat.parsers.opendocument_objects import EMBEDDED, Objects
from rxchat.parsers.opendocument_tables import MergedCells
from rxchat.parsers.opendocument_text import PARAGRAPHS, TextReader, tag
from rxchat.parsers.slides import pictured_slides
from rxchat.parsers.tables import add_table

_KINDS = {".odt": ("text", "text"), ".ods": ("spreadsheet", "spreadsheet"), ".odp": ("presentation", "presentation")}
_MIME_TYPE = "application/vnd.oasis.opendocument."
_CONTENT, _STYLES, _META, _MANIFEST = "content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"
_DAMAGED = "This file is damaged: it cannot be read. Open it, save it again and upload the new file."
_HEADING, _PARAGRAPH, _LIST, _TABLE = tag("text:h"), tag("text:p"), tag("text:list"), tag("table:table")
_ROW, _CELLS = tag("table:table-row"), frozenset({tag("table:table-cell"), tag("table:covered-table-cell")})
_NOT_SHOWN = frozenset(
    {
        tag("text:tracked-changes"),
        tag("office:annotation"),
        tag("office:forms"),
        tag("text:sequence-decls"),
        tag("office:scripts"),
    }
)
_HIDDEN = frozenset({"collapse", "filter"})
_OBJECTS = frozenset(tag(f"draw:{name}") for name in ("object-ole", "plugin", "applet", "floating-frame", "image"))
# lxml refuses deeper trees.
_DEEPEST = 250
_DEEPEST_LIST = 30
_TOO_DEEP = "Parts of this document are nested too deeply, and were not read."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the document in reading order."""
    archive.office(content, _CONTENT)
    builder = TextBuilder(len(content))
    with archive.opened(content) as package:
        _check(package, suffix)
        reader = _Reader(builder, package)
        reader.add_all()
    return builder.built()


def _check(package: zipfile.ZipFile, suffix: str) -> None:
    """Refuse other formats and encrypted documents (OpenDocument encrypts entries, not the zip archive)."""
    names = package.namelist()
    kind, words = _KINDS.get(suffix, ("", "document"))
    if "mimetype" in names:
        said = archive.read(package, "mimetype").strip().decode("ascii", "replace")
        if said.removesuffix("-template") != f"{_MIME_TYPE}{kind}" if kind else not said.startswith(_MIME_TYPE):
            raise DocumentUnreadable(
                f"This file is called {suffix}, but it is another kind of OpenDocument: save it as {words}."
            )
    if _MANIFEST in names and b"encryption-data" in archive.read(package, _MANIFEST):
        raise DocumentUnreadable("This file is protected by a password: save it without one and upload it again.")


def _xml(package: zipfile.ZipFile, name: str) -> Any | None:
    """Return an entry as a tree; None if it is missing.

    Raises:
        DocumentUnreadable: if it is damaged.
    """
    if name not in package.namelist():
        return None
    try:
        return archive.xml_tree(archive.read(package, name))
    except lxml.etree.XMLSyntaxError as error:
        raise DocumentUnreadable(_DAMAGED) from error


class _Reader:
    """Appends the contents of a package."""

    def __init__(self, builder: TextBuilder, package: zipfile.ZipFile) -> None:
        self._builder = builder
        self._package = package
        self._content = _xml(package, _CONTENT)
        self._styles = _xml(package, _STYLES)
        self._objects = Objects(self._content, self._part)
        self._text = TextReader(self._objects.in_line, self._content, self._styles)
        self._numbers = ListNumbers(self._styles, self._content)
        self._comments: list[str] = []
        self._notes: list[Any] = []
        self._page = 0
        meta = _xml(package, _META)
        builder.title = (meta.findtext(f".//{tag('dc:title')}") or "") if meta is not None else ""

    def add_all(self) -> None:
        """Append headers, body, footnotes, footers and comments."""
        body = self._content.find(tag("office:body")) if self._content is not None else None
        kind = next(iter(body), None) if body is not None else None
        if kind is None:
            raise DocumentUnreadable(_DAMAGED)
        if kind.tag == tag("office:spreadsheet"):
            self._add_sheets(kind)
        elif kind.tag == tag("office:presentation"):
            self._add_slides(kind)
        else:
            self._add_margins("header")
            self._add_below(kind, 0)
            self._add_notes()
            self._add_margins("footer")
        for comment in dict.fromkeys(self._comments):
            self._builder.add(BlockKind.PARAGRAPH, comment, page=self._page)
        for field in self._objects.other_fields():
            self._builder.add(BlockKind.PARAGRAPH, f"Form field: {field}")
        if self._text.has_hidden_text:
            self._builder.note("Hidden text in this document was left out.")
        if self._objects.has_unread:
            self._builder.note(EMBEDDED)
        if self._objects.pictures:
            pictures = "large picture" if self._objects.pictures == 1 else "large pictures"
            was = "was" if self._objects.pictures == 1 else "were"
            self._builder.note(f"{self._objects.pictures:,} {pictures} in this document {was} not read.")

    def _part(self, name: str) -> Any | None:
        """Return another XML document of the package."""
        return _xml(self._package, name)

    def _add_below(self, parent: Any, depth: int) -> None:
        for element in parent:
            if self._builder.is_full:
                return
            if depth > _DEEPEST:
                self._builder.note(_TOO_DEEP)
                return
            if element.tag in PARAGRAPHS:
                self._add_paragraph(element, depth)
            elif element.tag == _LIST:
                self._add_list(element, depth)
            elif element.tag == _TABLE:
                add_table(self._builder, self._rows(element), page=self._page)
                self._add_hanging(depth)
            elif element.tag == tag("presentation:notes"):
                texts = (self._text.text(it) for it in element.iter(*PARAGRAPHS))
                if text := "\n".join(filter(None, texts)):
                    self._builder.add(BlockKind.PARAGRAPH, f"Notes: {text}", page=self._page)
            elif isinstance(element.tag, str) and element.tag not in _NOT_SHOWN and not self._is_object(element):
                # Sections, indexes, frames and boxes contain the same elements.
                self._add_below(element, depth + 1)

    def _is_object(self, element: Any) -> bool:
        """Append an object such as a chart; returns False for containers of visible paragraphs."""
        if element.tag == tag("text:section"):
            self._text.has_hidden_text = self._text.has_hidden_text or _is_hidden_section(element)
            return _is_hidden_section(element)
        if element.tag == tag("draw:object"):
            self._add_object(element)
        elif element.tag in _OBJECTS:
            self._objects.note_object(element)
        elif (shown := self._objects.in_line(element)) is not None:
            self._builder.add(BlockKind.PARAGRAPH, shown, page=self._page)
        else:
            return False
        return True

    def _add_list(self, element: Any, depth: int) -> None:
        style = element.get(tag("text:style-name")) or ""
        goes_on = bool(element.get(tag("text:continue-numbering")) or element.get(tag("text:continue-list")))
        self._numbers.begin(style, goes_on=goes_on)
        self._builder.add(BlockKind.LIST, "\n".join(self._items(element, style, 0)), page=self._page)
        self._add_hanging(depth)

    def _add_paragraph(self, element: Any, depth: int) -> None:
        text = self._text.text(element)
        if element.tag == _HEADING:
            level = element.get(tag("text:outline-level")) or "1"
            level = int(level) if level.isdecimal() and len(level) < 3 else 1
            number = self._numbers.heading(max(1, level)) if text else ""
            self._builder.heading(f"{number} {text}".strip(), level, page=self._page)
        else:
            self._builder.add(BlockKind.PARAGRAPH, text, page=self._page)
        self._add_hanging(depth)

    def _add_hanging(self, depth: int) -> None:
        """Append the boxes of the last paragraphs, and collect their notes and comments for the end."""
        found = self._text.taken()
        self._notes += found.notes
        self._comments += found.comments
        for shape in found.shapes:
            self._add_below(shape, depth + 1)

    def _add_notes(self) -> None:
        notes, self._notes = self._notes, []
        for note in notes:
            body = note.find(tag("text:note-body"))
            if body is not None:
                self._add_below(body, 0)

    def _items(self, list_: Any, style: str, depth: int) -> Iterator[str]:
        """Yield the lines of a list and of nested ones."""
        style = list_.get(tag("text:style-name")) or style
        for item in list_:
            label = ""
            for child in item:
                if child.tag == _LIST and depth >= _DEEPEST_LIST:
                    self._builder.note(_TOO_DEEP)
                elif child.tag == _LIST:
                    yield from self._items(child, style, depth + 1)
                elif child.tag in PARAGRAPHS and (text := one_line(self._text.text(child))):
                    mark = "  " if label else self._numbers.item(style, depth)
                    label = mark
                    yield f"{'  ' * depth}{mark} {text}" if mark.strip() else f"{'  ' * depth}{mark}{text}"

    def _rows(self, table: Any) -> Iterator[list[str]]:
        """Yield the rows of a table; limits rows that are declared to repeat a million times."""
        merged = MergedCells()
        for row in table.iter(_ROW):
            if next(row.iterancestors(_TABLE)) is not table:
                continue
            cells: list[str] = []
            for cell in row:
                if cell.tag in _CELLS and len(cells) <= limits.TABLE_COLUMNS:
                    text = merged.text(cell, len(cells), self._cell(cell))
                    times = _number(cell.get(tag("table:number-columns-repeated")))
                    cells += [text] * min(
                        times, limits.TABLE_COLUMNS if text else limits.TABLE_COLUMNS - len(cells) + 1
                    )
            merged.end_row(_number(row.get(tag("table:number-rows-repeated"))))
            if any(cells):
                for _ in range(min(_number(row.get(tag("table:number-rows-repeated"))), limits.TABLE_ROWS)):
                    yield cells

    def _cell(self, cell: Any) -> str:
        """Return the displayed text of a cell; the formula if it has no result."""
        lines: list[str] = []
        for child in cell:
            if child.tag in PARAGRAPHS:
                lines.append(self._text.text(child))
            elif child.tag == tag("office:annotation"):
                self._comments.append(self._text.comment(child))
            elif child.tag == _LIST:
                lines += self._items(child, "", 0)
            elif child.tag == _TABLE:
                lines += (" ".join(row) for row in self._rows(child))
        text = " ".join(filter(None, lines))
        if not text:
            text = cell.get(tag("office:value")) or cell.get(tag("office:string-value")) or ""
        formula = cell.get(tag("table:formula"))
        if not text and formula and cell.get(tag("office:value-type")) is None:
            self._builder.note(
                "Formulas without a stored result were read as formulas: open the file, save it, and upload it again."
            )
            return formula.partition(":")[2] or formula
        return text

    def _add_sheets(self, spreadsheet: Any) -> None:
        for number, sheet in enumerate(spreadsheet.iterfind(_TABLE), start=1):
            self._builder.pages = self._page = number
            name = one_line(sheet.get(tag("table:name")) or "")
            self._builder.heading(name, 1, page=number)
            add_table(self._builder, self._rows(sheet), page=number)
            shapes = sheet.find(tag("table:shapes"))
            if shapes is not None:
                self._add_below(shapes, 0)
            self._add_hanging(0)
            if self._displays(sheet, "table:display") == "false":
                self._builder.note(f"The sheet “{name[:60]}” is hidden; it was read.")
            hidden = sum(
                it.get(tag("table:visibility")) in _HIDDEN for it in sheet.iter(_ROW, tag("table:table-column"))
            )
            if hidden:
                self._builder.note(f"The sheet “{name[:60]}” has hidden rows or columns; they were read.")
            if self._builder.is_full:
                return

    def _add_slides(self, presentation: Any) -> None:
        pictured: list[str] = []
        for number, slide in enumerate(presentation.iterfind(tag("draw:page")), start=1):
            self._builder.pages = self._page = number
            before = self._builder.room
            for shape in slide:
                if shape.get(tag("presentation:class")) == "title":
                    self._builder.heading(
                        " ".join(self._text.text(it) for it in shape.iter(*PARAGRAPHS)), 1, page=number
                    )
                    before = self._builder.room
                else:
                    self._add_below([shape], 0)
            if self._builder.room == before and next(slide.iter(tag("draw:image")), None) is not None:
                pictured.append(f"{number:,}")
            self._comments += (self._text.comment(it) for it in slide.iterfind(tag("office:annotation")))
            if self._displays(slide, "presentation:visibility") == "hidden":
                self._builder.note(f"Slide {number:,} is hidden; it was read.")
            if self._builder.is_full:
                break
        if pictured:
            self._builder.note(pictured_slides(pictured))

    def _displays(self, element: Any, attribute: str) -> str:
        """Return an attribute of the style of a sheet or slide about its visibility."""
        name = element.get(tag("table:style-name")) or element.get(tag("draw:style-name"))
        for style in self._content.iter(tag("style:style")) if name and self._content is not None else ():
            if style.get(tag("style:name")) == name:
                return next((value for it in style if (value := it.get(tag(attribute)))), "")
        return ""

    def _add_object(self, element: Any) -> None:
        """Append the data of a chart, which is a document in the package; other objects only get a note."""
        chart = self._objects.content_of(element)
        table = chart.find(f".//{_TABLE}") if chart is not None else None
        is_chart = chart is not None and chart.find(f".//{tag('chart:chart')}") is not None
        if table is None or not is_chart:
            self._objects.note_object(element)
        else:
            self._builder.add(BlockKind.PARAGRAPH, "Chart", page=self._page)
            add_table(self._builder, self._rows(table), page=self._page)

    def _add_margins(self, kind: str) -> None:
        """Append headers or footers, each text once."""
        texts: dict[str, None] = {}
        for margin in self._styles.iter(tag(f"style:{kind}")) if self._styles is not None else ():
            texts[one_line(" ".join(self._text.text(it) for it in margin.iter(*PARAGRAPHS)))] = None
        self._text.taken()
        for text in texts:
            if any(map(str.isalpha, text)):
                self._builder.add(BlockKind.PARAGRAPH, f"{kind.capitalize()}: {text}")


def _is_hidden_section(section: Any) -> bool:
    display = section.get(tag("text:display"))
    return display == "none" or (display == "condition" and section.get(tag("text:is-hidden")) == "true")


def _number(text: str | None) -> int:
    return (
        max(1, int(text))
        if text and text.isdecimal() and len(text) < 8
        else limits.TABLE_COLUMNS
        if text and text.isdecimal()
        else 1
    )
