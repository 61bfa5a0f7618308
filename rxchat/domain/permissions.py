"""Who may do what: roles, grants, scopes, and the one evaluator that every service asks.

A role gives permissions over all things of a kind ("users.manage"). A grant gives one action on one thing, or on all
of a kind ("*"), to a person, a group, a role or everyone. An API key or a program's token narrows both by its scopes:
what it does not name it cannot do, whoever holds it. Row-level security mirrors the same rules underneath.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from rxchat.domain.errors import InvalidInput, NotAllowed

if TYPE_CHECKING:
    from rxchat.domain.accounts import CurrentUser

EVERYTHING = "*"


class Permission(StrEnum):
    """What a role can allow over all things of a kind."""

    CONVERSATIONS_CREATE = "conversations.create"
    CONVERSATIONS_READ_ANY = "conversations.read_any"
    MODELS_USE = "models.use"
    COLLECTIONS_CREATE = "collections.create"
    KEYS_CREATE = "keys.create"
    USERS_READ = "users.read"
    USERS_INVITE = "users.invite"
    USERS_MANAGE = "users.manage"
    GROUPS_MANAGE = "groups.manage"
    ROLES_MANAGE = "roles.manage"
    GRANTS_MANAGE = "grants.manage"
    SETTINGS_MANAGE = "settings.manage"
    AUDIT_READ = "audit.read"


PERMISSION_WORDS: dict[Permission, str] = {
    Permission.CONVERSATIONS_CREATE: "Begin conversations",
    Permission.CONVERSATIONS_READ_ANY: "Read anybody's conversation, for a reason that is kept in the audit",
    Permission.MODELS_USE: "Use every model",
    Permission.COLLECTIONS_CREATE: "Create collections of documents",
    Permission.KEYS_CREATE: "Create API keys",
    Permission.USERS_READ: "See everybody's name, address and role",
    Permission.USERS_INVITE: "Invite users",
    Permission.USERS_MANAGE: "Change roles, suspend users, end their sessions, reset their second factor",
    Permission.GROUPS_MANAGE: "Create groups and choose their members",
    Permission.ROLES_MANAGE: "Create and change roles",
    Permission.GRANTS_MANAGE: "Grant access to models, collections and conversations",
    Permission.SETTINGS_MANAGE: "Change registration and sign-in rules",
    Permission.AUDIT_READ: "Read and export the audit",
}

ADMINISTRATIVE = frozenset(
    permission
    for permission in Permission
    if permission.value.split(".")[0] in {"users", "groups", "roles", "grants", "settings", "audit"}
) | {Permission.CONVERSATIONS_READ_ANY}
"""What counts as administering: in force only with a second factor, where the installation demands one."""


class ResourceKind(StrEnum):
    """The kinds of things that grants are about."""

    CONVERSATION = "conversation"
    MODEL = "model"
    COLLECTION = "collection"
    SETTINGS = "settings"
    """A rule of the installation, by its name."""


class Action(StrEnum):
    """What a grant allows with a thing."""

    READ = "read"
    WRITE = "write"
    USE = "use"


class PrincipalKind(StrEnum):
    """Whom a grant is for."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    EVERYONE = "everyone"


class Scope(StrEnum):
    """What an API key or a program's token may be used for."""

    READ = "read"
    CHAT = "chat"
    FILES = "files"
    ADMIN = "admin"


SCOPE_WORDS: dict[Scope, str] = {
    Scope.READ: "Read my conversations and my account",
    Scope.CHAT: "Ask models and write in my conversations",
    Scope.FILES: "Read and change my files and collections",
    Scope.ADMIN: "Administer, as far as my role may",
}

_SCOPE_OF = {
    Permission.CONVERSATIONS_CREATE: Scope.CHAT,
    Permission.MODELS_USE: Scope.CHAT,
    Permission.COLLECTIONS_CREATE: Scope.FILES,
}
_SCOPE_OF_ACTION = {
    (ResourceKind.CONVERSATION, Action.READ): Scope.READ,
    (ResourceKind.CONVERSATION, Action.WRITE): Scope.CHAT,
    (ResourceKind.MODEL, Action.USE): Scope.CHAT,
    (ResourceKind.SETTINGS, Action.WRITE): Scope.ADMIN,
}
# What a role must hold for an action on any thing of a kind; kinds that are not here need a grant or ownership.
_PERMISSION_FOR = {
    (ResourceKind.MODEL, Action.USE): Permission.MODELS_USE,
    (ResourceKind.SETTINGS, Action.WRITE): Permission.SETTINGS_MANAGE,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One action on one thing, or on all of a kind, that is allowed to somebody."""

    principal_kind: PrincipalKind
    principal: str
    """A person's or group's id, a role's name, or "*" for everyone."""
    resource_kind: ResourceKind
    resource: str
    """The thing's id, a model's name, or "*"."""
    action: Action

    def is_for(self, current_user: CurrentUser) -> bool:
        """Whether this grant is for a person, by themselves or by what they belong to."""
        match self.principal_kind:
            case PrincipalKind.EVERYONE:
                return True
            case PrincipalKind.USER:
                return self.principal == str(current_user.user_id)
            case PrincipalKind.GROUP:
                return self.principal in {str(group) for group in current_user.groups}
            case PrincipalKind.ROLE:
                return self.principal == current_user.role

    def covers(self, kind: ResourceKind, resource: str, action: Action) -> bool:
        """Whether it is about this thing; who may write may also read."""
        allows = self.action is action or (self.action is Action.WRITE and action is Action.READ)
        return self.resource_kind is kind and allows and self.resource in {resource, EVERYTHING}


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing that somebody wants to do something with."""

    kind: ResourceKind
    id: str
    owner_id: UUID | None = None


def is_permitted(current_user: CurrentUser, permission: Permission) -> bool:
    """Whether the person may, over all things of a kind, and with what they are signed in with."""
    return permission in current_user.permissions and _in_scope(current_user, _SCOPE_OF.get(permission, Scope.ADMIN))


def require(current_user: CurrentUser, permission: Permission) -> None:
    """Let only those pass who may.

    Raises:
        NotAllowed: always with the same sentence, except where a second factor would open the door.
    """
    if is_permitted(current_user, permission):
        return
    if current_user.needs_second_factor:
        raise NotAllowed("Administering needs a second factor: set one up on your account page first.")
    raise NotAllowed


def is_allowed(current_user: CurrentUser, action: Action, resource: Resource, grants: Iterable[Grant] = ()) -> bool:
    """Whether the person may do this with a thing: as its owner, by their role, or by a grant.

    The one evaluator: services ask it with the grants that were read for the thing.
    """
    if not _in_scope(current_user, _SCOPE_OF_ACTION.get((resource.kind, action), Scope.FILES)):
        return False
    if resource.kind is ResourceKind.SETTINGS and current_user.lacks_second_factor:
        return False
    if resource.owner_id is not None and resource.owner_id == current_user.user_id:
        return True
    permission = _PERMISSION_FOR.get((resource.kind, action))
    if permission is not None and permission in current_user.permissions:
        return True
    return any(grant.is_for(current_user) and grant.covers(resource.kind, resource.id, action) for grant in grants)


def may_share_with_group(current_user: CurrentUser, group_id: str) -> bool:
    """Whether the user may share with a group what is theirs: its members may, and users who manage groups or grants.

    Members are added to a group that has grants only by users who may give grants, so a share by anyone else would take
    the group from its managers.
    """
    is_manager = any(is_permitted(current_user, item) for item in (Permission.GROUPS_MANAGE, Permission.GRANTS_MANAGE))
    return is_manager or group_id in {str(group) for group in current_user.groups}


def require_scope(current_user: CurrentUser, scope: Scope) -> None:
    """Let only those pass whose key or token was made for this.

    Raises:
        NotAllowed: naming the scope that is missing.
    """
    if not _in_scope(current_user, scope):
        raise NotAllowed(f"This key does not have the scope “{scope.value}”.")


def _in_scope(current_user: CurrentUser, scope: Scope) -> bool:
    return current_user.scopes is None or scope in current_user.scopes


def valid_scopes(values: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of these names.

    Raises:
        InvalidInput: when there is none, or one is unknown.
    """
    try:
        scopes = frozenset(Scope(value) for value in values)
    except ValueError as error:
        raise InvalidInput(f"Scopes are: {', '.join(Scope)}.") from error
    if not scopes:
        raise InvalidInput("Please choose at least one thing that the key may do.")
    return scopes


def valid_permissions(values: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions of these names.

    Raises:
        InvalidInput: when one is unknown.
    """
    try:
        return frozenset(Permission(value) for value in values)
    except ValueError as error:
        raise InvalidInput("One of these permissions does not exist.") from error


def sees_details(current_user: CurrentUser) -> bool:
    """Whether to show a user which host failed, and what it said: for those who can do something about it."""
    return is_permitted(current_user, Permission.SETTINGS_MANAGE)
