"""Assistants: named presets of a model, with instructions, parameters and collections, which users make and share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.domain.model_parameters import valid_parameters, valid_system_prompt
from rxchat.domain.preferences import valid_model_name
from rxchat.domain.text import clean_line, limited_text, short_line

NAME_CHARACTERS = 80
DESCRIPTION_CHARACTERS = 300
ICON_CHARACTERS = 8
"""One emoji has up to this many code points."""
STARTER_CHARACTERS = 200
MOST_STARTERS = 6
MOST_COLLECTIONS = 20
MOST_ASSISTANTS = 200
"""How many assistants a user may have, without deleted ones."""
MOST_VERSIONS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantContent:
    """What a version of an assistant says."""

    name: str
    description: str = ""
    icon: str = ""
    """An emoji or a letter; "" for the first letter of the name."""
    model: str = ""
    """The model of new conversations with it; "" for the user's own."""
    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    may_use_tools: bool = True
    """Whether its model may call tools, such as the search in documents."""
    collection_ids: tuple[UUID, ...] = ()
    """What its answers draw on, as far as the user who asks may read it."""
    starters: tuple[str, ...] = ()
    """Messages that the page of a new chat with it offers."""

    @property
    def sign(self) -> str:
        """Its icon, or the first letter of its name."""
        return self.icon or self.name[:1].upper()

    @property
    def data(self) -> dict[str, Any]:
        """The content as JSON values, as rows and events store it."""
        return {
            "name": self.name,
            "description": self.description,
            "icon": self.icon,
            "model": self.model,
            "system_prompt": self.system_prompt,
            "parameters": dict(self.parameters),
            "may_use_tools": self.may_use_tools,
            "collection_ids": [str(found) for found in self.collection_ids],
            "starters": list(self.starters),
        }

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> AssistantContent:
        """Return the content that `data` is."""
        ids = (parse_id(found) for found in data.get("collection_ids", ()))
        return cls(
            **{
                **data,
                "collection_ids": tuple(found for found in ids if found is not None),
                "starters": tuple(data.get("starters", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Assistant:
    """An assistant as it is now, and what the user who reads it may do with it."""

    owner_id: UUID
    id: UUID
    content: AssistantContent
    version: int
    updated_at: datetime
    may_write: bool = False
    is_shared: bool = False
    """Whether its owner, who looks at it, has shared it."""


@dataclass(frozen=True, slots=True)
class AssistantVersion:
    """A version of an assistant, which is kept."""

    version: int
    content: AssistantContent
    changed_at: datetime
    changed_by: str
    """The name of the user; "" if the account was deleted."""
    restored_from: int | None = None


@dataclass(frozen=True, slots=True)
class ChosenAssistant:
    """An assistant as a conversation has it: a version, which later changes leave as it is."""

    id: UUID
    version: int
    content: AssistantContent

    @property
    def data(self) -> dict[str, Any]:
        """The assistant as JSON values, as events store it."""
        return {"id": str(self.id), "version": self.version, "content": self.content.data}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> ChosenAssistant | None:
        """Return the assistant that `data` is; None for a conversation without one."""
        assistant_id = parse_id(data.get("id", ""))
        if assistant_id is None:
            return None
        return cls(assistant_id, int(data["version"]), AssistantContent.of(data["content"]))


@dataclass(frozen=True, slots=True)
class AssistantMark:
    """The assistant of a conversation, as its page shows it."""

    id: UUID
    name: str
    sign: str
    version: int
    newest: int
    """The newest version; 0 if it was deleted, or is no longer shared with the user."""

    @classmethod
    def of_new(cls, data: Mapping[str, Any]) -> AssistantMark | None:
        """Return the mark of a conversation that has just begun, from what it has."""
        found = ChosenAssistant.of(data)
        return cls.of(found, found.version) if found else None

    @classmethod
    def of(cls, found: ChosenAssistant, newest: int) -> AssistantMark:
        """Return the mark of an assistant whose newest version is this one."""
        return cls(found.id, found.content.name, found.content.sign, found.version, newest)


def valid_content(content: AssistantContent) -> AssistantContent:
    """Return the content of an assistant as it is stored.

    Raises:
        InvalidInput: for the field that is blank, too long or not allowed.
    """
    if len(content.collection_ids) > MOST_COLLECTIONS:
        raise InvalidInput(f"An assistant has at most {MOST_COLLECTIONS} collections.", field="collection_ids")
    icon = clean_line(content.icon)
    if len(icon) > ICON_CHARACTERS or " " in icon:
        raise InvalidInput("Enter one emoji or one letter.", field="icon")
    return AssistantContent(
        name=short_line(
            content.name, NAME_CHARACTERS, f"Enter a name of at most {NAME_CHARACTERS} characters.", field="name"
        ),
        description=limited_text(clean_line(content.description), DESCRIPTION_CHARACTERS, "description"),
        icon=icon,
        model=_model(content.model),
        system_prompt=valid_system_prompt(content.system_prompt),
        parameters=valid_parameters(content.parameters),
        may_use_tools=content.may_use_tools,
        collection_ids=tuple(dict.fromkeys(content.collection_ids)),
        starters=_starters(content.starters),
    )


def _model(name: str) -> str:
    try:
        return valid_model_name(name)
    except InvalidInput as error:
        raise InvalidInput(error.message, field="model") from error


def _starters(given: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(text for text in map(clean_line, given) if text))
    if len(found) > MOST_STARTERS or any(len(text) > STARTER_CHARACTERS for text in found):
        raise InvalidInput(
            f"Enter at most {MOST_STARTERS} conversation starters of {STARTER_CHARACTERS} characters.", field="starters"
        )
    return found
