"""Files inside a file, such as the attachments of an e-mail: their text below their name, or a warning that names them."""

from __future__ import annotations

import importlib
import mimetypes

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NothingButPixels
from rxchat.parsers import limits
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.formats import FormatKind, format_of

# It reads a file of the system, which the process may not do later; openpyxl asks it, too.
mimetypes.init()
_NAME_CHARACTERS = 80
_LEFT_ALONE = frozenset({FormatKind.MAIL, FormatKind.SCAN})


def add(builder: TextBuilder, name: str, media_type: str, content: bytes) -> None:
    """Append the text of an attached file below a heading; the document says what could not be read, and why."""
    shown = one_line(name or f"{media_type}, without a name")[:_NAME_CHARACTERS]
    try:
        document = _parsed(name or f"attachment{mimetypes.guess_extension(media_type) or ''}", media_type, content)
    except NothingButPixels:
        builder.note(f"The attachment “{shown}” was not read: it is a picture or a scan. Upload it by itself.")
        return
    except DocumentUnreadable as unreadable:
        builder.note(f"The attachment “{shown}” was not read: {unreadable.message}")
        return
    except Exception:  # noqa: BLE001 - parsers fail on damaged files in a hundred ways, and the message has to be read.
        builder.note(f"The attachment “{shown}” was not read: it is damaged.")
        return
    builder.heading(f"Attachment: {name or media_type}", 2)
    builder.append(document)
    for warning in document.notes:
        builder.note(f"In the attachment “{shown}”: {warning}")


def _parsed(name: str, media_type: str, content: bytes) -> ParsedDocument:
    """Return what a file says.

    Raises:
        DocumentUnreadable: when it cannot be read.
    """
    found = format_of(name, content[: limits.HEAD_BYTES], media_type)
    if found.kind in _LEFT_ALONE:
        raise DocumentUnreadable("Upload it by itself.")
    # Loaded only when needed: all parsers together take more than a second.
    return importlib.import_module(f"rxchat.parsers.{found.kind.value}").parse(content, found.suffix)
