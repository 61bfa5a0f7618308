"""PowerPoint presentations: a page for each slide, with its title, text, tables and the speaker's notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pptx import Presentation

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.tables import add_table


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the slides in their order."""
    del suffix
    presentation = Presentation(archive.office(content, "ppt/"))
    builder = TextBuilder()
    builder.title = presentation.core_properties.title or ""
    for number, slide in enumerate(presentation.slides, start=1):
        builder.pages = number
        _add_slide(builder, slide, number)
        if builder.is_full:
            break
    return builder.built()


def _add_slide(builder: TextBuilder, slide: Any, page: int) -> None:
    title = slide.shapes.title
    if title is not None:
        builder.heading(title.text_frame.text, 1, page=page)
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False):
            add_table(builder, ([cell.text for cell in row.cells] for row in shape.table.rows), page=page)
        elif shape.has_text_frame:
            _add_text(builder, shape.text_frame, page)
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and notes.text.strip():
        builder.add(BlockKind.PARAGRAPH, f"Notes: {notes.text}", page=page)


def _shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """Yield the shapes, and those that are in groups."""
    for shape in shapes:
        # A group is the only shape that has shapes.
        inner = getattr(shape, "shapes", None)
        if inner is not None:
            yield from _shapes(inner)
        else:
            yield shape


def _add_text(builder: TextBuilder, frame: Any, page: int) -> None:
    """Append the text of a box: what has several paragraphs is a list on nearly every slide."""
    lines = [(paragraph.level, one_line(paragraph.text)) for paragraph in frame.paragraphs]
    lines = [(level, text) for level, text in lines if text]
    if len(lines) == 1:
        builder.add(BlockKind.PARAGRAPH, lines[0][1], page=page)
        return
    builder.add(BlockKind.LIST, "\n".join(f"{'  ' * level}- {text}" for level, text in lines), page=page)
