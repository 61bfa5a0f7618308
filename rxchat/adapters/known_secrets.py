"""Removes keys of providers from what providers say about errors, before it is logged or shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_HIDDEN = "•••"
_SHORTEST = 6
"""Shorter values of headers are words, which occur by chance."""
_SCHEMES = frozenset({"Bearer", "bearer", "Digest"})
"""Words before keys, which are no secrets."""
_known: Counter[str] = Counter()


def remember(values: Iterable[str]) -> None:
    """Hide these texts from now on, and each of their words: a server quotes the key of `Bearer KEY` alone."""
    _known.update(_parts(values))


def forget(values: Iterable[str]) -> None:
    """Undo one `remember` of the same texts."""
    _known.subtract(_parts(values))
    for value in [value for value, count in _known.items() if count <= 0]:
        del _known[value]


def _parts(values: Iterable[str]) -> list[str]:
    found = [part for value in values for part in {value, *value.split()}]
    return [part for part in found if len(part) >= _SHORTEST and part not in _SCHEMES]


def without_secrets(text: str) -> str:
    """Return a text in which no known secret is readable."""
    for value in sorted(_known, key=len, reverse=True):
        text = text.replace(value, _HIDDEN)
    return text
