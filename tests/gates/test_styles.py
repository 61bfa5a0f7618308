"""Style sheets contain no rule for a class that no element has, and no text in pixels."""

from __future__ import annotations

import ast
import re

from tests.gates.test_shape import PACKAGE, ROOT, SCRIPTS, name, parsed

SHEETS = sorted((ROOT / "assets").glob("*.css"))
FROM_LIBRARIES = {"markedContent", "dark", "katex", "katex-display"} | {
    "recharts-cartesian-axis-line",
    "recharts-cartesian-grid",
    "recharts-default-tooltip",
    "recharts-rectangle",
    "recharts-tooltip-cursor",
}
"""Classes that PDF.js, Reflex, KaTeX and Recharts give to elements."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_SCRIPT_TEXT = re.compile(r'"[^"\n]*"|`[^`]*`')


def classes_of(css: str) -> set[str]:
    """The classes that selectors of a style sheet name."""
    selectors = re.findall(r"([^{}]+)\{", _COMMENT.sub("", css))
    return {found for selector in selectors for found in re.findall(r"\.([a-zA-Z][\w-]*)", selector)}


def words_in_code() -> set[str]:
    """All words of the strings in Python and JavaScript: a class that is used is among them."""
    texts = [
        node.value
        for path in PACKAGE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    texts += [text for path in SCRIPTS for text in _SCRIPT_TEXT.findall(path.read_text())]
    return {word for text in texts for word in re.findall(r"[a-zA-Z][\w-]*", text)}


def test_every_class_in_a_style_sheet_is_used() -> None:
    used = words_in_code() | FROM_LIBRARIES
    unused = {name(sheet): sorted(classes_of(sheet.read_text()) - used) for sheet in SHEETS}
    assert {sheet: classes for sheet, classes in unused.items() if classes} == {}


def test_text_grows_with_the_size_that_the_browser_is_set_to() -> None:
    in_pixels = {
        name(sheet): re.findall(r"font(?:-size)?:[^;}]*\b[\d.]+px[^;}]*", _COMMENT.sub("", sheet.read_text()))
        for sheet in SHEETS
    }
    assert {sheet: sizes for sheet, sizes in in_pixels.items() if sizes} == {}
