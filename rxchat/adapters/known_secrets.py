"""Removes keys of providers from what providers say about errors, before it is logged or shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_HIDDEN = "•••"
_SHORTEST = 6
"""Shorter values of headers are words, which occur by chance."""
_known: Counter[str] = Counter()


def remember(values: Iterable[str]) -> None:
    """Hide these texts from now on."""
    _known.update(value for value in values if len(value) >= _SHORTEST)


def forget(values: Iterable[str]) -> None:
    """Undo one `remember` of the same texts."""
    _known.subtract(value for value in values if len(value) >= _SHORTEST)
    for value in [value for value, count in _known.items() if count <= 0]:
        del _known[value]


def without_secrets(text: str) -> str:
    """Return a text in which no known secret is readable."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, _HIDDEN)
    return text
