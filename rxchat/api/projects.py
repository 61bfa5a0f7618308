"""The user's projects, and the conversations in them, for API clients."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.domain.bulk_actions import MOST_AT_ONCE
from rxchat.domain.projects import MOST_COLLECTIONS, Project, ProjectContent

router = APIRouter(prefix="/api", tags=["projects"])


class ProjectIn(BaseModel):
    """A project to create, or what it is from now on."""

    name: str
    parent_id: UUID | None = None
    instructions: str = ""
    model: str = ""
    collection_ids: Annotated[list[UUID], Field(max_length=MOST_COLLECTIONS)] = []

    def content(self) -> ProjectContent:
        """Return it as the services know it."""
        return ProjectContent(self.name, self.parent_id, self.instructions, self.model, tuple(self.collection_ids))


class ProjectOut(ProjectIn):
    """A project, and how many conversations are in it itself."""

    id: UUID
    count: int

    @classmethod
    def of(cls, project: Project) -> ProjectOut:
        """Return a project as clients see it."""
        content = project.content
        return cls(
            id=project.id,
            name=content.name,
            parent_id=content.parent_id,
            instructions=content.instructions,
            model=content.model,
            collection_ids=list(content.collection_ids),
            count=project.count,
        )


class ProjectId(BaseModel):
    """The ID of a project."""

    id: UUID


class Moved(BaseModel):
    """Conversations, and the project that they are moved to; null takes them out of theirs."""

    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_AT_ONCE)]
    project_id: UUID | None


class Deleted(BaseModel):
    """How many conversations went to the trash with a project."""

    trashed: int


@router.get("/projects")
async def list_projects(current_user: SignedIn, services: ServicesDep) -> list[ProjectOut]:
    """List the user's projects, each before those in it."""
    tree = await services.chat.organizing.projects.of_user(current_user)
    return [ProjectOut.of(project) for project, _ in tree.ordered()]


@router.post("/projects", status_code=201)
async def create_project(wanted: ProjectIn, current_user: SignedIn, services: ServicesDep) -> ProjectId:
    """Create a project."""
    return ProjectId(id=await services.chat.organizing.projects.create(current_user, wanted.content()))


@router.put("/projects/{project_id}", status_code=204)
async def change_project(project_id: UUID, wanted: ProjectIn, current_user: SignedIn, services: ServicesDep) -> None:
    """Change a project to this."""
    await services.chat.organizing.projects.change(current_user, project_id, wanted.content())


@router.delete("/projects/{project_id}")
async def delete_project(
    project_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    *,
    with_conversations: Annotated[bool, Query()] = False,
) -> Deleted:
    """Delete a project with those in it; its conversations stay, or are moved to the trash."""
    projects = services.chat.organizing.projects
    return Deleted(trashed=await projects.delete(current_user, project_id, with_conversations=with_conversations))


@router.post("/conversations/move", status_code=204)
async def move_conversations(wanted: Moved, current_user: SignedIn, services: ServicesDep) -> None:
    """Move conversations into a project, or out of theirs: all of them, or none."""
    await services.chat.organizing.projects.move(current_user, wanted.ids, wanted.project_id)
