"""Prompts: texts of a user's library, which `/` in the composer inserts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rxchat.domain.errors import InvalidInput
from rxchat.domain.prompt_variables import require_valid
from rxchat.domain.text import clean_line, sanitize, short_line

TEXT_CHARACTERS = 20_000
TITLE_CHARACTERS = 100
COMMAND_CHARACTERS = 40
DESCRIPTION_CHARACTERS = 300
MOST_PROMPTS = 500
"""How many prompts a user may have, without deleted ones."""
MOST_VERSIONS = 1_000
MOST_BYTES = 50_000_000
"""How much text a user's prompts may have, with all versions and deleted prompts."""
_BLANK = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True)
class PromptContent:
    """What a version of a prompt says."""

    title: str
    command: str
    """The word after `/`, unique among its owner's prompts."""
    text: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class PromptSummary:
    """A line of the library."""

    owner_id: UUID
    id: UUID
    title: str
    command: str
    description: str
    version: int
    updated_at: datetime
    is_shared: bool = False
    """Whether its owner, who looks at it, has shared it."""
    may_write: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as it is now, and what the user who reads it may do with it."""

    owner_id: UUID
    id: UUID
    content: PromptContent
    version: int
    updated_at: datetime
    may_write: bool


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """A version of a prompt, which is kept."""

    version: int
    content: PromptContent
    changed_at: datetime
    changed_by: str
    """The name of the user; "" if the account was deleted."""
    restored_from: int | None = None


def command_of(words: str) -> str:
    """Return the command that words make: small letters and digits with "-" between them; "" if they have none."""
    kept = (
        character if unicodedata.category(character)[0] in "LMN" else "-" if _BLANK.fullmatch(character) else ""
        for character in unicodedata.normalize("NFC", clean_line(words)).lower()
    )
    return re.sub("-+", "-", "".join(kept)).strip("-")[:COMMAND_CHARACTERS].rstrip("-")


def valid_content(*, title: str, command: str, text: str, description: str) -> PromptContent:
    """Return the content of a prompt as it is stored. Without a command it has the one that its title makes.

    Raises:
        InvalidInput: for the field that is blank, too long or not allowed.
    """
    named = short_line(
        title, TITLE_CHARACTERS, f"Enter a title of at most {TITLE_CHARACTERS} characters.", field="title"
    )
    text = sanitize(text).strip()
    if not text:
        raise InvalidInput("Enter the text of the prompt.", field="text")
    if len(text) > TEXT_CHARACTERS:
        raise InvalidInput(
            f"The text has {len(text):,} characters; the maximum is {TEXT_CHARACTERS:,}. Shorten it.", field="text"
        )
    require_valid(text)
    description = clean_line(description)
    if len(description) > DESCRIPTION_CHARACTERS:
        raise InvalidInput(f"Use at most {DESCRIPTION_CHARACTERS} characters.", field="description")
    return PromptContent(named, _command(command, named), text, description)


def _command(command: str, title: str) -> str:
    given = unicodedata.normalize("NFC", clean_line(command)).removeprefix("/").lower()
    wanted = given or command_of(title)
    if not wanted or len(wanted) > COMMAND_CHARACTERS or wanted != command_of(wanted):
        raise InvalidInput(
            f"Enter one word of at most {COMMAND_CHARACTERS} letters, digits and hyphens, for example “summarize”.",
            field="command",
        )
    return wanted


def numbered(command: str, number: int) -> str:
    """Return a command with a number, for a copy."""
    end = f"-{number}"
    return command[: COMMAND_CHARACTERS - len(end)].rstrip("-") + end
