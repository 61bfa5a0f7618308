"""The page of documents: collections, their documents with progress, and sharing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import sees_details
from rxchat.domain.errors import DatabaseUnavailable, InvalidInput, NotFound
from rxchat.domain.ids import parse_id, require_id
from rxchat.services.app import container
from rxchat.states.documents.document_views import (
    NO_COLLECTION,
    CollectionView,
    DeletedDocumentView,
    DocumentView,
    ShareView,
    StepView,
    collection_view,
    document_view,
    matches,
    step_view,
)
from rxchat.states.platform.auth_guard import (
    ANY_LENGTH,
    current_path,
    current_user_of,
    record_denied_link,
    requires_user,
    requires_user_in_background,
)
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.library_page import GroupChoice
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

PAGE_SIZE = 100
"""How many documents the page shows at first, and more at each request."""
_MOST_AT_ONCE = 1_000
"""How many documents one action may be about."""
_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.25
"""Changes of many documents are collected for this long."""
_DOCUMENTS_A_SECOND = 2_000
"""Each change reads the whole collection."""
_AWAY_SECONDS = 2.0
_LONGEST_ID = 36


@dataclass(frozen=True)
class _Found:
    """The values of the page, read in one transaction."""

    collections: list[CollectionView]
    documents: list[DocumentView]
    steps: dict[str, StepView]
    shares: list[ShareView]
    deleted: list[DeletedDocumentView]


_guarded = partial(requires_user, refuse=show_problem)


class DocumentsState(DialogState, rx.State):
    """The user's collections, and the open one."""

    collections: list[CollectionView] = []
    selected_id: str = ""
    """The id in the address; not always that of a collection."""
    collection: CollectionView = NO_COLLECTION
    """The open collection; its id is "" if there is none with the id in the address."""
    documents: list[DocumentView] = []
    """The first documents that match the filter."""
    steps: dict[str, StepView] = {}
    """The progress of those that are not ready, by their ids: rows are redrawn one by one."""
    document_count: int = 0
    stored_count: int = 0
    """The documents that are uploaded completely."""
    matching_count: int = 0
    has_searchable: bool = False
    name_filter: str = ""
    look_filter: str = ""
    filters_cleared: int = 0
    """A counter, by which the fields of the filters are emptied."""
    shares: list[ShareView] = []
    deleted: list[DeletedDocumentView] = []
    """The deleted documents of the open collection, if it is the user's own."""
    removed: str = ""
    """The ids of documents that were just deleted and can be restored, for the toast."""
    groups: list[GroupChoice] = []
    embedder: str = ""
    """A sentence about the embedding model."""
    loaded: bool = False
    flash: str = ""
    """The text of the toast."""
    _all: list[DocumentView] = []
    _limit: int = PAGE_SIZE
    _times_shown: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the collections, and the one in the address."""
        named = str(self.router_data.get("query", {}).get("collection_id", ""))
        self._select(str(parse_id(named) or named[:_LONGEST_ID]))
        self.flash = self.removed = ""
        self._done()
        self._show(await _read(current_user, self.selected_id))
        if not self.collection.id:
            await record_denied_link(self, current_user, "DocumentsState.load", self.selected_id)
        self.embedder = await container.get_services().retrieval.search.embedder(current_user)
        self.groups = [
            GroupChoice(*item)
            for item in await container.get_services().documents.collection_shares.groups(current_user)
        ]
        self.loaded = True
        return DocumentsState.follow

    def _select(self, collection_id: str) -> None:
        if collection_id == self.selected_id:
            return
        self.selected_id, self.loaded, self.collection = collection_id, False, NO_COLLECTION
        self.documents, self.steps, self.shares, self.deleted, self._all = [], {}, [], [], []
        self.name_filter, self.look_filter, self._limit = "", "", PAGE_SIZE

    def _show(self, found: _Found) -> None:
        """Show the values; unchanged ones are not sent again."""
        self._all = found.documents
        self._times_shown += 1
        set_changed(self, collections=found.collections, shares=found.shares, deleted=found.deleted)
        set_changed(
            self, collection=next((item for item in found.collections if item.id == self.selected_id), NO_COLLECTION)
        )
        set_changed(
            self,
            document_count=len(self._all),
            stored_count=sum(item.state != "uploading" for item in self._all),
            has_searchable=any(item.is_found for item in self._all),
        )
        self._show_matching(found.steps)

    def _show_matching(self, steps: dict[str, StepView] | None = None) -> None:
        matching = [item for item in self._all if matches(item, self.name_filter, self.look_filter)]
        shown = matching[: self._limit]
        set_changed(self, matching_count=len(matching), documents=shown, steps=self.steps if steps is None else steps)

    async def _confirm(self, current_user: CurrentUser, flash: str, form: dict[str, Any] | None = None) -> None:
        """Show the result of an action, and confirm it."""
        self._show(await _read(current_user, self.selected_id))
        self.flash, self.removed = flash, ""
        self._done(form)

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the page up to date while it is open."""
        async with self:
            chosen, token = self.selected_id, self.router.session.client_token
        services = container.get_services()
        with (
            services.platform.document_feed.watching(current_user.user_id, parse_id(chosen)) as watch,
            tabs.on_disconnect(token, watch.notify),
        ):
            # A change before this watch began has notified no watch.
            watch.notify()
            while tabs.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if self.selected_id != chosen or not current_path(self).startswith("/documents"):
                        return
                if is_new and not await self._look_again(chosen):
                    watch.notify()
                    await asyncio.sleep(_AWAY_SECONDS)
                await asyncio.sleep(_BREATH_SECONDS + len(self._all) / _DOCUMENTS_A_SECOND)

    async def _look_again(self, chosen: str) -> bool:
        """Show changes; False if they have to be read again: the database does not respond, or an action was first."""
        try:
            # The session is checked each time: permissions may have changed.
            async with self:
                current_user, times_shown = await current_user_of(self), self._times_shown
            found = await _read(current_user, chosen)
        except DatabaseUnavailable:
            return False
        async with self:
            # An action of this tab may have changed what was read meanwhile, and has shown the result.
            if self.selected_id == chosen and self._times_shown != times_shown:
                return False
            if self.selected_id == chosen:
                self._show(found)
        return True

    @rx.event
    @_guarded
    async def filter_names(self, current_user: CurrentUser, words: str) -> None:
        """Show only the documents whose names contain these words."""
        del current_user
        self.name_filter, self._limit = words[:100], PAGE_SIZE
        self._show_matching()

    @rx.event
    @_guarded
    async def filter_looks(self, current_user: CurrentUser, look: str) -> None:
        """Show only the documents in this state; "" for all."""
        del current_user
        self.look_filter, self._limit = look[:20], PAGE_SIZE
        self._show_matching()

    @rx.event
    @_guarded
    async def clear_filters(self, current_user: CurrentUser) -> None:
        """Show all documents."""
        del current_user
        self.name_filter = self.look_filter = ""
        self.filters_cleared += 1
        self._show_matching()

    @rx.event
    @_guarded
    async def show_more(self, current_user: CurrentUser) -> None:
        """Show the next documents, too."""
        del current_user
        self._limit = min(self._limit, len(self._all)) + PAGE_SIZE
        self._show_matching()

    @rx.event
    @_guarded
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide the toast."""
        del current_user
        self.flash = self.removed = ""

    @rx.event
    @_guarded
    async def create(self, current_user: CurrentUser, form: dict) -> Any:
        """Create a collection, and open it."""
        created = await container.get_services().documents.collections.create(
            current_user, text_in(form, "name"), text_in(form, "description")
        )
        await self._confirm(current_user, "", form)
        return rx.redirect(f"/documents/{created}")

    @rx.event
    @_guarded
    async def rename(self, current_user: CurrentUser, form: dict) -> None:
        """Rename a collection."""
        await container.get_services().documents.collections.rename(
            current_user, _id(form), text_in(form, "name"), text_in(form, "description")
        )
        await self._confirm(current_user, "Saved.", form)

    @rx.event
    @_guarded
    async def remove_collection(self, current_user: CurrentUser, form: dict) -> Any:
        """Delete a collection with its documents."""
        name = next((item.name for item in self.collections if item.id == text_in(form, "id")), "")
        await container.get_services().documents.files.remove_collection(current_user, _id(form))
        await self._confirm(
            current_user, f"“{name}” was deleted, with all its documents." if name else "Deleted.", form
        )
        return rx.redirect("/documents")

    @rx.event
    @partial(_guarded, longest=ANY_LENGTH)
    async def remove_documents(self, current_user: CurrentUser, form: dict) -> None:
        """Delete documents (ids separated by commas), and offer to restore them."""
        chosen = _ids(text_in(form, "ids"))
        restorable = await container.get_services().documents.files.remove(current_user, chosen)
        await self._confirm(
            current_user,
            "The document was deleted." if len(chosen) == 1 else f"{len(chosen)} documents were deleted.",
            form,
        )
        self.removed = ",".join(map(str, restorable))

    @rx.event
    @partial(_guarded, longest=ANY_LENGTH)
    async def restore_documents(self, current_user: CurrentUser, ids: str) -> None:
        """Restore deleted documents (ids separated by commas)."""
        chosen = _ids(ids)
        await container.get_services().documents.trash.restore(current_user, chosen, client_info_of(self))
        await self._confirm(
            current_user,
            "The document was restored." if len(chosen) == 1 else f"{len(chosen)} documents were restored.",
        )

    @rx.event
    @_guarded
    async def delete_for_good(self, current_user: CurrentUser, form: dict) -> None:
        """Delete a document that is in the trash."""
        await container.get_services().documents.trash.delete_for_good(current_user, _id(form))
        await self._confirm(current_user, "The document was deleted permanently.", form)

    @rx.event
    @_guarded
    async def rename_document(self, current_user: CurrentUser, form: dict) -> None:
        """Rename a document."""
        await container.get_services().documents.documents.rename(current_user, _id(form), text_in(form, "name"))
        await self._confirm(current_user, "Saved.", form)

    @rx.event
    @_guarded
    async def read_again(self, current_user: CurrentUser, document_id: str) -> None:
        """Ingest a document again."""
        await container.get_services().documents.documents.reingest(
            current_user, require_id(document_id), client_info=client_info_of(self)
        )
        await self._confirm(current_user, "")

    @rx.event
    @_guarded
    async def share(self, current_user: CurrentUser, form: dict) -> None:
        """Share the open collection; the dialog stays open."""
        await container.get_services().documents.collection_shares.add(
            current_user,
            require_id(self.selected_id),
            text_in(form, "kind"),
            text_in(form, "principal"),
            client_info_of(self),
        )
        await self._confirm(current_user, "")

    @rx.event
    @_guarded
    async def unshare(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke a share of the collection; the dialog stays open."""
        await container.get_services().documents.collection_shares.remove(
            current_user, require_id(self.selected_id), _id(form), client_info_of(self)
        )
        await self._confirm(current_user, "")


async def _read(current_user: CurrentUser, chosen: str) -> _Found:
    """Return the collections, and the content of the chosen one."""
    services = container.get_services().documents
    collections = [collection_view(item, current_user) for item in await services.collections.readable(current_user)]
    collection_id = parse_id(chosen)
    if collection_id is None:
        return _Found(collections, [], {}, [], [])
    try:
        facts, found, cited = await services.documents.in_collection(current_user, collection_id)
        is_own = facts.owner_id == current_user.user_id
        shares = await services.collection_shares.of(current_user, collection_id) if is_own else []
        deleted = await services.trash.documents(current_user, collection_id) if is_own else []
    except NotFound:
        # Deleted or no longer shared: the page says so.
        return _Found([item for item in collections if item.id != chosen], [], {}, [], [])
    names = {item.id: item.name for item in found}
    steps = {str(item.id): step for item in found if (step := step_view(item))}
    return _Found(
        collections,
        [document_view(item, cited.get(item.id, 0), names, detailed=sees_details(current_user)) for item in found],
        steps,
        [ShareView(str(item.grant_id), item.principal_kind, item.name) for item in shares],
        [DeletedDocumentView(str(item.id), item.name, milliseconds(item.deleted_at)) for item in deleted],
    )


def _id(form: dict[str, Any]) -> UUID:
    return require_id(text_in(form, "id"))


def _ids(text: str) -> list[UUID]:
    """Return the different ids of a text, separated by commas.

    Raises:
        InvalidInput: when there are too many.
    """
    given = dict.fromkeys(item for item in text.split(",", _MOST_AT_ONCE + 1) if item)
    if len(given) > _MOST_AT_ONCE:
        raise InvalidInput(f"Choose at most {_MOST_AT_ONCE:,} documents at once.")
    return [require_id(item) for item in given]
