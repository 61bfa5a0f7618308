"""The limits of imported files and conversations."""

from __future__ import annotations

FILE_BYTES = 200_000_000
"""A file of this size or more is refused."""
UNPACKED_BYTES = 400_000_000
"""The unpacked size of the conversations in a ZIP file."""
ENTRIES = 200_000
"""The most entries of a ZIP file; pictures are entries, too."""
RATIO = 200
"""The compression ratio of an entry; text seldom exceeds 20."""
RATIO_FREE_BYTES = 10_000_000
"""Entries with a smaller unpacked size may have any ratio."""
CONVERSATIONS = 50_000
"""The most conversations of one import."""
CONVERSATION_BYTES = 50_000_000
"""The size of a conversation's JSON."""
DEPTH = 3_000
"""How deep JSON may be nested; in some exports of LibreChat, each message is inside of the one before it."""
PARSER_DEPTH = 6_000
"""The limit of Python's parser, in the process that reads exports."""
MESSAGES = 20_000
"""The most messages of a conversation, in all branches."""
TEXT_CHARACTERS = 1_000_000
"""The most characters of a message."""
CONVERSATION_CHARACTERS = 10_000_000
"""The most characters of all messages of a conversation."""
