"""E-mails as files: who wrote to whom, when, about what, and the text; attachments are named and left shut."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.html import add_page
from rxchat.parsers.plain_text import decoded

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_HEADER_CHARACTERS = 2_000
_NAMED_ATTACHMENTS = 15


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the message: its plain text, or its web page where there is no plain text."""
    del suffix
    message = cast("EmailMessage", message_from_bytes(content, policy=policy.default))
    headers = [(name, one_line(str(message[name]))[:_HEADER_CHARACTERS]) for name in _HEADERS if message[name]]
    if not headers:
        raise DocumentUnreadable("This file is damaged: it is called .eml, but it is not an e-mail.")
    builder = TextBuilder()
    builder.title = dict(headers).get("Subject", "")
    builder.add(BlockKind.PARAGRAPH, "\n".join(f"{name}: {value}" for name, value in headers))
    body = message.get_body(("plain", "html"))
    if body is not None:
        _add_body(builder, cast("EmailMessage", body))
    _note_attachments(builder, message)
    return builder.built()


def _add_body(builder: TextBuilder, body: EmailMessage) -> None:
    text = _text(body)
    if body.get_content_subtype() == "html":
        add_page(builder, text)
        return
    for paragraph in text.replace("\r\n", "\n").split("\n\n"):
        builder.add(BlockKind.PARAGRAPH, paragraph)


def _text(body: EmailMessage) -> str:
    """Return the text of a part, in the encoding that it names or, when that is wrong, in the likeliest."""
    payload = cast("bytes | None", body.get_payload(decode=True)) or b""
    try:
        return payload.decode(body.get_content_charset("utf-8"))
    except (LookupError, UnicodeDecodeError):
        return decoded(payload)


def _note_attachments(builder: TextBuilder, message: EmailMessage) -> None:
    names = [one_line(part.get_filename() or part.get_content_type())[:80] for part in message.iter_attachments()]
    for name in names[:_NAMED_ATTACHMENTS]:
        builder.note(f"The attachment “{name}” was not read: upload it by itself.")
    if len(names) > _NAMED_ATTACHMENTS:
        builder.note(f"{len(names) - _NAMED_ATTACHMENTS} more attachments were not read.")
