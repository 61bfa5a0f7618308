"""Charts and diagrams of office documents, as tables and lists of their data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import lxml.etree

from rxchat.domain.documents import BlockKind
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.tables import add_table

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_CHART_PART = re.compile(r"/\w+/charts/chart\d*\.xml")
_DIAGRAM_PART = re.compile(r"/\w+/diagrams/data\d*\.xml")
_MOST_POINTS = 10_000


def add_parts(builder: TextBuilder, parts: Mapping[str, Any]) -> None:
    """Append the charts and diagrams among the parts of a package."""
    for name, part in parts.items():
        if _CHART_PART.fullmatch(name):
            add_chart(builder, part.blob)
        elif _DIAGRAM_PART.fullmatch(name):
            add_diagram(builder, part.blob)


def add_chart(builder: TextBuilder, content: bytes, *, page: int = 0) -> None:
    """Append a chart: its title, and a row for each category with the values of all series."""
    root = _xml(content)
    if root is None:
        builder.note("A chart in this document is damaged, and was not read.")
        return
    title = _title(root)
    builder.add(BlockKind.PARAGRAPH, f"Chart: {title}" if title else "Chart", page=page)
    series = list(root.iter(f"{_CHART}ser"))
    names = [_first(_points(one.find(f"{_CHART}tx"))) for one in series]
    categories = next((found for one in series if (found := _points(_categories(one)))), {})
    values = [_points(_values(one)) for one in series]
    rows = sorted({index for points in [categories, *values] for index in points})[:_MOST_POINTS]
    table = [[categories.get(index, ""), *(points.get(index, "") for points in values)] for index in rows]
    add_table(builder, [["", *names], *table], page=page)


def add_diagram(builder: TextBuilder, content: bytes, *, page: int = 0) -> None:
    """Append the texts of a diagram (SmartArt) in their order."""
    root = _xml(content)
    if root is None:
        builder.note("A diagram (SmartArt) in this document is damaged, and was not read.")
        return
    texts = (one_line(" ".join(_texts(point))) for point in root.iter(f"{_DIAGRAM}pt"))
    builder.add(BlockKind.LIST, "\n".join(f"- {text}" for text in texts if text), page=page)


def title_of(content: bytes) -> str:
    """Return the title of a chart; "" when it has none."""
    root = _xml(content)
    return "" if root is None else _title(root)


def _title(root: Any) -> str:
    return one_line("".join(_texts(root.find(f".//{_CHART}chart/{_CHART}title"))))


def _xml(content: bytes) -> Any | None:
    try:
        return archive.xml_tree(content)
    except lxml.etree.XMLSyntaxError:
        return None


def _texts(element: Any | None) -> Iterator[str]:
    if element is not None:
        for text in element.iter(f"{_DRAWING}t"):
            yield text.text or ""


def _categories(series: Any) -> Any | None:
    found = series.find(f"{_CHART}cat")
    return found if found is not None else series.find(f"{_CHART}xVal")


def _values(series: Any) -> Any | None:
    found = series.find(f"{_CHART}val")
    return found if found is not None else series.find(f"{_CHART}yVal")


def _points(element: Any | None) -> dict[int, str]:
    """Return the stored values of a reference by index; values of several levels are joined."""
    points: dict[int, str] = {}
    for point in element.iter(f"{_CHART}pt") if element is not None else ():
        index, value = point.get("idx") or "", one_line(point.findtext(f"{_CHART}v") or "")
        if index.isdecimal() and value and len(points) < _MOST_POINTS:
            known = points.get(int(index))
            points[int(index)] = f"{value} {known}" if known else value
    if element is not None and not points and (literal := element.findtext(f"{_CHART}v")):
        points[0] = one_line(literal)
    return points


def _first(points: Mapping[int, str]) -> str:
    return next(iter(points.values()), "")
