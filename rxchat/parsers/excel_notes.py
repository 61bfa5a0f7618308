"""The texts of a sheet outside its cells: notes, threaded comments, and text boxes."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lxml.etree

from rxchat.parsers import archive, charts
from rxchat.parsers.builder import one_line

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SHAPE = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}sp"
_STAND_IN = "[Threaded comment]"
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class SheetNotes:
    """The texts outside the cells of a sheet."""

    notes: tuple[str, ...]
    """A line for each note or comment, with its cell and author."""
    boxes: tuple[str, ...]
    """The texts of boxes and shapes, and the titles of charts."""
    has_pictures: bool = False


def notes_of(package: zipfile.ZipFile, sheet_path: str) -> SheetNotes:
    """Return the notes, text boxes and names of charts of a sheet, given the name of its part."""
    names = frozenset(package.namelist())
    notes: list[str] = []
    threads: list[str] = []
    boxes: list[str] = []
    has_pictures = False
    for kind, target in _related(package, names, sheet_path.lstrip("/")):
        match kind:
            case "comments":
                notes += _legacy(_xml(package, names, target))
            case "threadedComment":
                threads += _threaded(_xml(package, names, target))
            case "drawing":
                boxes += _boxes(_xml(package, names, target))
                for inner, part in _related(package, names, target):
                    has_pictures |= inner == "image"
                    if inner == "chart" and part in names and (title := charts.title_of(archive.read(package, part))):
                        boxes.append(f"Chart: {title}")
    return SheetNotes((*notes[:_MOST], *threads[:_MOST]), tuple(boxes[:_MOST]), has_pictures)


def _related(package: zipfile.ZipFile, names: frozenset[str], part: str) -> Iterator[tuple[str, str]]:
    """Yield the parts to which a part refers, each with the type of the relationship."""
    folder, name = posixpath.split(part)
    for relation in _xml(package, names, posixpath.join(folder, "_rels", f"{name}.rels")):
        if relation.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, relation.get("Target") or "")).lstrip("/")
            yield (relation.get("Type") or "").rpartition("/")[2], target


def _xml(package: zipfile.ZipFile, names: frozenset[str], name: str) -> Any:
    """Return a part as a tree; an empty tree if it is missing."""
    if name not in names:
        return ()
    try:
        return archive.xml_tree(archive.read(package, name))
    except lxml.etree.XMLSyntaxError:
        return ()


def _legacy(comments: Any) -> list[str]:
    if not len(comments):
        return []
    authors = [one_line(author.text or "") for author in comments.iterfind("{*}authors/{*}author")]
    lines: list[str] = []
    for comment in comments.iterfind("{*}commentList/{*}comment"):
        text = one_line("".join(run.text or "" for run in comment.iterfind("{*}text//{*}t") if _is_read(run)))
        number = comment.get("authorId") or ""
        author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
        # For each newer comment, Excel adds a placeholder for older versions.
        if text and not text.startswith(_STAND_IN):
            lines.append(_line(comment.get("ref") or "", author, text.removeprefix(f"{author}:").strip()))
    return lines


def _threaded(comments: Any) -> list[str]:
    return [
        _line(comment.get("ref") or "", "", text)
        for comment in comments
        if (text := one_line(comment.findtext("{*}text") or ""))
    ]


def _boxes(drawing: Any) -> list[str]:
    shapes = drawing.iter(_SHAPE) if len(drawing) else ()
    texts = (one_line(" ".join(text.text or "" for text in shape.iter(f"{_DRAWING}t"))) for shape in shapes)
    return [text for text in texts if text]


def _is_read(run: Any) -> bool:
    """Whether a run is text and no phonetic guide for another run."""
    parent = run.getparent()
    return parent is None or not str(parent.tag).endswith("}rPh")


def _line(cell: str, author: str, text: str) -> str:
    return f"Note on {cell}{f' by {author}' if author else ''}: {text}"
