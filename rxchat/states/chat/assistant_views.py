"""The values of the page of assistants."""

from __future__ import annotations

from dataclasses import dataclass, field

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.assistants import Assistant, AssistantContent, AssistantVersion
from rxchat.domain.model_parameters import Configuration, words_of
from rxchat.services.chat.assistants import DeletedAssistant
from rxchat.states.chat.prompt_views import PromptShareView
from rxchat.states.platform.configuration_forms import ConfigurationForm, form_of
from rxchat.states.platform.field_views import milliseconds


@dataclass
class AssistantView:
    """An assistant as a line of the list."""

    id: str
    name: str
    sign: str
    description: str
    model: str
    version: int
    at: int
    """When it was changed last, in milliseconds since 1970."""
    is_own: bool
    is_shared: bool
    may_write: bool


@dataclass
class DeletedAssistantView:
    """A deleted assistant that can be restored."""

    id: str
    name: str
    at: int


@dataclass
class AssistantVersionView:
    """A version of an assistant."""

    version: int
    name: str
    facts: list[str]
    system_prompt: str
    by: str
    at: int
    restored_from: int


@dataclass
class OpenedAssistant:
    """The assistant that a dialog is about; `dialog` is the number of the dialog that has asked for it."""

    dialog: str = ""
    id: str = ""
    name: str = ""
    icon: str = ""
    description: str = ""
    model: str = ""
    form: ConfigurationForm = field(default_factory=ConfigurationForm)
    may_use_tools: bool = True
    collections: list[str] = field(default_factory=list)
    starters: str = ""
    facts: list[str] = field(default_factory=list)
    version: int = 0
    may_write: bool = True
    versions: list[AssistantVersionView] = field(default_factory=list)
    shares: list[PromptShareView] = field(default_factory=list)


def assistant_view(item: Assistant, current_user: CurrentUser) -> AssistantView:
    """Return the line of an assistant."""
    said = item.content
    return AssistantView(
        str(item.id), said.name, said.sign, said.description, said.model, item.version, milliseconds(item.updated_at),
        item.owner_id == current_user.user_id, item.is_shared, item.may_write,
    )  # fmt: skip


def opened_view(item: Assistant, dialog: str) -> OpenedAssistant:
    """Return an assistant as a dialog shows it."""
    said = item.content
    return OpenedAssistant(
        dialog=dialog,
        id=str(item.id),
        name=said.name,
        icon=said.icon,
        description=said.description,
        model=said.model,
        form=form_of(Configuration(said.system_prompt, said.parameters)),
        may_use_tools=said.may_use_tools,
        collections=[str(found) for found in said.collection_ids],
        starters="\n".join(said.starters),
        facts=facts_of(said),
        version=item.version,
        may_write=item.may_write,
    )


def facts_of(said: AssistantContent) -> list[str]:
    """Return what an assistant is, in short sentences."""
    count = len(said.collection_ids)
    collections = f"{count} collection{'s' if count != 1 else ''}" if count else ""
    tools = "" if said.may_use_tools else "No tools"
    starters = f"Starters: {' · '.join(said.starters)}" if said.starters else ""
    model = f"Model: {said.model}" if said.model else "The model that the user chooses"
    return [part for part in (model, words_of(said.parameters), collections, tools, starters) if part]


def matches(item: AssistantView, words: str, shown: str) -> bool:
    """Whether a line contains the words, and is one of those that are shown: all, mine or others'."""
    is_shown = shown == "all" or (shown == "mine") == item.is_own
    return is_shown and words.strip().lower() in f"{item.name}\n{item.description}\n{item.model}".lower()


def deleted_view(item: DeletedAssistant) -> DeletedAssistantView:
    """Return the line of a deleted assistant."""
    return DeletedAssistantView(str(item.id), item.name, milliseconds(item.deleted_at))


def version_view(item: AssistantVersion) -> AssistantVersionView:
    """Return the line of a version."""
    said = item.content
    return AssistantVersionView(
        item.version, said.name, facts_of(said), said.system_prompt, item.changed_by, milliseconds(item.changed_at),
        item.restored_from or 0,
    )  # fmt: skip
