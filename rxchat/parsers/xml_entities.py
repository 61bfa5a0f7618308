"""Resolves entities that an XHTML page declares itself, without external ones and nested ones."""

from __future__ import annotations

import re

_SUBSET = re.compile(r"<!DOCTYPE[^<>\[\]]{0,1000}(\[[^\]]{0,100000}\]\s{0,100})>", re.IGNORECASE)
_ENTITY = re.compile(
    r"""<!ENTITY\s{1,20}([A-Za-z][\w.-]{0,99})\s{1,20}(?:"([^"]{0,1000})"|'([^']{0,1000})')\s{0,20}>"""
)
_REFERENCE = re.compile(r"&([A-Za-z][\w.-]{0,99});")
_WITHIN = 10_000
_MOST_ADDED = 1_000_000


def resolved(source: str) -> str:
    """Remove a page's entity declarations, and replace its entities by their values."""
    subset = _SUBSET.search(source[: _WITHIN + 100_000])
    if subset is None or subset.start() > _WITHIN:
        return source
    values = {name: double or single for name, double, single in _ENTITY.findall(subset.group(1))}
    left = _MOST_ADDED

    def value_of(reference: re.Match[str]) -> str:
        nonlocal left
        value = values.get(reference.group(1))
        if value is None or len(value) > left:
            return reference.group()
        left -= len(value)
        return value

    head, rest = source[: subset.start(1)] + ">", source[subset.end() :]
    return head + (_REFERENCE.sub(value_of, rest) if values else rest)
