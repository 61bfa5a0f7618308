"""Files in a file, such as the attachments of a mail, and which of them can become documents."""

from __future__ import annotations

import mimetypes

from rxchat.domain.documents import AttachedFile, BlockKind
from rxchat.domain.errors import DocumentUnreadable, InvalidInput
from rxchat.domain.files import NAME_CHARACTERS, shortened_file_name
from rxchat.parsers import limits
from rxchat.parsers.builder import TextBuilder, one_line
from rxchat.parsers.formats import FormatKind, format_of

# It reads a system file, which the sandbox forbids later; openpyxl uses it, too.
mimetypes.init()
_NAME_CHARACTERS = 80
_IN_THE_TEXT = "it is a picture in the text."


class Attachments:
    """Collects the attachments of a mail; its text names each file, and notes list those left out."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._bytes = 0
        self.files: list[AttachedFile] = []

    def add(self, name: str, media_type: str, content: bytes, *, is_inline: bool = False) -> None:
        """Name a file in the mail's text, and keep it if it can be a document; `is_inline` if the mail displays it."""
        shown = one_line(name or f"{media_type}, without a name")[:_NAME_CHARACTERS]
        try:
            name, given = shortened_file_name(name), name
            if len(name) < len(given.strip()) >= NAME_CHARACTERS:
                self._builder.note(f"The name of the attachment “{shown}” was too long and is shortened.")
        except InvalidInput:
            name = f"attachment{mimetypes.guess_extension(media_type) or ''}"
        problem = self._problem(name, content, is_inline=is_inline)
        if problem != _IN_THE_TEXT:
            self._builder.add(BlockKind.PARAGRAPH, f"Attachment: {shown}")
        if problem:
            self._builder.note(f"The attachment “{shown}” was not read: {problem}")
            return
        self._bytes += len(content)
        self.files.append(AttachedFile(name, content))

    def _problem(self, name: str, content: bytes, *, is_inline: bool) -> str:
        """Return why a file is left out, or ""."""
        try:
            # By its name, as for an upload: the media type of the sender counts only for files without an extension.
            kind = format_of(name, content[: limits.HEAD_BYTES]).kind
        except DocumentUnreadable as unreadable:
            return unreadable.message
        if is_inline and kind is FormatKind.IMAGE:
            return _IN_THE_TEXT
        if not content:
            return "it is empty."
        if len(self.files) >= limits.ATTACHED_FILES:
            return f"only the first {limits.ATTACHED_FILES} files are."
        if self._bytes + len(content) > limits.ATTACHED_BYTES:
            return f"all files together are larger than {limits.ATTACHED_BYTES // 1_000_000} MB. Upload it by itself."
        return ""
