"""What a document may cost: every limit of the parsers in one place."""

from __future__ import annotations

FILE_BYTES = 100_000_000
TEXT_CHARACTERS = 10_000_000
TEXT_RATIO = 30
"""How many characters a byte of a file may make; compressed text seldom makes more than 20."""
TEXT_RATIO_FREE_CHARACTERS = 200_000
"""Any file may make so many: less work than a long report, so nobody has to wait for it."""
BLOCKS = 300_000
TITLE_CHARACTERS = 200
NOTES = 20
SENTENCE_CHARACTERS = 500

HEAD_BYTES = 4096
"""How much of a file's beginning tells what it is."""

ARCHIVE_ENTRIES = 10_000
ARCHIVE_BYTES = 300_000_000
"""What all entries of a zip may be together when they are unpacked."""
ARCHIVE_RATIO = 200
"""How often smaller an entry of a zip may be than what it unpacks to; text seldom exceeds 20."""
ARCHIVE_RATIO_FREE_BYTES = 10_000_000
"""Entries that unpack to less than this may have any ratio: empty sheets compress very well."""

TABLE_ROWS = 100_000
TABLE_COLUMNS = 256
CELL_CHARACTERS = 10_000
TABLE_BLOCK_CHARACTERS = 2_000
"""About how long a block of rows is, so that it can be understood alone, with its header."""
HEADER_CHARACTERS = 500

PDF_PAGES = 10_000

ATTACHED_FILES = 50
"""So many files that are attached to a mail, or to the mails of a mailbox, are documents of their own."""
ATTACHED_BYTES = 40_000_000
"""What they may be together."""

RECOGNISED_PAGES = 200
"""Each takes some four seconds of work."""
PICTURE_PIXELS = 100_000_000

CPU_SECONDS = 60
MEMORY_BYTES = 1_500_000_000
RECOGNISING_CPU_SECONDS = 3_600
RECOGNISING_MEMORY_BYTES = 4_000_000_000
"""Of addresses; of memory it is about 0.7 GB."""
OPEN_FILES = 48


def text_characters(source_bytes: int | None) -> int:
    """Return how many characters of text a file of a size may make."""
    if source_bytes is None:
        return TEXT_CHARACTERS
    return min(TEXT_CHARACTERS, max(TEXT_RATIO_FREE_CHARACTERS, TEXT_RATIO * source_bytes))
