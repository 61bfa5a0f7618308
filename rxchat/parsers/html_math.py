"""Formulas in web pages (MathML) on one line: a fraction is 1/2 and not 12, a power is x^2 and not x2."""

from __future__ import annotations

from selectolax.lexbor import LexborNode

SIGNS = {
    "mfrac": ("", "/"),
    "msup": ("", "^"),
    "msub": ("", "_"),
    "msubsup": ("", "_", "^"),
    "mover": ("", "^"),
    "munder": ("", "_"),
    "munderover": ("", "_", "^"),
}
"""The sign before each child of an element."""
_ROOTS = frozenset({"msqrt", "mroot"})
_FEW = frozenset({"mi", "mn", "mo", "mtext"})


def math_before(node: LexborNode) -> str:
    """Return the sign before an element of a formula; "" for other elements."""
    tag = node.tag or ""
    if not tag.startswith("m"):
        return ""
    opening = "√(" if tag in _ROOTS else "("
    return _sign(node) + (opening if _is_grouped(node) else "")


def math_after(node: LexborNode) -> str:
    """Return the sign after an element of a formula; "" for other elements."""
    return ")" if (node.tag or "").startswith("m") and _is_grouped(node) else ""


def _is_grouped(node: LexborNode) -> bool:
    if node.tag in _ROOTS:
        return True
    is_part = node.parent is not None and node.parent.tag in SIGNS
    return is_part and node.tag not in _FEW and len(list(node.iter())) > 1


def _sign(node: LexborNode) -> str:
    signs = SIGNS.get(node.parent.tag or "", ()) if node.parent is not None else ()
    if not signs:
        return ""
    place, before = 0, node.prev
    while before is not None and place < len(signs):
        place += bool(before.is_element_node)
        before = before.prev
    return signs[min(place, len(signs) - 1)]
