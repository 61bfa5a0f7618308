"""The limits of all parsers."""

from __future__ import annotations

FILE_BYTES = 100_000_000
TEXT_CHARACTERS = 10_000_000
TEXT_RATIO = 30
"""Characters of text for each byte of a file; compressed text seldom exceeds 20."""
TEXT_RATIO_FREE_CHARACTERS = 200_000
"""Every file may have this many characters, which are less work than a long report."""
BLOCKS = 300_000
TITLE_CHARACTERS = 200
NOTES = 20
SENTENCE_CHARACTERS = 500

HEAD_BYTES = 4096
"""The length of a file's beginning that format detection reads."""

ARCHIVE_ENTRIES = 10_000
ARCHIVE_BYTES = 300_000_000
"""The unpacked size of all entries of a zip archive."""
ARCHIVE_RATIO = 200
"""The compression ratio of an entry of a zip archive; text seldom exceeds 20."""
ARCHIVE_RATIO_FREE_BYTES = 10_000_000
"""Entries with a smaller unpacked size may have any ratio, since empty sheets compress very well."""

TABLE_ROWS = 100_000
TABLE_COLUMNS = 256
CELL_CHARACTERS = 10_000
TABLE_BLOCK_CHARACTERS = 2_000
"""The approximate length of a block of rows, which can be understood alone, with its header."""
HEADER_CHARACTERS = 500

PDF_PAGES = 10_000

ATTACHED_FILES = 50
"""The most attachments of a mail or mailbox that become documents."""
ATTACHED_BYTES = 40_000_000
"""Their size in all."""

RECOGNISED_PAGES = 200
"""Each page takes about four seconds."""
PICTURE_PIXELS = 100_000_000

CPU_SECONDS = 60
MEMORY_BYTES = 1_500_000_000
RECOGNISING_CPU_SECONDS = 3_600
RECOGNISING_MEMORY_BYTES = 4_000_000_000
"""Address space; about 0.7 GB of it is used memory."""
OPEN_FILES = 48


def text_characters(source_bytes: int | None) -> int:
    """Return the most characters of text for a file of a size."""
    if source_bytes is None:
        return TEXT_CHARACTERS
    return min(TEXT_CHARACTERS, max(TEXT_RATIO_FREE_CHARACTERS, TEXT_RATIO * source_bytes))
