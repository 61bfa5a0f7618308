"""OpenDocument texts (LibreOffice Writer): headings, paragraphs, lists and tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from odfdo import Document

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import archive, limits
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.tables import add_table

_MIME_TYPES = (b"application/vnd.oasis.opendocument.text", b"application/vnd.oasis.opendocument.text-template")
_NOT_SHOWN = frozenset({"text:tracked-changes", "office:annotation", "office:forms", "text:sequence-decls"})
_DEEPEST_LIST = 30


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the document in its order."""
    del suffix
    package = archive.office(content, "content.xml")
    _check(content)
    document = Document(package)
    builder = TextBuilder(len(content))
    builder.title = document.meta.title or ""
    _add_below(builder, document.body)
    return builder.built()


def _check(content: bytes) -> None:
    """Refuse what is no text, and what is encrypted: entry by entry, in this format, and not as a zip."""
    with archive.opened(content) as package:
        names = package.namelist()
        if "mimetype" in names and archive.read(package, "mimetype").strip() not in _MIME_TYPES:
            raise DocumentUnreadable(
                "This file is called .odt, but it is another kind of OpenDocument: save it as text."
            )
        manifest = "META-INF/manifest.xml"
        if manifest in names and b"encryption-data" in archive.read(package, manifest):
            raise DocumentUnreadable("This file is protected by a password: save it without one and upload it again.")


def _add_below(builder: TextBuilder, parent: Any) -> None:
    for element in parent.children:
        if builder.is_full:
            return
        match element.tag:
            case "text:h":
                builder.heading(_text(element), _level(element))
            case "text:p":
                builder.add(BlockKind.PARAGRAPH, _text(element))
            case "text:list":
                builder.add(BlockKind.LIST, "\n".join(_items(element, 0)))
            case "table:table":
                add_table(builder, _rows(element))
            case tag if tag not in _NOT_SHOWN:
                # Sections, indexes and frames hold the same again.
                _add_below(builder, element)


def _text(element: Any) -> str:
    return element.inner_text


def _level(element: Any) -> int:
    level = element.get_attribute("text:outline-level")
    return int(level) if level and str(level).isdecimal() else 1


def _items(element: Any, depth: int) -> Iterator[str]:
    """Yield the lines of a list and of those in it."""
    for item in element.children:
        mark = "- "
        for child in item.children:
            if child.tag == "text:list" and depth < _DEEPEST_LIST:
                yield from _items(child, depth + 1)
            elif text := one_line(_text(child)):
                yield f"{'  ' * depth}{mark}{text}"
                mark = "  "


def _rows(table: Any) -> Iterator[list[str]]:
    """Yield the rows of a table; what is said to be repeated a million times is repeated as often as it may matter."""
    for row in table.get_elements("descendant::table:table-row"):
        cells: list[str] = []
        for cell in row.children:
            if cell.tag in {"table:table-cell", "table:covered-table-cell"} and len(cells) <= limits.TABLE_COLUMNS:
                times = cell.get_attribute("table:number-columns-repeated")
                repeated = int(times) if times and str(times).isdecimal() else 1
                text = " ".join(_text(child) for child in cell.children)
                cells += [text] * min(repeated, limits.TABLE_COLUMNS if text else 1)
        yield cells
