"""What the sidebar shows of conversations, tags and projects."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rxchat.domain.conversations import ConversationSummary
from rxchat.domain.projects import Project, ProjectTree
from rxchat.domain.tags import Tag


@dataclass
class TagView:
    """A tag as the page shows it."""

    id: str
    name: str
    color: str
    count: int = 0
    """How many conversations have it."""


@dataclass
class ProjectView:
    """A project as a line of a list."""

    id: str
    name: str
    depth: int
    """How many projects it is in."""
    count: int
    """How many conversations are in it and in its own projects."""


@dataclass
class ConversationView:
    """A conversation as an item of the list."""

    id: str
    title: str
    tags: list[TagView] = field(default_factory=list)


@dataclass
class Group:
    """A group of conversations of about the same age."""

    label: str
    rows: list[ConversationView]
    is_continued: bool = False
    """Whether the group before it has the same label, which is then shown once."""


def tag_view(tag: Tag) -> TagView:
    """Return a tag as the page shows it."""
    return TagView(str(tag.id), tag.name, tag.color.value, tag.count)


def conversation_view(item: ConversationSummary, tags: dict[UUID, TagView]) -> ConversationView:
    """Return a conversation as an item of the list, with its tags in their order."""
    # In the order of the tags, which are sorted by name; without counts, which change more often than rows.
    shown = [replace(view, count=0) for tag_id, view in tags.items() if tag_id in item.tag_ids]
    return ConversationView(str(item.id), item.title, shown)


def grouped(conversations: list[ConversationSummary], now: datetime, tags: dict[UUID, TagView]) -> list[Group]:
    """Return the conversations under Today, Yesterday, Previous 7 days, and then by month."""
    groups: list[Group] = []
    for item in conversations:
        label = _age(item.updated_at.astimezone(UTC), now)
        if not groups or groups[-1].label != label:
            groups.append(Group(label, []))
        groups[-1].rows.append(conversation_view(item, tags))
    return groups


def _age(moment: datetime, now: datetime) -> str:
    if moment.date() >= now.date():
        return "Today"
    if moment.date() == now.date() - timedelta(days=1):
        return "Yesterday"
    if moment.date() > now.date() - timedelta(days=7):
        return "Previous 7 days"
    return moment.strftime("%B") if moment.year == now.year else moment.strftime("%B %Y")


def project_views(tree: ProjectTree) -> list[ProjectView]:
    """Return all projects, each before those in it."""
    counts = {project.id: project.count for project, _ in tree.ordered()}

    def count_in(project: Project) -> int:
        return sum(counts.get(found, 0) for found in tree.within(project.id))

    return [
        ProjectView(str(project.id), project.content.name, depth, count_in(project))
        for project, depth in tree.ordered()
    ]
