"""Projects: folders of conversations with instructions, a model and collections, which projects in them inherit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.preferences import valid_model_name
from rxchat.domain.text import limited_text, short_line

NAME_CHARACTERS = 80
INSTRUCTIONS_CHARACTERS = 4_000
MOST_PROJECTS = 200
"""How many projects a user may have."""
MOST_DEPTH = 3
"""How deep projects are nested."""
MOST_COLLECTIONS = 20
_LEAD = "This conversation is part of a project. Follow the instructions of the project, too:"
_GONE = "This project does not exist: it was deleted, maybe in another tab."


@dataclass(frozen=True, slots=True)
class ProjectContent:
    """What a user enters for a project."""

    name: str
    parent_id: UUID | None = None
    """The project that it is in."""
    instructions: str = ""
    model: str = ""
    """The model of new conversations in it; "" for that of the project around it, or the user's default."""
    collection_ids: tuple[UUID, ...] = ()
    """What all conversations in it may draw on."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project of a user."""

    id: UUID
    content: ProjectContent
    count: int = 0
    """How many conversations are in it itself, without deleted ones."""


def valid_content(content: ProjectContent) -> ProjectContent:
    """Return what was entered, without surrounding space.

    Raises:
        InvalidInput: when the name is blank, or something is too long.
    """
    if len(content.collection_ids) > MOST_COLLECTIONS:
        raise InvalidInput(f"A project has at most {MOST_COLLECTIONS} collections.", field="collections")
    return ProjectContent(
        name=short_line(content.name, NAME_CHARACTERS, "Enter the name of the project.", "name"),
        parent_id=content.parent_id,
        instructions=limited_text(content.instructions, INSTRUCTIONS_CHARACTERS, "instructions"),
        model=valid_model_name(content.model),
        collection_ids=tuple(dict.fromkeys(content.collection_ids)),
    )


class ProjectTree:
    """A user's projects, and how they are nested."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self._by_id = {project.id: project for project in projects}
        self._children: dict[UUID | None, list[Project]] = {}
        for project in sorted(self._by_id.values(), key=lambda item: (item.content.name.lower(), item.id)):
            parent_id = project.content.parent_id
            self._children.setdefault(parent_id if parent_id in self._by_id else None, []).append(project)

    def __len__(self) -> int:
        """Return the number of projects."""
        return len(self._by_id)

    def get(self, project_id: UUID) -> Project:
        """Return a project.

        Raises:
            NotFound: when the user has none of this ID.
        """
        if project_id not in self._by_id:
            raise NotFound(_GONE)
        return self._by_id[project_id]

    def __contains__(self, project_id: object) -> bool:
        """Return whether the user has this project."""
        return project_id in self._by_id

    def ordered(self) -> list[tuple[Project, int]]:
        """Return all projects, each before those in it, by name; with their depths, from 0."""
        found: list[tuple[Project, int]] = []

        def add(parent_id: UUID | None, depth: int) -> None:
            for project in self._children.get(parent_id, []):
                found.append((project, depth))
                add(project.id, depth + 1)

        add(None, 0)
        return found

    def within(self, project_id: UUID) -> list[UUID]:
        """Return the IDs of a project and of all projects in it."""
        found = [project_id]
        for parent_id in found:
            found += [child.id for child in self._children.get(parent_id, [])]
        return found

    def around(self, project_id: UUID | None) -> list[Project]:
        """Return a project and those around it, the outermost last."""
        found: list[Project] = []
        project = self._by_id.get(project_id) if project_id else None
        while project is not None and len(found) < MOST_DEPTH:
            found.append(project)
            project = self._by_id.get(project.content.parent_id) if project.content.parent_id else None
        return found

    def model_of(self, project_id: UUID | None) -> str:
        """Return the model of new conversations in a project; "" if neither it nor one around it names one."""
        return next((project.content.model for project in self.around(project_id) if project.content.model), "")

    def require_place(self, project_id: UUID | None, parent_id: UUID | None) -> None:
        """Check that a project (None for a new one) may be in another.

        Raises:
            NotFound: when the other one does not exist.
            InvalidInput: when it would be in itself, or too deep.
        """
        if parent_id is None:
            return
        self.get(parent_id)
        inside = self.within(project_id) if project_id else []
        if parent_id in inside:
            raise InvalidInput("A project cannot be in itself, or in one of its own.", field="parent")
        height = max((len(self.around(found)) for found in inside), default=1)
        own = len(self.around(project_id)) - 1 if project_id else 0
        if len(self.around(parent_id)) + height - own > MOST_DEPTH:
            raise InvalidInput(f"Projects can be nested {MOST_DEPTH} deep at most.", field="parent")


def project_message(instructions: Sequence[str]) -> list[ChatMessage]:
    """Return the message that gives a model the instructions of projects, the outermost first; none if there are none."""
    given = [text for text in instructions if text]
    return [ChatMessage(Role.SYSTEM, "\n\n".join([_LEAD, *given]))] if given else []
