"""PowerPoint presentations: a page for each slide, with title, text, tables, charts, comments and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation
from pptx.oxml import parse_xml

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import archive, charts
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.list_numbers import BULLET
from rxchat.parsers.office_math import math_texts
from rxchat.parsers.powerpoint_numbers import labels_of
from rxchat.parsers.powerpoint_unseen import Unseen
from rxchat.parsers.slides import pictured_slides
from rxchat.parsers.tables import add_table

_OFF = frozenset({"0", "false"})
_MOST_NAMED = 30
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_COMPATIBILITY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_TEXT, _PARAGRAPH = f"{_DRAWING}t", f"{_DRAWING}p"
_BLIP = f"{_DRAWING}blip"
_ALTERNATIVES, _CHOICE = f"{_COMPATIBILITY}AlternateContent", f"{_COMPATIBILITY}Choice"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_DATA_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}dm"


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the slides in order."""
    del suffix
    presentation = Presentation(archive.office(content, "ppt/"))
    builder = TextBuilder(len(content))
    builder.title = presentation.core_properties.title or ""
    hidden: list[str] = []
    pictured: list[str] = []
    unseen = Unseen()
    for number, slide in enumerate(presentation.slides, start=1):
        builder.pages = number
        if not _add_slide(builder, slide, number) and any(_is_picture(shape) for shape in _shapes(slide.shapes)):
            pictured.append(f"{number:,}")
        for text in unseen.look_at(slide, number):
            builder.add(BlockKind.PARAGRAPH, f"Layout: {text}", page=number)
        if slide._element.get("show") in _OFF:
            hidden.append(f"{number:,}")
        if builder.is_full:
            break
    if hidden:
        slides = f"Slides {', '.join(hidden[:_MOST_NAMED])} are" if len(hidden) > 1 else f"Slide {hidden[0]} is"
        builder.note(f"{slides} hidden; they were read." if len(hidden) > 1 else f"{slides} hidden; it was read.")
    if pictured:
        builder.note(pictured_slides(pictured))
    for note in unseen.notes():
        builder.note(note)
    return builder.built()


def _add_slide(builder: TextBuilder, slide: Any, page: int) -> bool:
    """Append a slide; returns whether it has text other than its title."""
    title = slide.shapes.title
    if title is not None:
        builder.heading(title.text_frame.text, 1, page=page)
    before = builder.room
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        _add_shape(builder, slide, shape, page)
    for equation in slide._element.iter(_ALTERNATIVES):
        _add_alternative(builder, equation, page)
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        builder.add(BlockKind.PARAGRAPH, f"Notes: {notes.text}", page=page)
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/comments") and not relation.is_external:
            _add_comments(builder, relation.target_part.blob, page)
    return builder.room != before


def _is_picture(shape: Any) -> bool:
    return next(shape._element.iter(_BLIP), None) is not None


def _add_shape(builder: TextBuilder, slide: Any, shape: Any, page: int) -> None:
    if getattr(shape, "has_table", False):
        add_table(builder, ([_cell(cell) for cell in row.cells] for row in shape.table.rows), page=page)
    elif getattr(shape, "has_chart", False):
        charts.add_chart(builder, shape.chart_part.blob, page=page)
    elif shape.has_text_frame:
        _add_text(builder, shape, page)
    elif (relation := _diagram_relation(shape)) in slide.part.rels:
        charts.add_diagram(builder, slide.part.related_part(relation).blob, page=page)
    elif getattr(shape, "ole_format", None) is not None:
        builder.note("A file that is embedded in a slide was not read: open it, and upload it by itself.")


def _cell(cell: Any) -> str:
    """Return the text of a cell; merged cells have their text in the first one."""
    return "" if cell.is_spanned else cell.text


def _diagram_relation(shape: Any) -> str:
    """Return the relationship ID of a diagram's (SmartArt) data; "" for other shapes."""
    found = shape._element.find(f".//{_DIAGRAM}")
    return found.get(_DATA_RELATION) or "" if found is not None else ""


def _add_alternative(builder: TextBuilder, element: Any, page: int) -> None:
    """Append newer elements that python-pptx does not support, such as equations."""
    choice = element.find(_CHOICE)
    if choice is not None:
        lines = ("".join(math_texts(paragraph, _TEXT)) for paragraph in choice.iter(_PARAGRAPH))
        builder.add(BlockKind.PARAGRAPH, "\n".join(lines), page=page)


def _add_comments(builder: TextBuilder, content: bytes, page: int) -> None:
    """Append the comments on a slide, in the older or newer format."""
    for comment in parse_xml(archive.refuse_declarations(content)):
        texts = [comment.findtext("{*}text") or "", *(text.text or "" for text in comment.iter(_TEXT))]
        if text := one_line(" ".join(texts)):
            builder.add(BlockKind.PARAGRAPH, f"Comment: {text}", page=page)


def _shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """Yield all shapes, also those in groups."""
    for shape in shapes:
        # Only groups contain shapes.
        inner = getattr(shape, "shapes", None)
        if inner is not None:
            yield from _shapes(inner)
        else:
            yield shape


def _add_text(builder: TextBuilder, shape: Any, page: int) -> None:
    """Append the text of a box: several paragraphs are a list on nearly every slide."""
    labels = labels_of(shape)
    lines = [
        (paragraph.level, label, one_line(paragraph.text))
        for paragraph, label in zip(shape.text_frame.paragraphs, labels, strict=True)
    ]
    lines = [(level, label, text) for level, label, text in lines if text]
    if len(lines) == 1:
        builder.add(BlockKind.PARAGRAPH, f"{lines[0][1]} {lines[0][2]}".strip(), page=page)
        return
    items = "\n".join(f"{'  ' * level}{label or BULLET} {text}" for level, label, text in lines)
    builder.add(BlockKind.LIST, items, page=page)
