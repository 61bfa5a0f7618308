"""E-mails and mailboxes: the main headers, the text, and the names of attached files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import errors, message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import cast
from urllib.parse import unquote

from rxchat.domain.documents import AttachedFile, BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import encodings, mail_flowed
from rxchat.parsers.attachments import Attachments
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.html import add_page
from rxchat.parsers.plain_text import printable

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_HEADER_CHARACTERS = 2_000
_DEEPEST = 5
_MAILBOX = ".mbox"
# RFC 4155: a line that begins with "From ", at the start or after an empty line.
_MESSAGE_START = re.compile(rb"(?:\A|\r?\n\r?\n)(From [^\r\n]{1,1000}\r?\n)(?=[!-9;-~]{1,100}:)")
# The date in this line; without one, the line is text of a message, unless the whole mailbox has no dates.
_DATED = re.compile(rb"\d:\d\d.*\d{4}|\d{4}.*\d:\d\d")
_QUOTED_FROM = re.compile(rb"^>(>*From )", re.MULTILINE)
_NOT_A_MESSAGE = "This file is damaged: its name ends in .eml, but it is not an e-mail."
_EMPTY_MAILBOX = "This mailbox contains no e-mail: export the messages as .eml files and upload them."
_ONLY_DELETED = (
    "All e-mails in this mailbox were deleted in Thunderbird: restore those that you need, and upload it again."
)
_MOZILLA_STATUS = "X-Mozilla-Status"
_MOZILLA_DELETED = 8
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{1,8}")
_ENCRYPTED = "This e-mail is encrypted: only its headers were read. Save it decrypted, or as a PDF, and upload that."
_DAMAGED = "This e-mail is damaged or incomplete: parts of its text and attachments may be missing."
_DAMAGES = (
    errors.CloseBoundaryNotFoundDefect, errors.StartBoundaryNotFoundDefect, errors.InvalidBase64CharactersDefect,
    errors.InvalidBase64LengthDefect, errors.MissingHeaderBodySeparatorDefect,
)  # fmt: skip
_PARTIAL = "message/partial"
_ONE_OF_SEVERAL = "This e-mail is one of several parts of a larger one: only this part was read."
_CONTENT_ID = re.compile(r"\bcid:([^\s\"'<>()]{1,1000})", re.IGNORECASE)
_ENCRYPTED_TYPES = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_TEXTS = frozenset({"text/plain", "text/html"})
_CALENDAR = "text/calendar"
# RFC 5545, 3.1: a long line is continued in the next one, after a space.
_FOLDED = re.compile(r"\n[ \t]")
# Each Chinese and Japanese character counts as a word, since lines end in the middle of words.
_WORD = re.compile(r"[\u3040-\u9fff\uf900-\ufaff]|[^\W\u3040-\u9fff\uf900-\ufaff]+")
_SHARED_WORDS = 0.7
_SIGNATURES = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})


@dataclass(frozen=True, slots=True)
class MailContent:
    """The text of a mail or mailbox, and its attached files."""

    document: ParsedDocument
    files: list[AttachedFile]


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return a message, or the messages of a mailbox, each below its subject."""
    return read(content, suffix).document


def read(content: bytes, suffix: str) -> MailContent:
    """Return the text, which names the attached files, and these files, which become documents."""
    builder = TextBuilder(len(content))
    attached = Attachments(builder)
    if suffix == _MAILBOX:
        _add_mailbox(builder, attached, content)
        return MailContent(builder.built(), attached.files)
    message = message_from_bytes(content, policy=policy.default)
    headers = _headers(message)
    if not headers:
        raise DocumentUnreadable(_NOT_A_MESSAGE)
    builder.title = headers.get("Subject", "")
    _MessageReader(builder, attached).add(message)
    return MailContent(builder.built(), attached.files)


def _add_mailbox(builder: TextBuilder, attached: Attachments, content: bytes) -> None:
    count = deleted = 0
    for source in _messages(content):
        message = message_from_bytes(_QUOTED_FROM.sub(rb"\1", source), policy=policy.default)
        if _is_deleted(message):
            deleted += 1
            continue
        builder.heading(_headers(message).get("Subject", "") or "(no subject)", 1)
        _MessageReader(builder, attached).add(message)
        count += 1
        if builder.is_full:
            break
    if not count:
        raise DocumentUnreadable(_ONLY_DELETED if deleted else _EMPTY_MAILBOX)
    if deleted:
        were = (
            "e-mail that was deleted in Thunderbird was"
            if deleted == 1
            else "e-mails that were deleted in Thunderbird were"
        )
        builder.note(f"{deleted:,} {were} left out.")


def _is_deleted(message: Message) -> bool:
    """Whether Thunderbird has marked a mail as deleted, which it removes when it compacts the folder."""
    status = str(message.get(_MOZILLA_STATUS) or "").strip()
    return _HEXADECIMAL.fullmatch(status) is not None and bool(int(status, 16) & _MOZILLA_DELETED)


def _messages(content: bytes) -> Iterator[bytes]:
    """Yield the messages of a mailbox, without the separator lines."""
    start = -1
    first = _MESSAGE_START.search(content)
    is_dated = first is not None and _DATED.search(first.group(1)) is not None
    for found in _MESSAGE_START.finditer(content):
        if is_dated and not _DATED.search(found.group(1)):
            continue
        if start >= 0:
            yield content[start : found.start()]
        start = found.end()
    if start >= 0:
        yield content[start:]


def _headers(message: Message) -> dict[str, str]:
    """Return the headers that mail programs display; raw bytes are decoded like text."""
    found: dict[str, str] = {}
    for name, raw in message.raw_items():
        title = next((it for it in _HEADERS if it.lower() == name.lower()), None)
        if title is None or title in found:
            continue
        value = str(raw)
        if not value.isascii():
            value = encodings.decode(value.encode("utf-8", "surrogateescape")).text
        parsed = one_line(str(policy.default.header_factory(title, value.replace("\r", " ").replace("\n", " "))))
        if parsed:
            found[title] = parsed[:_HEADER_CHARACTERS]
    return {name: found[name] for name in _HEADERS if name in found}


class _MessageReader:
    """Appends the parts of a message: texts in order, then attachments."""

    def __init__(self, builder: TextBuilder, attachments: Attachments, depth: int = 0) -> None:
        self._builder = builder
        self._attachments = attachments
        self._depth = depth
        self._attached: list[EmailMessage] = []
        self._shown: set[str] = set()
        """The content IDs of the images that the HTML text displays."""

    def add(self, message: Message) -> None:
        """Append a message with all of its parts."""
        headers = "\n".join(f"{name}: {value}" for name, value in _headers(message).items())
        self._builder.add(BlockKind.PARAGRAPH, headers)
        self._add_part(cast("EmailMessage", message))
        for part in self._attached:
            self._add_attachment(part)
        # Some defects are detected only when a part is decoded.
        if any(isinstance(defect, _DAMAGES) for part in message.walk() for defect in part.defects):
            self._builder.note(_DAMAGED)
        if message.get_content_type() == _PARTIAL:
            self._builder.note(_ONE_OF_SEVERAL)

    def _add_part(self, part: EmailMessage) -> None:
        kind = part.get_content_type()
        if kind in _ENCRYPTED_TYPES and "signed" not in str(part.get_param("smime-type") or ""):
            self._builder.note(_ENCRYPTED)
        elif kind == "multipart/alternative":
            self._add_alternative(part)
        elif part.is_multipart() and not kind.startswith("message/"):
            for child in part.iter_parts():
                self._add_part(cast("EmailMessage", child))
        elif kind.startswith("text/") and not _is_attachment(part):
            self._add_text(part)
        elif kind not in _SIGNATURES:
            self._attached.append(part)

    def _add_alternative(self, part: EmailMessage) -> None:
        """Append one alternative of a text, or several if one is incomplete: some senders leave the plain one empty."""
        forms = [cast("EmailMessage", form) for form in part.iter_parts()]
        taken = _needed(forms)
        for form in taken:
            self._add_part(form)
        for form in forms:
            if form in taken:
                continue
            for leaf in (cast("EmailMessage", leaf) for leaf in form.walk() if not leaf.is_multipart()):
                if leaf.get_content_type() == "text/html":
                    source = cast("bytes | None", leaf.get_payload(decode=True)) or b""
                    self._shown.update(map(unquote, _CONTENT_ID.findall(source.decode("latin-1"))))
                # Some programs attach files to one alternative.
                if _is_attachment(leaf) and leaf not in self._attached:
                    self._attached.append(leaf)
                elif leaf.get_content_type() == _CALENDAR:
                    # An invitation, often the only part with time and place.
                    self._add_text(leaf)

    def _add_text(self, part: EmailMessage) -> None:
        payload = cast("bytes | None", part.get_payload(decode=True)) or b""
        decoded = encodings.decode(payload, part.get_content_charset(""))
        for warning in decoded.warnings:
            self._builder.note(warning)
        plain = mail_flowed.unflowed(part, decoded.text) if mail_flowed.is_flowed(part) else decoded.text
        text = printable(self._builder, plain)
        if part.get_content_subtype() == "html":
            self._shown.update(map(unquote, _CONTENT_ID.findall(text)))
            add_page(self._builder, text)
            return
        text = text.replace("\r\n", "\n")
        if part.get_content_type() == _CALENDAR:
            text = _FOLDED.sub("", text)
        for paragraph in text.split("\n\n"):
            self._builder.add(BlockKind.PARAGRAPH, paragraph)

    def _add_attachment(self, part: EmailMessage) -> None:
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            inner = cast("list[Message]", part.get_payload())[0]
            if self._depth >= _DEEPEST:
                self._builder.note("A forwarded message in a forwarded message was not read: it is nested too deeply.")
                return
            self._builder.heading(f"Forwarded message: {_headers(inner).get('Subject', '')}".rstrip(": "), 2)
            _MessageReader(self._builder, self._attachments, self._depth + 1).add(inner)
            return
        name = one_line(part.get_filename() or "")
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            # Delivery reports consist of headers.
            payload = "\n".join(str(inner) for inner in part.get_payload()).encode("utf-8", "replace")
            name = name or "report.txt"
        content_id = str(part.get("Content-ID") or "").strip().strip("<>")
        is_inline = content_id in self._shown or (bool(content_id) and not _is_attachment(part))
        self._attachments.add(name, part.get_content_type(), payload, is_inline=is_inline)


def _needed(forms: list[EmailMessage]) -> list[EmailMessage]:
    """Return the alternatives with the complete text: the plain one, unless it lacks words of another one."""
    words = {id(form): _words(form) for form in forms if form.get_content_type() in _TEXTS or form.is_multipart()}
    readable = [form for form in forms if words.get(id(form))]
    if not readable:
        return [form for form in forms if form.get_content_maintype() == "text"][:1]
    plain = next((form for form in readable if form.get_content_type() == "text/plain"), readable[0])
    others = [form for form in readable if form is not plain]
    if not others:
        return [plain]
    # The sender prefers the last one (RFC 2046, 5.1.4).
    best = max(reversed(others), key=lambda form: len(words[id(form)]))
    shared = len(words[id(plain)] & words[id(best)])
    if shared >= _SHARED_WORDS * len(words[id(best)]):
        return [plain]
    return [best] if shared >= _SHARED_WORDS * len(words[id(plain)]) else [plain, best]


def _words(form: EmailMessage) -> set[str]:
    scratch = TextBuilder()
    for leaf in form.walk():
        if leaf.get_content_type() in _TEXTS and not _is_attachment(leaf):
            payload = cast("bytes | None", leaf.get_payload(decode=True)) or b""
            text = encodings.decode(payload, leaf.get_content_charset("")).text
            text = mail_flowed.unflowed(leaf, text) if mail_flowed.is_flowed(leaf) else text
            if leaf.get_content_subtype() == "html":
                add_page(scratch, text)
            else:
                scratch.add(BlockKind.PARAGRAPH, text)
    return set() if scratch.is_empty else set(_WORD.findall(scratch.built().text))


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())
