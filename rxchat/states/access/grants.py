"""Grants: who may use which model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import EVERYTHING, Action, Grant, Permission, PrincipalKind, ResourceKind
from rxchat.services.app import container
from rxchat.states.access.admin import AdminPage, administering, id_of, role_titles
from rxchat.states.access.groups import Member, candidates
from rxchat.states.access.users import Choice
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of

_EVERYONE = "Everyone"
_EVERY_MODEL = "Every model"


@dataclass
class GrantView:
    """A grant as the page shows it."""

    id: str
    kind: str
    who: str
    model: str


class AccessState(AdminPage, rx.State):
    """The grants on models, and the dialog for a new one."""

    grants: list[GrantView] = []
    models: list[Choice] = []
    roles: list[Choice] = []
    groups: list[Choice] = []
    kind: str = PrincipalKind.EVERYONE.value
    found: list[Member] = []
    searched: str = ""
    picked: Member = Member("", "", "")

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all grants on models."""
        self._confirm("")
        offer = await container.get_services().models.catalog.offer()
        names = [item.name for item in offer.models]
        self.models = [Choice(EVERYTHING, _EVERY_MODEL), *(Choice(name, name) for name in names)]
        await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        services = container.get_services()
        self.roles = [Choice(name, title) for name, title in (await role_titles(current_user)).items()]
        if is_permitted(current_user, Permission.USERS_READ):
            self.groups = [
                Choice(str(group.id), group.name) for group in await services.access.groups.all(current_user)
            ]
        found = await services.access.grants.all(current_user, ResourceKind.MODEL)
        names = await self._names(current_user, (grant for _, grant in found))
        self.grants = [_line(str(grant_id), grant, names) for grant_id, grant in found]

    async def _names(self, current_user: CurrentUser, grants: Iterable[Grant]) -> dict[tuple[str, str], str]:
        """Return the names of the principals of grants, by kind and id."""
        ids = [parse_id(grant.principal) for grant in grants if grant.principal_kind is PrincipalKind.USER]
        users = await container.get_services().access.user_admin.names(current_user, [item for item in ids if item])
        return (
            {("role", choice.value): choice.label for choice in self.roles}
            | {("group", choice.value): choice.label for choice in self.groups}
            | {("user", str(user_id)): name for user_id, name in users.items()}
        )

    @rx.event
    @administering
    async def begin(self, current_user: CurrentUser) -> None:
        """Forget earlier choices, when the dialog for a new grant opens."""
        del current_user
        self.kind, self.picked = PrincipalKind.EVERYONE.value, Member("", "", "")
        self.found, self.searched = [], ""
        self._confirm("")

    @rx.event
    @administering
    async def choose_kind(self, current_user: CurrentUser, kind: str) -> None:
        """Choose whether the grant is for everyone, a role, a group or a user."""
        del current_user
        if kind not in {item.value for item in PrincipalKind}:
            raise InvalidInput("Access can be given to everyone, a role, a group or a user.")
        self.kind, self.problem = kind, ""

    @rx.event
    @administering
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Show the users whose names contain the words."""
        self.found = await candidates(current_user, words, set())
        self.searched, self.problem = words[:100].strip(), ""

    @rx.event
    @administering
    async def pick(self, current_user: CurrentUser, user_id: str) -> None:
        """Choose one of the users found; "" clears the choice."""
        del current_user
        self.picked = next((member for member in self.found if member.id == user_id), Member("", "", ""))
        self.problem = ""

    @rx.event
    @administering
    async def give(self, current_user: CurrentUser, form: dict) -> None:
        """Add the grant."""
        principals = {"everyone": EVERYTHING, "user": self.picked.id}
        await container.get_services().access.grants.add(
            current_user,
            principal_kind=self.kind,
            principal=principals.get(self.kind, text_in(form, "principal")),
            resource_kind=ResourceKind.MODEL,
            resource=text_in(form, "model"),
            action=Action.USE,
            client_info=client_info_of(self),
        )
        await self._read(current_user)
        self._confirm("Access granted.", form)

    @rx.event
    @administering
    async def revoke(self, current_user: CurrentUser, form: dict) -> None:
        """Revoke the grant with the form's id."""
        await container.get_services().access.grants.revoke(
            current_user, id_of(text_in(form, "id")), client_info_of(self)
        )
        await self._read(current_user)
        self._confirm("Access revoked.", form)


def _line(grant_id: str, grant: Grant, names: dict[tuple[str, str], str]) -> GrantView:
    kind = grant.principal_kind.value
    who = _EVERYONE if kind == "everyone" else names.get((kind, grant.principal), grant.principal)
    return GrantView(grant_id, kind, who, _EVERY_MODEL if grant.resource == EVERYTHING else grant.resource)
