"""Embedded objects of OpenDocument files: equations, form fields, other documents, and images."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from rxchat.parsers.builder import one_line
from rxchat.parsers.html_math import SIGNS
from rxchat.parsers.opendocument_text import tag

_MATH = "{http://www.w3.org/1998/Math/MathML}"
_NOT_SHOWN = frozenset({f"{_MATH}annotation", f"{_MATH}annotation-xml"})
_ROOTS = frozenset({"msqrt", "mroot"})
_INVISIBLE = re.compile("[\u2061-\u2064]")
_FIELD_VALUE = "current-value"
_TICKS = frozenset({"checkbox", "radio"})
_LABELS = frozenset({"fixed-text", "button", "frame"})
_UNREAD = frozenset({"hidden", "password", "image", "file", "properties", "property", "generic-control"})
_MARK = "{urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0}"
_LENGTH = re.compile(r"([\d.]{1,12})(cm|mm|in|pt)")
_CENTIMETERS = {"cm": 1.0, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72}
_LARGE_PICTURE = 8 * 5
"""Square centimeters: users may expect that larger images are read."""

EMBEDDED = "Another document that is embedded in this one was not read: upload it by itself."


class Objects:
    """Reads the embedded objects in lines of text."""

    def __init__(self, content: Any, part: Callable[[str], Any | None]) -> None:
        self._part = part
        self._fields = _fields(content)
        self._read: set[str] = set()
        self.has_unread = False
        self.pictures = 0

    def in_line(self, element: Any) -> str | None:
        """Return the text of an equation or form field in a line; None for other elements."""
        if element.tag == tag("draw:control"):
            name = element.get(tag("draw:control")) or ""
            self._read.add(name)
            return self._fields.get(name, "")
        if element.tag == f"{_MARK}fieldmark":
            return _of_mark(element)
        if element.tag != tag("draw:frame"):
            return None
        formulas = [text for it in element.iterfind(tag("draw:object")) if (text := self._formula(it))]
        return " ".join(formulas) if formulas else None

    def other_fields(self) -> Iterator[str]:
        """Yield the form fields that no line contained."""
        for name, text in self._fields.items():
            if name not in self._read and text:
                yield text

    def note_object(self, element: Any) -> None:
        """Count an object or large image that is not read."""
        if element.tag != tag("draw:image"):
            self.has_unread = True
        elif (
            element.getparent().find(tag("draw:object")) is None
            and element.getparent().find(tag("draw:object-ole")) is None
        ):
            frame = element.getparent()
            self.pictures += (
                _length(frame.get(tag("svg:width"))) * _length(frame.get(tag("svg:height"))) >= _LARGE_PICTURE
            )

    def content_of(self, element: Any) -> Any | None:
        """Return the document that an object refers to or contains; None if the package has none."""
        inside = next((it for it in element if isinstance(it.tag, str)), None)
        if inside is not None:
            return inside
        folder = (element.get(tag("xlink:href")) or "").removeprefix("./").rstrip("/")
        return self._part(f"{folder}/content.xml") if folder else None

    def _formula(self, element: Any) -> str:
        content = self.content_of(element)
        if content is None or content.tag != f"{_MATH}math":
            return ""
        return one_line(_INVISIBLE.sub("", "".join(_formula(content))))


def _formula(element: Any) -> Iterator[str]:
    """Yield the parts of a formula on one line: a fraction is 1/2 and not 12, a power is x^2 and not x2."""
    if element.tag in _NOT_SHOWN or not isinstance(element.tag, str):
        return
    name = element.tag.removeprefix(_MATH)
    yield element.text.strip() if element.text else ""
    signs = SIGNS.get(name, ())
    for place, child in enumerate(it for it in element if isinstance(it.tag, str)):
        text = "".join(_formula(child))
        if signs:
            is_grouped = len(text) > 1 and child.tag in {
                f"{_MATH}mrow",
                f"{_MATH}mfrac",
                f"{_MATH}msup",
                f"{_MATH}msub",
            }
            yield f"{signs[min(place, len(signs) - 1)]}{f'({text})' if is_grouped else text}"
        elif name in _ROOTS:
            yield f"√({text})"
        else:
            yield text
        if name in {"mtr", "mtable"}:
            yield " "


def _fields(content: Any) -> dict[str, str]:
    """Return the displayed values of all form fields by name."""
    found: dict[str, str] = {}
    for form in content.iter(tag("form:form")) if content is not None else ():
        for field in form:
            kind = field.tag.rpartition("}")[2] if isinstance(field.tag, str) else ""
            if not kind or kind in _UNREAD or kind == "form":
                continue
            names = (field.get("{http://www.w3.org/XML/1998/namespace}id"), field.get(tag("form:id")))
            found[next(filter(None, names), f"#{len(found)}")] = _of_field(kind, field)
    return found


def _of_field(kind: str, field: Any) -> str:
    label = one_line(field.get(tag("form:label")) or "")
    if kind in _TICKS:
        state = (
            field.get(tag("form:current-state"))
            or field.get(tag("form:state"))
            or field.get(tag("form:current-selected"))
        )
        return f"{'☑' if state in {'checked', 'true'} else '☐'} {label}".strip()
    if kind in _LABELS:
        return label
    if kind == "listbox":
        options = field.iterfind(tag("form:option"))
        return ", ".join(
            one_line(it.get(tag("form:label")) or "")
            for it in options
            if it.get(tag("form:current-selected")) == "true"
        )
    value = field.get(tag("form:current-value")) or field.get(tag("form:value")) or ""
    paragraphs = (" ".join(it.itertext()) for it in field.iter(tag("text:p")))
    return one_line(value or " ".join(paragraphs))


def _of_mark(mark: Any) -> str:
    """Return the displayed value of one of Word's form fields."""
    values = {it.get(f"{_MARK}name"): it.get(f"{_MARK}value") or "" for it in mark.iterfind(f"{_MARK}param")}
    if (mark.get(f"{_MARK}type") or "").endswith("FORMCHECKBOX"):
        return "☑" if values.get("Checkbox_Checked", "false") == "true" else "☐"
    entries = [
        it.get(f"{_MARK}value") or ""
        for it in mark.iterfind(f"{_MARK}param")
        if it.get(f"{_MARK}name") == "Dropdown_ListEntry"
    ]
    place = values.get("Dropdown_Selected", "")
    return (
        entries[int(place)]
        if place.isdecimal() and len(place) < 6 and int(place) < len(entries)
        else "".join(mark.itertext())
    )


def _length(text: str | None) -> float:
    """Return a length in centimeters."""
    found = _LENGTH.fullmatch(text or "")
    return float(found.group(1)) * _CENTIMETERS[found.group(2)] if found and found.group(1).count(".") < 2 else 0.0
