"""Text as people and models send it, made fit for storing and for showing."""

from __future__ import annotations

import re
from urllib.parse import unquote

MESSAGE_CHARACTERS = 100_000
ANSWER_CHARACTERS = 200_000
TITLE_CHARACTERS = 60

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WHITE_SPACE = re.compile(r"\s+")
_NO_PAGES = {"api", "_event", "metrics", "healthz", "readyz"}


def storable(text: str) -> str:
    """Return the text without what Postgres cannot hold: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def utf16_length(text: str) -> int:
    """Return how long the text is for JavaScript, which counts UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def title_of(question: str) -> str:
    """Return a title for a conversation that begins with this question: its start, cut at a word."""
    line = _WHITE_SPACE.sub(" ", storable(question)).strip().lstrip("#>*-` ")
    if len(line) <= TITLE_CHARACTERS:
        return line or "New conversation"
    cut = line[:TITLE_CHARACTERS]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > TITLE_CHARACTERS // 2 else cut).rstrip(" ,;:.-") + "…"


def clean_title(title: str) -> str:
    """Return a title that a person typed as one line of at most 200 characters ("" when blank)."""
    return _WHITE_SPACE.sub(" ", storable(title)).strip()[:200]


def same_site_path(path: str) -> str:
    """Return where to go next if it is a page of this site, else "/": no other host, scheme, or trick of a parser.

    Segments of dots are refused as well: a browser removes them, and "/.//host" becomes "//host". What lies below /api is no
    page: to be led there would be to act.
    """
    if not path.startswith("/") or len(path) > 1_000:
        return "/"
    if any(character == "\\" or not character.isprintable() for character in path):
        return "/"
    segments = re.split(r"[?#]", path, maxsplit=1)[0].split("/")
    is_moved = any(segment.lower().replace("%2e", ".") in {".", ".."} for segment in segments)
    is_page = unquote(segments[1]).strip().lower() not in _NO_PAGES
    return "/" if is_moved or "" in segments[1:-1] or not is_page else path
