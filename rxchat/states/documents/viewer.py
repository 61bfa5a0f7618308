"""The document viewer: one document, open at a passage."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import DatabaseUnavailable, NotFound
from rxchat.domain.ids import require_id
from rxchat.domain.passages import LONGEST_QUOTE, PassageRef, Span
from rxchat.services.app import container
from rxchat.services.documents.documents import Preview
from rxchat.services.documents.versions import History
from rxchat.states.documents.viewed_document import (
    ChunkView,
    VersionNotice,
    VersionView,
    ViewedDocument,
    chunk_view,
    version_notice,
    version_views,
    viewed_document,
)
from rxchat.states.platform.auth_guard import (
    current_user_of,
    record_denied_link,
    requires_user,
    requires_user_in_background,
)
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

_LEAD = 5_000
"""So much text is shown before a passage."""
_PIECE = 60_000
"""So much text is sent at once."""
_MOST_SHOWN = 240_000
_CHUNKS = 50
_LARGEST = 100_000_000
_MOST_DIGITS = 15
_LONGEST_KEY = 4_000
_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.5
_AWAY_SECONDS = 2.0
_CHANGED = "This document has changed and no longer contains this passage."
_PICTURE = "This is a picture, so the passage cannot be highlighted."

_guarded = partial(requires_user, refuse=show_problem)


class ViewerState(DialogState, rx.State):
    """The open document."""

    opened: str = ""
    """The key of what is open, which the page has chosen: it asks again when this is another one."""
    is_missing: bool = False
    document: ViewedDocument = ViewedDocument()
    text_before: str = ""
    text_marked: str = ""
    text_after: str = ""
    has_earlier: bool = False
    has_more: bool = False
    page: int = 0
    """The page of a PDF to open at; 0 if it has to be searched for."""
    near_page: int = 0
    wanted: str = ""
    """The passage's text, to be marked in a PDF."""
    note: str = ""
    """Why the passage is not marked."""
    quote: str = ""
    chunks: list[ChunkView] = []
    chunks_of: str = ""
    """The key of what they were loaded for, which the page has chosen: it asks again when this is another one."""
    first_chunk: int = 0
    has_more_chunks: bool = False
    versions: list[VersionView] = []
    notice: VersionNotice = VersionNotice()
    _start: int = 0
    _characters: int = 0
    _wanted: PassageRef = PassageRef()
    _times_read: int = 0
    """Counts what was read and shown, so that nothing older replaces it."""

    @rx.event
    @_guarded
    async def open(self, current_user: CurrentUser, key: str, document_id: str, passage: dict) -> Any:
        """Show a document, at a passage: {start, end, page, quote}, as texts of the address."""
        if document_id != self.document.id:
            self.document, self.versions, self.notice = ViewedDocument(), [], VersionNotice()
            self.chunks, self.chunks_of = [], ""
            self._clear_text()
        self.opened, self.is_missing = key[:_LONGEST_KEY], False
        self._wanted = _passage_ref(passage)
        self._done()
        await self._read(current_user, document_id)
        if self.is_missing:
            await record_denied_link(self, current_user, "ViewerState.open", document_id)
        return ViewerState.follow

    def _show_missing(self) -> None:
        self.is_missing, self.document = True, ViewedDocument()
        self._clear_text()

    def _clear_text(self) -> None:
        self.text_before = self.text_marked = self.text_after = self.note = self.wanted = ""
        self.has_earlier = self.has_more = False

    async def _read(self, current_user: CurrentUser, document_id: str) -> None:
        """Show the document with the text around the passage."""
        self._times_read += 1
        try:
            found, span, is_changed = await container.get_services().retrieval.passages.around(
                current_user, require_id(document_id), self._wanted, _LEAD, _PIECE
            )
            history = await container.get_services().documents.versions.history(current_user, found.document.id)
        except NotFound:
            self._show_missing()
            return
        collections = await container.get_services().documents.collections.readable(current_user)
        name = next((item.name for item in collections if item.id == found.document.collection_id), "")
        self.document = viewed_document(found, name)
        self.versions = version_views(history) if len(history.versions) > 1 else []
        self.notice = version_notice(found.document, history.versions)
        self._show_text(found, span)
        self._show_passage(found, span, is_changed=is_changed)

    def _show_text(self, found: Preview, span: Span | None) -> None:
        text = found.text[:_PIECE]
        from_, to = (span.start - found.start, span.end - found.start) if span else (len(text), len(text))
        self.text_before, self.text_marked, self.text_after = text[:from_], text[from_:to], text[to:]
        self._start, self._characters = found.start, found.characters
        self._update_ends()

    def _show_passage(self, found: Preview, span: Span | None, *, is_changed: bool) -> None:
        wanted = self._wanted
        self.near_page, self.quote = wanted.page, wanted.quote
        is_where_it_was = span is None or span.start == wanted.start or not wanted.end
        self.page = wanted.page if is_where_it_was else 0
        # Where there is no text, what is quoted is looked for in the file itself.
        self.wanted = self.text_marked or ("" if is_changed or found.characters else wanted.quote)
        self.note = _CHANGED if is_changed else _PICTURE if self.document.kind == "picture" and self.wanted else ""

    def _update_ends(self) -> None:
        self.has_earlier, self.has_more = self._start > 0, self._end() < self._characters

    def _end(self) -> int:
        return self._start + len(self.text_before) + len(self.text_marked) + len(self.text_after)

    @rx.event
    @_guarded
    async def forget(self, current_user: CurrentUser) -> None:
        """Close the document after an error; the page opens it again."""
        del current_user
        self.opened = ""
        self._done()

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the document up to date while it is open."""
        async with self:
            shown, token = self.document.id, self.router.session.client_token
        feed = container.get_services().platform.document_feed
        with feed.watching(current_user.user_id, None) as watch, tabs.on_disconnect(token, watch.notify):
            # A change before this watch began has notified no watch.
            watch.notify()
            while shown and tabs.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if self.document.id != shown:
                        return
                if is_new and not await self._look_again(shown):
                    watch.notify()
                    await asyncio.sleep(_AWAY_SECONDS)
                await asyncio.sleep(_BREATH_SECONDS)

    async def _look_again(self, shown: str) -> bool:
        """Show changes, the text only if it is another one, so that the reader keeps the place; False to look again."""
        services = container.get_services().documents
        try:
            # The session is checked each time: permissions may have changed.
            async with self:
                current_user, times_read = await current_user_of(self), self._times_read
        except DatabaseUnavailable:
            return False
        try:
            found = await services.documents.preview(current_user, require_id(shown), _LARGEST)
            history = await services.versions.history(current_user, found.document.id)
        except NotFound:
            found = history = None
        except DatabaseUnavailable:
            return False
        async with self:
            # An action of this tab may have changed what was read meanwhile, and has shown the result.
            if self.document.id != shown:
                return True
            if self._times_read != times_read:
                return False
            if found is None or history is None:
                self._show_missing()
            elif self._is_other_text(found):
                await self._read(current_user, shown)
            else:
                self._update(found, history)
        return True

    def _is_other_text(self, found: Preview) -> bool:
        is_ready = found.document.state is DocumentState.READY
        return found.characters != self._characters or is_ready != self.document.is_ready

    def _update(self, found: Preview, history: History) -> None:
        document = replace(viewed_document(found, self.document.collection_name), title=self.document.title)
        versions = version_views(history) if len(history.versions) > 1 else []
        notice = version_notice(found.document, history.versions)
        set_changed(self, document=document, versions=versions, notice=notice)

    @rx.event
    @_guarded
    async def show_earlier(self, current_user: CurrentUser) -> None:
        """Show the text before the shown part, too."""
        start = max(0, self._start - _PIECE)
        found = await self._preview(current_user, start)
        self.text_before = found.text[: self._start - start] + self.text_before
        self._start = start
        self._keep(from_end=False)
        self._update_ends()

    @rx.event
    @_guarded
    async def show_more(self, current_user: CurrentUser) -> None:
        """Show the text after the shown part, too."""
        found = await self._preview(current_user, self._end())
        self.text_after += found.text[:_PIECE]
        self._keep(from_end=True)
        self._update_ends()

    def _keep(self, *, from_end: bool) -> None:
        """Keep only so much text as is shown at once, at the end or at the beginning."""
        extra = self._end() - self._start - _MOST_SHOWN
        if extra <= 0:
            return
        if from_end:
            self._start += extra
            whole, before = self.text_before + self.text_marked + self.text_after, len(self.text_before)
            if extra <= before:
                self.text_before = self.text_before[extra:]
            else:
                self.text_before, self.text_marked, self.text_after = "", "", whole[extra:]
        elif extra <= len(self.text_after):
            self.text_after = self.text_after[:-extra]
        else:
            whole = self.text_before + self.text_marked + self.text_after
            self.text_before, self.text_marked, self.text_after = whole[:-extra], "", ""

    async def _preview(self, current_user: CurrentUser, start: int) -> Preview:
        self._done()
        return await container.get_services().documents.documents.preview(
            current_user, require_id(self.document.id), start
        )

    @rx.event
    @_guarded
    async def show_chunks(self, current_user: CurrentUser, key: str) -> None:
        """Show the first chunks of the index."""
        await self._read_chunks(current_user, 0)
        self.chunks_of = key[:_LONGEST_KEY]

    @rx.event
    @_guarded
    async def next_chunks(self, current_user: CurrentUser) -> None:
        """Show the chunks after the shown ones."""
        await self._read_chunks(current_user, self.first_chunk + (len(self.chunks) if self.has_more_chunks else 0))

    @rx.event
    @_guarded
    async def previous_chunks(self, current_user: CurrentUser) -> None:
        """Show the chunks before the shown ones."""
        await self._read_chunks(current_user, max(0, self.first_chunk - _CHUNKS))

    async def _read_chunks(self, current_user: CurrentUser, first: int) -> None:
        found = await container.get_services().documents.documents.chunks(
            current_user, require_id(self.document.id), first, _CHUNKS + 1
        )
        self.chunks, self.first_chunk = [chunk_view(item) for item in found[:_CHUNKS]], first
        self.has_more_chunks = len(found) > _CHUNKS
        self._done()

    @rx.event
    @_guarded
    async def read_again(self, current_user: CurrentUser, form: dict) -> None:
        """Ingest the document again, with a chosen encoding and format."""
        reading = Reading(text_in(form, "encoding")[:40], text_in(form, "reader")[:40])
        await container.get_services().documents.documents.reingest(
            current_user, require_id(self.document.id), reading, client_info=client_info_of(self)
        )
        await self._read(current_user, self.document.id)
        self._done(form)

    @rx.event
    @_guarded
    async def restore(self, current_user: CurrentUser, form: dict) -> None:
        """Make an earlier version the newest one."""
        await container.get_services().documents.versions.restore(
            current_user, require_id(text_in(form, "id")), client_info_of(self)
        )
        await self._read(current_user, self.document.id)
        self._done(form)


def _passage_ref(passage: dict[str, Any]) -> PassageRef:
    def number(name: str) -> int:
        text = str(passage.get(name, ""))
        return min(int(text), _LARGEST) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0

    quote = passage.get("quote", "")
    start = number("start")
    quoted = quote[: 2 * LONGEST_QUOTE] if isinstance(quote, str) else ""
    return PassageRef(start, max(start, number("end")), number("page"), quoted)
