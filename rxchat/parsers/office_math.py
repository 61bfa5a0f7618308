"""Formulas of office documents (OMML) on one line: a fraction is 1/2 and not 12, a power is x^2 and not x2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MATH_TEXT = f"{_MATH}t"
MATH_PARTS = {
    f"{_MATH}num": "",
    f"{_MATH}den": "/",
    f"{_MATH}sup": "^",
    f"{_MATH}sub": "_",
    f"{_MATH}rad": "√",
}
"""The parts of a formula whose meaning needs a sign, and that sign."""


def math_part(tag: str, text: str) -> str:
    """Return the text of a part after its sign; several characters are in brackets."""
    if not text:
        return ""
    return f"{MATH_PARTS[tag]}{text if text.isalnum() else f'({text})'}"


def math_texts(element: Any, others: str) -> Iterator[str]:
    """Yield the texts of formulas below an element, and of other elements with a tag, in order."""
    for child in element:
        if child.tag in {MATH_TEXT, others}:
            yield child.text or ""
        elif child.tag in MATH_PARTS:
            yield math_part(child.tag, "".join(math_texts(child, others)))
        else:
            yield from math_texts(child, others)
