"""Authorization: roles, grants and scopes, and the one evaluator that every service calls.

A role has permissions for all resources of a kind ("people.manage"). A grant allows one action on one resource, or on
all of a kind ("*"), to a user, a group, a role or everyone. An API key or access token is limited to its scopes.
Row-level security enforces the same rules in the database.
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
    """A permission of a role, for all resources of a kind."""

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
    Permission.CONVERSATIONS_CREATE: "Start conversations",
    Permission.CONVERSATIONS_READ_ANY: "Read conversations of other users, for a reason that the audit log records",
    Permission.MODELS_USE: "Use every model",
    Permission.COLLECTIONS_CREATE: "Create collections of documents",
    Permission.KEYS_CREATE: "Create API keys",
    Permission.USERS_READ: "See names, addresses and roles of all users",
    Permission.USERS_INVITE: "Invite users",
    Permission.USERS_MANAGE: "Change roles, suspend users, end their sessions, reset their second factor",
    Permission.GROUPS_MANAGE: "Create groups and choose their members",
    Permission.ROLES_MANAGE: "Create and change roles",
    Permission.GRANTS_MANAGE: "Grant access to models, collections and conversations",
    Permission.SETTINGS_MANAGE: "Change settings for registration and sign-in",
    Permission.AUDIT_READ: "Read and export the audit log",
}

ADMINISTRATIVE = frozenset(
    permission
    for permission in Permission
    if permission.value.split(".")[0] in {"users", "groups", "roles", "grants", "settings", "audit"}
) | {Permission.CONVERSATIONS_READ_ANY}
"""Administrative permissions, which apply only with a second factor if the installation requires one."""


class ResourceKind(StrEnum):
    """The kinds of resources that grants refer to."""

    CONVERSATION = "conversation"
    MODEL = "model"
    COLLECTION = "collection"
    SETTINGS = "settings"
    """A setting of the installation, by its name."""


class Action(StrEnum):
    """What a grant allows."""

    READ = "read"
    WRITE = "write"
    USE = "use"


class PrincipalKind(StrEnum):
    """Who a grant is for."""

    USER = "user"
    GROUP = "group"
    ROLE = "role"
    EVERYONE = "everyone"


class Scope(StrEnum):
    """What an API key or access token may be used for."""

    READ = "read"
    CHAT = "chat"
    FILES = "files"
    ADMIN = "admin"


SCOPE_WORDS: dict[Scope, str] = {
    Scope.READ: "Read my conversations and my account",
    Scope.CHAT: "Send messages and change my conversations",
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
# The permission that allows an action on all resources of a kind; other kinds need a grant or ownership.
_PERMISSION_FOR = {
    (ResourceKind.MODEL, Action.USE): Permission.MODELS_USE,
    (ResourceKind.SETTINGS, Action.WRITE): Permission.SETTINGS_MANAGE,
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One allowed action on one resource, or on all of a kind."""

    principal_kind: PrincipalKind
    principal: str
    """The id of a user or group, the name of a role, or "*" for everyone."""
    resource_kind: ResourceKind
    resource: str
    """The resource's id, a model's name, or "*"."""
    action: Action

    def is_for(self, current_user: CurrentUser) -> bool:
        """Whether the grant applies to a user, directly or by a group or role."""
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
        """Whether the grant allows an action on a resource; permission to write includes reading."""
        allows = self.action is action or (self.action is Action.WRITE and action is Action.READ)
        return self.resource_kind is kind and allows and self.resource in {resource, EVERYTHING}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource that a user wants to access."""

    kind: ResourceKind
    id: str
    owner_id: UUID | None = None


def is_permitted(current_user: CurrentUser, permission: Permission) -> bool:
    """Whether the user has a permission, with the scopes of the current session."""
    return permission in current_user.permissions and _in_scope(current_user, _SCOPE_OF.get(permission, Scope.ADMIN))


def require(current_user: CurrentUser, permission: Permission) -> None:
    """Require a permission.

    Raises:
        NotAllowed: always with the same message, except when a second factor would give the permission.
    """
    if is_permitted(current_user, permission):
        return
    if current_user.needs_second_factor:
        raise NotAllowed("Administration requires two-factor authentication. Set it up on your account page first.")
    raise NotAllowed


def is_allowed(current_user: CurrentUser, action: Action, resource: Resource, grants: Iterable[Grant] = ()) -> bool:
    """Whether the user may access a resource as its owner, by their role, or by a grant.

    This is the only evaluator. Services call it with the grants that they read for the resource.
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
    """Whether the user may share their resources with a group: its members, and users who manage groups or grants.

    Only users who may give grants can add members to a group that has grants, so a share by another user would take
    the group from its managers.
    """
    is_manager = any(is_permitted(current_user, item) for item in (Permission.GROUPS_MANAGE, Permission.GRANTS_MANAGE))
    return is_manager or group_id in {str(group) for group in current_user.groups}


def require_scope(current_user: CurrentUser, scope: Scope) -> None:
    """Require that the API key or token has a scope; browser sessions have all of them.

    Raises:
        NotAllowed: names the missing scope.
    """
    if not _in_scope(current_user, scope):
        raise NotAllowed(f"This key does not have the scope “{scope.value}”.")


def _in_scope(current_user: CurrentUser, scope: Scope) -> bool:
    return current_user.scopes is None or scope in current_user.scopes


def valid_scopes(values: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes with these names.

    Raises:
        InvalidInput: when there are none, or one is unknown.
    """
    try:
        scopes = frozenset(Scope(value) for value in values)
    except ValueError as error:
        raise InvalidInput(f"Valid scopes: {', '.join(Scope)}.") from error
    if not scopes:
        raise InvalidInput("Choose at least one permission for the key.")
    return scopes


def valid_permissions(values: Iterable[str]) -> frozenset[Permission]:
    """Return the permissions with these names.

    Raises:
        InvalidInput: when one is unknown.
    """
    try:
        return frozenset(Permission(value) for value in values)
    except ValueError as error:
        raise InvalidInput("One of these permissions does not exist.") from error


def sees_details(current_user: CurrentUser) -> bool:
    """Whether to show a user which host failed, and its error: only to administrators who can fix it."""
    return is_permitted(current_user, Permission.SETTINGS_MANAGE)
