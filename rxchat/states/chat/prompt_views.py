"""The values of the page of prompts, and of the list that `/` opens."""

from __future__ import annotations

from dataclasses import dataclass, field

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.prompt_variables import Piece, Variable, pieces
from rxchat.domain.prompts import PromptSummary, PromptVersion
from rxchat.services.access.shares import Share
from rxchat.services.chat.prompts import DeletedPrompt
from rxchat.states.platform.field_views import milliseconds

_PREVIEW_PIECES = 400


@dataclass
class PromptView:
    """A prompt as a line of the library."""

    id: str
    title: str
    command: str
    description: str
    version: int
    at: int
    """When it was changed last, in milliseconds since 1970."""
    is_own: bool
    is_shared: bool
    may_write: bool


@dataclass
class DeletedPromptView:
    """A deleted prompt that can be restored."""

    id: str
    title: str
    at: int


@dataclass
class VariableView:
    """A variable; `field` is the name of its field in the dialog."""

    field: str
    name: str
    default: str
    choices: list[str]
    is_required: bool


@dataclass
class PieceView:
    """A part of a text: words, or a variable's name."""

    text: str
    is_variable: bool


@dataclass
class VersionView:
    """A version of a prompt."""

    version: int
    title: str
    text: str
    by: str
    at: int
    restored_from: int


@dataclass
class PromptShareView:
    """A share of a prompt."""

    id: str
    kind: str
    name: str
    may_write: bool


@dataclass
class OpenedPrompt:
    """The prompt that a dialog is about; `dialog` is the number of the dialog that has asked for it."""

    dialog: str = ""
    id: str = ""
    title: str = ""
    command: str = ""
    text: str = ""
    description: str = ""
    version: int = 0
    is_own: bool = True
    may_write: bool = True
    variables: list[VariableView] = field(default_factory=list)
    versions: list[VersionView] = field(default_factory=list)
    shares: list[PromptShareView] = field(default_factory=list)


def prompt_view(item: PromptSummary, current_user: CurrentUser) -> PromptView:
    """Return the line of a prompt."""
    at = milliseconds(item.updated_at)
    is_own = item.owner_id == current_user.user_id
    return PromptView(
        str(item.id), item.title, item.command, item.description, item.version, at, is_own, item.is_shared, item.may_write
    )  # fmt: skip


def matches(item: PromptView, words: str) -> bool:
    """Whether a line contains the words."""
    return words.strip().lower() in f"{item.title}\n/{item.command}\n{item.description}".lower()


def deleted_view(item: DeletedPrompt) -> DeletedPromptView:
    """Return the line of a deleted prompt."""
    return DeletedPromptView(str(item.id), item.title, milliseconds(item.deleted_at))


def variable_views(variables: list[Variable]) -> list[VariableView]:
    """Return the fields for variables."""
    return [
        VariableView(f"value-{number}", item.name, item.default or "", list(item.choices), item.is_required)
        for number, item in enumerate(variables)
    ]


def piece_views(text: str) -> list[PieceView]:
    """Return the beginning of a text with its variables."""
    found = pieces(text)
    shown = found if len(found) <= _PREVIEW_PIECES else [*found[:_PREVIEW_PIECES], Piece("…")]
    return [PieceView(item.text, item.is_variable) for item in shown]


def version_view(item: PromptVersion) -> VersionView:
    """Return the line of a version."""
    at = milliseconds(item.changed_at)
    return VersionView(
        item.version, item.content.title, item.content.text, item.changed_by, at, item.restored_from or 0
    )


def share_view(item: Share) -> PromptShareView:
    """Return the line of a share."""
    return PromptShareView(str(item.grant_id), item.principal_kind, item.name, item.may_write)
