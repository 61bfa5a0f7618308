"""The vocabulary of authorization: permissions of roles, grants on resources, scopes of keys. authorization.py evaluates them.

A role gives permissions over all things of a kind ("users.manage"). A grant gives one action on one resource, or on all of a
kind ("*"), to a user, a group, a role or everyone. An API key or an access token narrows both by its scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from rxchat.domain.errors import InvalidInput

EVERYTHING = "*"


class Permission(StrEnum):
    """A permission of a role, for all resources of a kind."""

    CONVERSATIONS_CREATE = "conversations.create"
    CONVERSATIONS_READ_ANY = "conversations.read_any"
    MODELS_USE = "models.use"
    MODELS_MANAGE = "models.manage"
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
    FEEDBACK_READ = "feedback.read"
    SYSTEM_READ = "system.read"
    SYSTEM_QUOTAS = "system.quotas"


PERMISSION_WORDS: dict[Permission, str] = {
    Permission.CONVERSATIONS_CREATE: "Start conversations",
    Permission.CONVERSATIONS_READ_ANY: "Read conversations of other users, for a reason that the audit log records",
    Permission.MODELS_USE: "Use every model",
    Permission.MODELS_MANAGE: "Add providers of models, and decide what models are called and how they answer",
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
    Permission.FEEDBACK_READ: "Read how users rate answers, without their conversations",
    Permission.SYSTEM_READ: "See how much each user and model is used, and the state of the system",
    Permission.SYSTEM_QUOTAS: "Set quotas of users, groups and models, and what models cost",
}

ADMINISTRATIVE = frozenset(
    permission
    for permission in Permission
    if permission.value.split(".")[0]
    in {"users", "groups", "roles", "grants", "settings", "audit", "feedback", "system"}
) | {Permission.CONVERSATIONS_READ_ANY, Permission.MODELS_MANAGE}
"""Administrative permissions, which apply only with a second factor if the installation requires one."""


class ResourceKind(StrEnum):
    """The kinds of resources that grants refer to."""

    CONVERSATION = "conversation"
    MODEL = "model"
    COLLECTION = "collection"
    PROMPT = "prompt"
    ASSISTANT = "assistant"
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
    Scope.READ: "Read my conversations, my prompts and assistants, and my account",
    Scope.CHAT: "Ask models, send messages, change my conversations, prompts and assistants",
    Scope.FILES: "Read and change my files and collections",
    Scope.ADMIN: "Administer, as far as my role may",
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
