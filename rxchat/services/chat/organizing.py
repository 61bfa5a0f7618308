"""How users organize their conversations."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.db.platform.database import Database
from rxchat.services.chat.bulk_actions import BulkActions
from rxchat.services.chat.conversation_reads import ConversationReads
from rxchat.services.chat.drafts import Drafts
from rxchat.services.chat.projects import Projects
from rxchat.services.chat.sidebar import SidebarLists
from rxchat.services.chat.tags import Tags


@dataclass(frozen=True, slots=True)
class Organizing:
    """The services for it."""

    bulk_actions: BulkActions
    drafts: Drafts
    projects: Projects
    reads: ConversationReads
    sidebar: SidebarLists
    tags: Tags

    @classmethod
    def of(cls, database: Database) -> Organizing:
        """Build them."""
        return cls(
            bulk_actions=BulkActions(database),
            drafts=Drafts(database),
            projects=Projects(database),
            reads=ConversationReads(database),
            sidebar=SidebarLists(database),
            tags=Tags(database),
        )
