"""The audit log's page: who did what, newest first, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import reflex as rx

from rxchat.db.access.audit_log import EventView
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.services.access.audit_log import PAGE
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, role_titles
from rxchat.states.access.audit_messages import ACTIONS, details, sentence
from rxchat.states.access.users import Choice
from rxchat.states.platform.field_views import milliseconds


@dataclass
class AuditEventView:
    """An audit log entry in words."""

    seq: int
    at: int
    actor: str
    sentence: str
    address: str
    details: str


class AuditState(AdminPage, rx.State):
    """The entries that are shown so far."""

    rows: list[AuditEventView] = []
    words: str = ""
    action: str = ""
    actions: list[Choice] = []
    has_older: bool = False
    _last: int | None = None
    _names: dict[str, str] = {}

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show the newest entries."""
        self.words = self.action = self.problem = ""
        self.actions = [Choice(action, title) for action, title in ACTIONS.items()]
        await self._read_names(current_user)
        await self._read_first(current_user)
        self.loaded = True

    async def _read_names(self, current_user: CurrentUser) -> None:
        self._names = await role_titles(current_user)
        if is_permitted(current_user, Permission.USERS_READ):
            self._names |= {
                str(group.id): group.name for group in await container.get_services().access.groups.all(current_user)
            }

    async def _read_first(self, current_user: CurrentUser) -> None:
        self._last = None
        self.rows = await self._read(current_user)

    async def _read(self, current_user: CurrentUser) -> list[AuditEventView]:
        found = await container.get_services().access.audit_log.page(
            current_user, words=self.words, action=self.action, before=self._last
        )
        self.has_older, self.problem = len(found) == PAGE, ""
        self._last = found[-1].seq if found else self._last
        users = await container.get_services().access.user_admin.names(current_user, _users_in(found))
        names = self._names | {str(user_id): name for user_id, name in users.items()}
        return [_line(row, names) for row in found]

    @rx.event
    @administering
    async def search(self, current_user: CurrentUser, words: str) -> None:
        """Show entries that contain the words."""
        self.words = words[:100]
        await self._read_first(current_user)

    @rx.event
    @administering
    async def filter_action(self, current_user: CurrentUser, action: str) -> None:
        """Show entries of one action; "" for all."""
        self.action = action[:60]
        await self._read_first(current_user)

    @rx.event
    @administering
    async def older(self, current_user: CurrentUser) -> None:
        """Show older entries, too."""
        self.rows = [*self.rows, *await self._read(current_user)]


def _users_in(rows: Iterable[EventView]) -> list[UUID]:
    """Return the ids of the users in these entries."""
    spoken = [row.data.get(name) for row in rows for name in ("user", "invited_by", "account")]
    return [found for value in spoken if (found := parse_id(value))]


def _line(row: EventView, names: dict[str, str]) -> AuditEventView:
    return AuditEventView(
        row.seq, milliseconds(row.at), row.actor or "Unknown", sentence(row.action, row.data, names), row.address,
        details(row.action, row.data, names),
    )  # fmt: skip
