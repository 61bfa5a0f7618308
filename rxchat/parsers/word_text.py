"""The visible text of a Word paragraph: changes accepted, without hidden text, field codes and ruby."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

from rxchat.parsers import symbol_fonts
from rxchat.parsers.office_math import MATH_PARTS, MATH_TEXT, math_part

FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
TEXT_BOX = qn("w:txbxContent")
WITHOUT_TEXT = frozenset(
    {
        *(FALLBACK, TEXT_BOX),
        # Deleted or moved text, properties, and ruby annotations.
        *(qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:sdtPr"), qn("w:rt"), qn("w:rubyPr")),
    }
)
_SIGNS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_RUN, _FIELD_SIGN, _FIELD_SIGN_TYPE = qn("w:r"), qn("w:fldChar"), qn("w:fldCharType")
_SYMBOL = qn("w:sym")
_STYLE = qn("w:style")
_TEXTS = frozenset({qn("w:t"), MATH_TEXT})
_SHOWN = _TEXTS | {*_SIGNS, _SYMBOL}
_OFF = frozenset({"0", "false", "off", "none"})
_DEEPEST_STYLE = 12


class TextReader:
    """Reads paragraphs in order; a field may begin in one and end in another."""

    def __init__(self, styles: Any | None) -> None:
        self._hidden_styles = _hidden_styles(styles)
        self._fields: list[bool] = []
        """For each open field, whether its result has begun."""
        self.has_hidden_text = False
        self.unknown_signs = 0
        """The number of symbol-font glyphs without a known character."""

    def text(self, element: Any, style: str = "") -> str:
        """Return the visible text of an element without its text boxes."""
        is_hidden = style in self._hidden_styles
        return "".join(self._pieces(element, is_hidden))

    def _pieces(self, element: Any, is_hidden: bool) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag == _RUN:
                yield from self._pieces(child, self._is_hidden_run(child, is_hidden))
            elif tag == _FIELD_SIGN:
                yield self._field(child, is_hidden)
            elif tag in MATH_PARTS:
                yield math_part(tag, "".join(self._pieces(child, is_hidden)))
            elif tag in _SHOWN:
                text = self._shown(child)
                if is_hidden and text.strip():
                    self.has_hidden_text = True
                elif not is_hidden and all(self._fields):
                    yield text
            elif tag not in WITHOUT_TEXT:
                yield from self._pieces(child, is_hidden)

    def _shown(self, element: Any) -> str:
        """Return the displayed text of an element without children."""
        if element.tag == _SYMBOL:
            return self._symbol(element)
        return _SIGNS.get(element.tag) or element.text or ""

    def _symbol(self, element: Any) -> str:
        sign = symbol_fonts.character(element.get(qn("w:font")) or "", element.get(qn("w:char")) or "")
        self.unknown_signs += sign is None
        return "\ufffd" if sign is None else sign

    def _field(self, sign: Any, is_hidden: bool) -> str:
        """Track the beginning, result and end of a field; returns the value of a legacy form field."""
        kind = sign.get(_FIELD_SIGN_TYPE)
        shown = "" if is_hidden or not all(self._fields) else _form_field(sign)
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()
        return shown

    def _is_hidden_run(self, run: Any, is_hidden: bool) -> bool:
        properties = run.find(qn("w:rPr"))
        if properties is None:
            return is_hidden
        own = _is_vanishing(properties)
        if own is not None:
            return own
        style = properties.find(qn("w:rStyle"))
        return is_hidden or (style is not None and style.get(qn("w:val")) in self._hidden_styles)


def _form_field(sign: Any) -> str:
    """Return the displayed value of a legacy form field: its checkbox or the selected entry."""
    data = sign.find(qn("w:ffData"))
    box = data.find(qn("w:checkBox")) if data is not None else None
    if box is not None:
        ticks = (box.find(qn("w:checked")), box.find(qn("w:default")))
        tick = next((it for it in ticks if it is not None), None)
        return "☐" if tick is None or tick.get(qn("w:val"), "1").lower() in _OFF else "☑"
    choice = data.find(qn("w:ddList")) if data is not None else None
    if choice is None:
        return ""
    entries = [entry.get(qn("w:val")) or "" for entry in choice.findall(qn("w:listEntry"))]
    chosen = choice.find(qn("w:result"))
    place = (chosen.get(qn("w:val")) if chosen is not None else None) or "0"
    return entries[int(place)] if place.isdecimal() and int(place) < len(entries) else ""


def _is_vanishing(properties: Any) -> bool | None:
    """Whether run properties hide the text; None if they do not specify it."""
    vanish = properties.find(qn("w:vanish"))
    return None if vanish is None else vanish.get(qn("w:val"), "1").lower() not in _OFF


def _hidden_styles(styles: Any | None) -> frozenset[str]:
    """Return the IDs of styles that hide text, themselves or through the style that they are based on."""
    if styles is None:
        return frozenset()
    own: dict[str, bool | None] = {}
    based: dict[str, str] = {}
    for style in styles.findall(_STYLE):
        identifier = style.get(qn("w:styleId")) or ""
        properties, parent = style.find(qn("w:rPr")), style.find(qn("w:basedOn"))
        own[identifier] = None if properties is None else _is_vanishing(properties)
        based[identifier] = parent.get(qn("w:val")) or "" if parent is not None else ""
    hidden: set[str] = set()
    for identifier in own:
        at = identifier
        for _ in range(_DEEPEST_STYLE):
            if at not in own:
                break
            if own[at] is not None:
                hidden |= {identifier} if own[at] else set()
                break
            at = based[at]
    return frozenset(hidden)
