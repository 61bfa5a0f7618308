"""Text as people and models send it, made fit for storing and for showing."""

from __future__ import annotations

import re
from urllib.parse import unquote

MESSAGE_CHARACTERS = 100_000
ANSWER_CHARACTERS = 200_000
TITLE_CHARACTERS = 60

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NO_PAGES = {"api", "_event", "metrics", "healthz", "readyz"}
_SURROGATES = re.compile("[\ud800-\udfff]")
_DIRECTION_SIGNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def storable(text: str) -> str:
    """Return the text without what Postgres cannot hold: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def encodable(text: str) -> str:
    """Return the text without what no encoding holds: lone surrogates, which JSON can write, become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def clean_line(text: str) -> str:
    """Return a name, title or other short text as one line, without what Postgres cannot hold.

    Signs for the direction of writing are left out: they would turn what stands beside the text, too.
    """
    return " ".join(_DIRECTION_SIGNS.sub("", storable(text)).split())


def utf16_length(text: str) -> int:
    """Return how long the text is for JavaScript, which counts UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def title_of(question: str) -> str:
    """Return a title for a conversation that begins with this question: its start, cut at a word."""
    line = clean_line(question).lstrip("#>*-` ")
    if len(line) <= TITLE_CHARACTERS:
        return line or "New conversation"
    cut = line[:TITLE_CHARACTERS]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > TITLE_CHARACTERS // 2 else cut).rstrip(" ,;:.-") + "…"


def clean_title(title: str) -> str:
    """Return a title that a person typed as one line of at most 200 characters ("" when blank)."""
    return clean_line(title)[:200]


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
