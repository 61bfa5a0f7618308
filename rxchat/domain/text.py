"""Text from users and models, sanitized for storage and display."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rxchat.domain.errors import InvalidInput
from rxchat.domain.invisible import without_invisible

MESSAGE_CHARACTERS = 100_000
ANSWER_CHARACTERS = 200_000
TITLE_CHARACTERS = 60
_NAMED_ATTACHMENTS = 10
"""How many attachments are named in place of a message without text."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
PAGES = frozenset(
    {
        "c",
        "archive",
        "history",
        "temporary",
        "prompts",
        "assistants",
        "documents",
        "account",
        "admin",
        "sign-in",
        "setup",
        "shared",
        "register",
        "join",
        "forgot",
        "reset",
        "confirm",
    }
)
"""The first path segments of all pages, except the home page."""
# Nothing that a browser, proxy or server would decode or remove: no percent sign, dot or semicolon.
_PAGE_PATH = re.compile(r"/(?:([A-Za-z0-9_-]+)(?:/[A-Za-z0-9_-]+)*/?)?")
_SURROGATES = re.compile("[\ud800-\udfff]")


def sanitize(text: str) -> str:
    """Return the text without characters that Postgres cannot store: NUL and lone surrogates become U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def encodable(text: str) -> str:
    """Return the text without lone surrogates, which JSON allows but no encoding does; they become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATES.sub("\ufffd", text)
    return text


def limited_text(text: str, longest: int, field: str) -> str:
    """Return a text of several lines that a user entered in a form's field, without surrounding space.

    Raises:
        InvalidInput: when it is too long.
    """
    text = sanitize(text.replace("\r\n", "\n")).strip()
    if len(text) > longest:
        raise InvalidInput(f"Use at most {longest:,} characters; this text has {len(text):,}.", field=field)
    return text


def clean_line(text: str) -> str:
    """Return a name, title or other short text as one line that Postgres can store.

    Invisible characters are removed: a name of them would be blank, and one that contains them could imitate another
    name. Characters that set the text direction are removed because they also affect adjacent text.
    """
    return " ".join(without_invisible(sanitize(text)).split())


def utf16_length(text: str) -> int:
    """Return the length of a text in UTF-16 code units, as in JavaScript."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def title_of(question: str) -> str:
    """Return a title for a conversation from its first question: the beginning, cut at a word."""
    line = clean_line(question).lstrip("#>*-` ")
    if len(line) <= TITLE_CHARACTERS:
        return line or "New conversation"
    cut = line[:TITLE_CHARACTERS]
    head, space, _ = cut.rpartition(" ")
    return (head if space and len(head) > TITLE_CHARACTERS // 2 else cut).rstrip(" ,;:.-") + "…"


def attachments_text(names: Sequence[str]) -> str:
    """Return the text of a message that has attachments with these names, and no text of its own."""
    more = f" and {len(names) - _NAMED_ATTACHMENTS} more" if len(names) > _NAMED_ATTACHMENTS else ""
    return f"Attached: {', '.join(names[:_NAMED_ATTACHMENTS])}{more}"


def clean_title(title: str) -> str:
    """Return a title that a user entered as one line of at most 200 characters ("" if blank)."""
    return clean_line(title)[:200]


def same_site_path(path: str) -> str:
    """Return a path if it is the address of a page of this site, otherwise "/".

    Other addresses perform an action or leave the site: paths below /api, files, other hosts. sameSitePath in
    ui/client/words.js implements the same rule; both pass the cases of tests/support/next_cases.json.
    """
    if len(path) > 1_000 or "\\" in path or not path.isprintable():
        return "/"
    found = _PAGE_PATH.fullmatch(re.split(r"[?#]", path, maxsplit=1)[0])
    return path if found and (found[1] is None or found[1] in PAGES) else "/"


def short_line(text: str, longest: int, sentence: str = "", field: str = "") -> str:
    """Return a text on one line, cut off at its limit; with a sentence, it must not be blank or too long.

    Raises:
        InvalidInput: with the sentence, for the field of this name.
    """
    line = clean_line(text)
    if sentence and (not line or len(line) > longest):
        raise InvalidInput(sentence, field=field)
    return line[:longest]
