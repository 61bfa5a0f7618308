"""The visible text of a Word paragraph: changes as accepted, without hidden words, codes of fields and readings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docx.oxml.ns import qn

FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
TEXT_BOX = qn("w:txbxContent")
WITHOUT_TEXT = frozenset(
    {
        *(FALLBACK, TEXT_BOX),
        # What was deleted or moved away, properties, and the readings above ruby's base.
        *(qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:sdtPr"), qn("w:rt"), qn("w:rubyPr")),
    }
)
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_TEXTS = frozenset({qn("w:t"), _MATH_TEXT})
_SIGNS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_RUN, _FIELD_SIGN, _FIELD_SIGN_TYPE = qn("w:r"), qn("w:fldChar"), qn("w:fldCharType")
_STYLE = qn("w:style")
_OFF = frozenset({"0", "false", "off", "none"})
_DEEPEST_STYLE = 12


class TextReader:
    """Reads paragraphs in their order; a field may begin in one and end in another."""

    def __init__(self, styles: Any | None) -> None:
        self._hidden_styles = _hidden_styles(styles)
        self._fields: list[bool] = []
        """For each field that is open, whether its result has begun."""
        self.has_hidden_text = False

    def text(self, element: Any, style: str = "") -> str:
        """Return the visible text of an element, but not of text boxes in it."""
        is_hidden = style in self._hidden_styles
        return "".join(self._pieces(element, is_hidden))

    def _pieces(self, element: Any, is_hidden: bool) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if tag == _RUN:
                yield from self._pieces(child, self._is_hidden_run(child, is_hidden))
            elif tag == _FIELD_SIGN:
                self._enter_field(child.get(_FIELD_SIGN_TYPE))
            elif tag in _TEXTS:
                if is_hidden and child.text:
                    self.has_hidden_text = True
                elif all(self._fields):
                    yield child.text or ""
            elif tag in _SIGNS:
                if not is_hidden and all(self._fields):
                    yield _SIGNS[tag]
            elif tag not in WITHOUT_TEXT:
                yield from self._pieces(child, is_hidden)

    def _enter_field(self, kind: str | None) -> None:
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()

    def _is_hidden_run(self, run: Any, is_hidden: bool) -> bool:
        properties = run.find(qn("w:rPr"))
        if properties is None:
            return is_hidden
        own = _is_vanishing(properties)
        if own is not None:
            return own
        style = properties.find(qn("w:rStyle"))
        return is_hidden or (style is not None and style.get(qn("w:val")) in self._hidden_styles)


def _is_vanishing(properties: Any) -> bool | None:
    """Whether run properties hide the text; None when they do not say."""
    vanish = properties.find(qn("w:vanish"))
    return None if vanish is None else vanish.get(qn("w:val"), "1").lower() not in _OFF


def _hidden_styles(styles: Any | None) -> frozenset[str]:
    """Return the identifiers of styles whose text is hidden, by themselves or by what they are based on."""
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
