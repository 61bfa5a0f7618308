"""Collections of documents: listing, creating and renaming them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.documents import documents as rows
from rxchat.db.documents.documents import CollectionFacts
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_allowed, require, require_scope
from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.documents import CollectionKind
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Action, Grant, Permission, Resource, ResourceKind, Scope
from rxchat.domain.text import clean_line, sanitize
from rxchat.services.access.shares import Shareable
from rxchat.services.documents import quotas
from rxchat.tables import Collection

NAME_CHARACTERS = 80
DESCRIPTION_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class ContextChoice:
    """A collection or a document that can be attached to a conversation."""

    id: UUID
    kind: ContextKind
    name: str
    within: str = ""
    """The collection that a document is in."""


class Collections:
    """Use cases for collections."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def readable(self, current_user: CurrentUser) -> list[CollectionFacts]:
        """Return the collections that the user may read, their own first."""
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.collections(session, current_user.user_id)
            grants = await role_rows.grants_on(session, ResourceKind.COLLECTION, [str(item.id) for item in found])
        return [item for item in found if _may_read(current_user, item.id, item.owner_id, grants)]

    async def search(self, current_user: CurrentUser, words: str, limit: int) -> list[ContextChoice]:
        """Return the readable collections, then documents, whose names contain the words."""
        require_scope(current_user, Scope.FILES)
        words = sanitize(words).strip()
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.search_by_name(session, words, limit)
        return [ContextChoice(*row) for row in found]

    async def create(self, current_user: CurrentUser, name: str, description: str = "") -> UUID:
        """Create a collection and return its id.

        Raises:
            NotAllowed: without the permission to create collections.
            InvalidInput: without a name, or when the user has the maximum number.
        """
        require(current_user, Permission.COLLECTIONS_CREATE)
        row = Collection(
            owner_id=current_user.user_id,
            id=new_id(),
            kind=CollectionKind.LIBRARY,
            name=_name(name),
            description=_line(description),
        )
        async with self._database.begin(current_user.user_id) as session:
            await quotas.check_collection(session, current_user.user_id)
            await rows.add_collection(session, row)
        return row.id

    async def rename(self, current_user: CurrentUser, collection_id: UUID, name: str, description: str = "") -> None:
        """Rename one of the user's collections.

        Raises:
            InvalidInput: without a name.
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            named, described = _name(name), _line(description)
            if not await rows.change_collection(session, current_user.user_id, collection_id, named, described):
                raise NotFound


async def require_owned(session: rows.AsyncSession, current_user: CurrentUser, collection_id: UUID) -> None:
    """Require that a collection is the user's own.

    Raises:
        NotFound: when it does not exist, is another user's, or contains a conversation's attachments.
    """
    found = await rows.owned_collection(session, current_user.user_id, collection_id)
    if found is None or found.kind is not CollectionKind.LIBRARY:
        raise NotFound


SHARED_COLLECTIONS = Shareable(
    ResourceKind.COLLECTION, Scope.FILES, require_owned, "collection_shared", "collection_unshared", has_writers=False
)


async def get_readable(session: rows.AsyncSession, current_user: CurrentUser, collection_id: UUID) -> CollectionFacts:
    """Return a collection that the user may read.

    Raises:
        NotFound: when it does not exist or the user may not read it.
    """
    found = await rows.collections(session, current_user.user_id, collection_id)
    facts = next((item for item in found if item.id == collection_id), None)
    grants = await role_rows.grants_on(session, ResourceKind.COLLECTION, [str(collection_id)])
    if facts is None or not _may_read(current_user, facts.id, facts.owner_id, grants):
        raise NotFound
    return facts


def _may_read(current_user: CurrentUser, collection_id: UUID, owner_id: UUID, grants: list[Grant]) -> bool:
    resource = Resource(ResourceKind.COLLECTION, str(collection_id), owner_id)
    return is_allowed(current_user, Action.READ, resource, grants)


def _name(name: str) -> str:
    name = _line(name)
    if not name or len(name) > NAME_CHARACTERS:
        raise InvalidInput(f"Enter a name for the collection of at most {NAME_CHARACTERS} characters.", field="name")
    return name


def _line(text: str) -> str:
    return clean_line(text)[:DESCRIPTION_CHARACTERS]
