"""Collections of documents: what is in them, how far it has come, who may read it, and what the index makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from rxchat.db.access import audit_log
from rxchat.db.access import roles as role_rows
from rxchat.db.chat import conversation_sources as knowledge_rows
from rxchat.db.chat.conversation_sources import ShownSource
from rxchat.db.documents import documents as rows
from rxchat.db.documents.documents import CollectionFacts
from rxchat.db.platform import jobs
from rxchat.db.platform.database import Database
from rxchat.db.retrieval import search as index_rows
from rxchat.domain.accounts import Caller, Viewer
from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.files import Document, clean_file_name
from rxchat.domain.ids import new_id
from rxchat.domain.limits import RateLimit
from rxchat.domain.permissions import (
    Action,
    Grant,
    Permission,
    PrincipalKind,
    Resource,
    ResourceKind,
    Scope,
    is_allowed,
    may_share_with_group,
    require,
    require_scope,
)
from rxchat.domain.retrieval import Passage
from rxchat.domain.retrieval import SearchScope as Where
from rxchat.domain.text import clean_line, sanitize
from rxchat.domain.versions import VersionState
from rxchat.observability import correlation_id
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.documents import quotas
from rxchat.services.platform.change_feeds import AccessInvalidator
from rxchat.tables import CollectionRow

NAME_CHARACTERS = 80
DESCRIPTION_CHARACTERS = 300
_ADDRESSES = RateLimit(subject=20)
"""So many addresses can be shared with until there are pauses."""
TEXT_CHARACTERS = 200_000
"""How much of a document's text is shown at once."""


@dataclass(frozen=True, slots=True)
class Share:
    """Somebody who may read a collection."""

    grant_id: UUID
    principal_kind: str
    principal: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A collection or a document that can be attached to a conversation."""

    id: UUID
    kind: str
    name: str
    within: str = ""
    """The collection that a document is in."""


@dataclass(frozen=True, slots=True)
class Preview:
    """A document as it can be looked at: its text from somewhere on, and what it is."""

    document: Document
    title: str
    text: str
    start: int
    """Where this piece of the text begins."""
    characters: int
    """Of the whole text."""
    is_own: bool
    times_cited: int


class Library:
    """The use cases around collections and documents."""

    def __init__(self, database: Database, access: AccessInvalidator, limits: RateLimits) -> None:
        """Know where truth lives, who must hear when somebody loses access, and who counts attempts."""
        self._database = database
        self._access = access
        self._limits = limits

    async def collections(self, viewer: Viewer) -> list[CollectionFacts]:
        """Return the collections that the person may read, their own first."""
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            found = await rows.collections(session, viewer.user_id)
            grants = await role_rows.grants_on(session, ResourceKind.COLLECTION, [str(item.id) for item in found])
        return [item for item in found if _may_read(viewer, item.id, item.owner_id, grants)]

    async def pick(self, viewer: Viewer, words: str, limit: int) -> list[Choice]:
        """Return collections, and then documents, whose names hold these words; the person may read all of them."""
        require_scope(viewer, Scope.FILES)
        words = sanitize(words).strip()
        async with self._database.begin(viewer.user_id) as session:
            found = await rows.named_like(session, words, limit)
        return [Choice(*row) for row in found]

    async def create(self, viewer: Viewer, name: str, description: str = "") -> UUID:
        """Create a collection and return its id.

        Raises:
            NotAllowed: when the person may not create any.
            InvalidInput: without a name, or when the person has as many as one may have.
        """
        require(viewer, Permission.COLLECTIONS_CREATE)
        row = CollectionRow(
            owner_id=viewer.user_id, id=new_id(), kind="library", name=_name(name), description=_line(description)
        )
        async with self._database.begin(viewer.user_id) as session:
            await quotas.check_collection(session, viewer.user_id)
            await rows.add_collection(session, row)
        return row.id

    async def rename(self, viewer: Viewer, collection_id: UUID, name: str, description: str = "") -> None:
        """Change what a collection of the person's own is called.

        Raises:
            InvalidInput: without a name.
            NotFound: when it is unknown or someone else's.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            named, described = _name(name), _line(description)
            if not await rows.change_collection(session, viewer.user_id, collection_id, named, described):
                raise NotFound

    async def documents(
        self, viewer: Viewer, collection_id: UUID
    ) -> tuple[CollectionFacts, list[Document], dict[UUID, int]]:
        """Return a collection, its documents, the newest first, and in how many answers each is cited.

        Raises:
            NotFound: when it is unknown or may not be read.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            facts = await self._readable(session, viewer, collection_id)
            found = await rows.documents(session, collection_id)
            cited = await rows.times_cited(session, [item.id for item in found])
        return facts, found, cited

    async def document(self, viewer: Viewer, document_id: UUID, start: int = 0) -> Preview:
        """Return a document and a piece of its text.

        Raises:
            NotFound: when it is unknown or may not be read.
        """
        require_scope(viewer, Scope.FILES)
        start = max(0, start)
        async with self._database.begin(viewer.user_id) as session:
            found = await self._readable_document(session, viewer, document_id)
            piece = await rows.text_piece(session, document_id, start, TEXT_CHARACTERS)
            cited = await rows.times_cited(session, [document_id])
        return Preview(
            document=found,
            title=piece.title,
            text=piece.text,
            start=min(start, piece.characters),
            characters=piece.characters,
            is_own=found.owner_id == viewer.user_id,
            times_cited=cited.get(document_id, 0),
        )

    async def readable_document(self, viewer: Viewer, document_id: UUID) -> Document:
        """Return a document without its text.

        Raises:
            NotFound: when it is unknown or may not be read.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            return await self._readable_document(session, viewer, document_id)

    async def chunks(self, viewer: Viewer, document_id: UUID, first: int = 0, limit: int = 50) -> list[Passage]:
        """Return a document's chunks as the index sees them, from one on.

        Raises:
            NotFound: when it is unknown or may not be read.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            await self._readable_document(session, viewer, document_id)
            where = Where(documents=(document_id,))
            return await index_rows.passages(
                session, where, document_id=document_id, first=max(0, first), limit=min(limit, 200)
            )

    async def rename_document(self, viewer: Viewer, document_id: UUID, name: str) -> None:
        """Change what a document of the person's own is called.

        Raises:
            InvalidInput: without a name.
            NotFound: when it is unknown or someone else's.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            if not await rows.change_document(session, viewer.user_id, document_id, name=clean_file_name(name)):
                raise NotFound

    async def read_again(
        self,
        viewer: Viewer,
        document_id: UUID,
        reading: Reading | None = None,
        *,
        caller: Caller = Caller(),  # noqa: B008 - a frozen value
    ) -> None:
        """Re-ingest a document of the user's own, perhaps in another way; the current text stays searchable meanwhile.

        Raises:
            NotFound: when it is unknown or someone else's.
            Conflict: when it is on its way already, or is an earlier version.
            InvalidInput: when there is no such encoding or reader.
            TooManyAttempts: when it was done too often.
        """
        require_scope(viewer, Scope.FILES)
        if reading is not None and not reading.is_known:
            raise InvalidInput(
                "RxChat does not know this encoding or format: choose one of those on the document's page."
            )
        await self._limits.attempt_to_queue(viewer.user_id, caller)
        chosen = {"chosen_encoding": reading.encoding, "chosen_reader": reading.reader} if reading else {}
        async with self._database.begin(viewer.user_id) as session:
            found = await rows.owned_document(session, viewer.user_id, document_id, lock=True)
            if found is None:
                raise NotFound
            if found.version_state is VersionState.SUPERSEDED:
                raise Conflict("A newer version of this document is in use: restore this one to have it read again.")
            if not found.state.is_final:
                raise Conflict("This document is being read already.")
            await rows.change_document(
                session, viewer.user_id, document_id,
                state=DocumentState.STORED.value, error="", note="", note_detail="", remarks="", progress=0.0, generation=found.generation + 1,
                **chosen,
            )  # fmt: skip
            # Nobody waits for an answer from it: it has been read before.
            await jobs.queue_ingestion(session, viewer.user_id, document_id, is_urgent=False)

    async def shares(self, viewer: Viewer, collection_id: UUID) -> list[Share]:
        """Return with whom the person shares a collection of their own.

        Raises:
            NotFound: when it is unknown or someone else's.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            await self._own(session, viewer, collection_id)
            names = await rows.people_with_access(session, collection_id)
            grants = await role_rows.all_grants(session, ResourceKind.COLLECTION)
        return [
            Share(grant_id, grant.principal_kind.value, grant.principal, _called(grant, names))
            for grant_id, grant in grants
            if grant.resource == str(collection_id)
        ]

    async def share(self, viewer: Viewer, collection_id: UUID, kind: str, principal: str, caller: Caller) -> str:
        """Let a person (by their address), a group (by its id) or everyone read a collection; return what they are called.

        Raises:
            NotFound: when the collection is unknown or someone else's.
            InvalidInput: when there is nobody like that, or a group that is not the user's to share with.
            TooManyAttempts: when it was done too often.
        """
        require_scope(viewer, Scope.FILES)
        if kind == PrincipalKind.PERSON:
            # Else it is a directory of everybody who has an account here.
            await self._limits.attempt("share", caller, str(viewer.user_id), counts_alone=True, allowance=_ADDRESSES)
        await self._limits.attempt_to_share(viewer.user_id, caller)
        async with self._database.begin(viewer.user_id) as session:
            await self._own(session, viewer, collection_id)
            for_whom, name = await self._principal(session, viewer, kind, sanitize(principal).strip())
            if for_whom == str(viewer.user_id):
                raise InvalidInput("This collection is yours: you can read it already.")
            given = Grant(PrincipalKind(kind), for_whom, ResourceKind.COLLECTION, str(collection_id), Action.READ)
            await role_rows.add_grant(session, new_id(), given, viewer.user_id)
            await audit_log.append(
                session, viewer.user_id, "collection_shared", caller.address, correlation_id(),
                collection=str(collection_id), principal=f"{kind} {for_whom}",
            )  # fmt: skip
        self._access.changed(None)
        return name

    async def _principal(
        self, session: rows.AsyncSession, viewer: Viewer, kind: str, principal: str
    ) -> tuple[str, str]:
        """Return for whom a grant is, and what they are called."""
        if kind == PrincipalKind.EVERYONE:
            return "*", "Everyone"
        if kind == PrincipalKind.GROUP:
            groups = {str(group_id): name for group_id, name in await _groups(session, viewer)}
            if principal not in groups:
                raise InvalidInput("There is no such group, or you are not a member of it. Choose one of your groups.")
            return principal, groups[principal]
        if kind != PrincipalKind.PERSON:
            raise InvalidInput("Please choose a person, a group or everyone.")
        person = await rows.person_of_address(session, principal)
        if person is None:
            raise InvalidInput(f"Nobody here has the address {principal[:200]}: look whether it is written correctly.")
        # By the address that was typed: what the person is called is not for everybody who guesses it.
        return str(person[0]), principal

    async def unshare(self, viewer: Viewer, collection_id: UUID, grant_id: UUID, caller: Caller) -> None:
        """Take somebody's access to a collection back; open tabs of theirs hear of it at once.

        Raises:
            NotFound: when there is no such share of the person's own.
        """
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            await self._own(session, viewer, collection_id)
            given = await role_rows.grant(session, grant_id)
            if given is None or given.resource != str(collection_id):
                raise NotFound
            await role_rows.remove_grant(session, grant_id)
            await audit_log.append(
                session, viewer.user_id, "collection_unshared", caller.address, correlation_id(),
                collection=str(collection_id), principal=f"{given.principal_kind} {given.principal}",
            )  # fmt: skip
        self._access.changed(None)

    async def groups(self, viewer: Viewer) -> list[tuple[str, str]]:
        """Return the groups that the user can share collections with: id and name."""
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            return [(str(group_id), name) for group_id, name in await _groups(session, viewer)]

    async def sources(
        self, viewer: Viewer, owner_id: UUID, conversation_id: UUID, message_id: UUID
    ) -> list[ShownSource]:
        """Return what an answer's model was shown, as the person may see it now; the conversation's reader is known."""
        require_scope(viewer, Scope.FILES)
        async with self._database.begin(viewer.user_id) as session:
            return await knowledge_rows.shown_sources(session, viewer.user_id, owner_id, conversation_id, message_id)

    async def _own(self, session: rows.AsyncSession, viewer: Viewer, collection_id: UUID) -> None:
        found = await rows.owned_collection(session, viewer.user_id, collection_id)
        if found is None or found.kind != "library":
            raise NotFound

    async def _readable(self, session: rows.AsyncSession, viewer: Viewer, collection_id: UUID) -> CollectionFacts:
        found = await rows.collections(session, viewer.user_id, collection_id)
        facts = next((item for item in found if item.id == collection_id), None)
        grants = await role_rows.grants_on(session, ResourceKind.COLLECTION, [str(collection_id)])
        if facts is None or not _may_read(viewer, facts.id, facts.owner_id, grants):
            raise NotFound
        return facts

    async def _readable_document(self, session: rows.AsyncSession, viewer: Viewer, document_id: UUID) -> Document:
        found = await rows.document(session, document_id)
        if found is None:
            raise NotFound
        await self._readable(session, viewer, found.collection_id)
        return found


async def _groups(session: rows.AsyncSession, viewer: Viewer) -> list[tuple[UUID, str]]:
    """Return the groups that the user may share with."""
    found = await role_rows.groups(session)
    return [(row.id, row.name) for row, _ in found if may_share_with_group(viewer, str(row.id))]


def _may_read(viewer: Viewer, collection_id: UUID, owner_id: UUID, grants: list[Grant]) -> bool:
    resource = Resource(ResourceKind.COLLECTION, str(collection_id), owner_id)
    return is_allowed(viewer, Action.READ, resource, grants)


def _name(name: str) -> str:
    name = _line(name)
    if not name or len(name) > NAME_CHARACTERS:
        raise InvalidInput(f"Please give the collection a name of at most {NAME_CHARACTERS} characters.")
    return name


def _line(text: str) -> str:
    return clean_line(text)[:DESCRIPTION_CHARACTERS]


def _called(grant: Grant, names: dict[str, str]) -> str:
    return "Everyone" if grant.principal_kind is PrincipalKind.EVERYONE else names.get(grant.principal, grant.principal)
