"""Notes on slides."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 30


def pictured_slides(numbers: Sequence[str]) -> str:
    """Return the note on slides that have images and no text."""
    slides = f"Slides {', '.join(numbers[:_MOST_NAMED])} show" if len(numbers) > 1 else f"Slide {numbers[0]} shows"
    return f"{slides} pictures and no text: text on pictures was not read."
