"""Evaluates what a user may do: by their role's permissions, by grants, and within the scopes of their key.

Services ask here, with the grants that they read. Row-level security in Postgres enforces the same rules underneath.
"""

from __future__ import annotations

from collections.abc import Iterable

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotAllowed
from rxchat.domain.permissions import Action, Grant, Permission, PrincipalKind, Resource, ResourceKind, Scope

_SCOPE_OF = {
    Permission.CONVERSATIONS_CREATE: Scope.CHAT,
    Permission.MODELS_USE: Scope.CHAT,
    Permission.COLLECTIONS_CREATE: Scope.FILES,
}
_SCOPE_OF_ACTION = {
    (ResourceKind.CONVERSATION, Action.READ): Scope.READ,
    (ResourceKind.CONVERSATION, Action.WRITE): Scope.CHAT,
    (ResourceKind.MODEL, Action.USE): Scope.CHAT,
    (ResourceKind.PROMPT, Action.READ): Scope.READ,
    (ResourceKind.PROMPT, Action.WRITE): Scope.CHAT,
    (ResourceKind.ASSISTANT, Action.READ): Scope.READ,
    (ResourceKind.ASSISTANT, Action.WRITE): Scope.CHAT,
    (ResourceKind.SETTINGS, Action.WRITE): Scope.ADMIN,
}
# The permission that allows an action on all resources of a kind; other kinds need a grant or ownership.
_PERMISSION_FOR = {
    (ResourceKind.MODEL, Action.USE): Permission.MODELS_USE,
    (ResourceKind.SETTINGS, Action.WRITE): Permission.SETTINGS_MANAGE,
}


def is_permitted(current_user: CurrentUser, permission: Permission) -> bool:
    """Whether the user has a permission, with the scopes of the current session."""
    return permission in current_user.permissions and in_scope(current_user, _SCOPE_OF.get(permission, Scope.ADMIN))


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
    if not in_scope(current_user, _SCOPE_OF_ACTION.get((resource.kind, action), Scope.FILES)):
        return False
    if resource.kind is ResourceKind.SETTINGS and current_user.lacks_second_factor:
        return False
    if resource.owner_id is not None and resource.owner_id == current_user.user_id:
        return True
    permission = _PERMISSION_FOR.get((resource.kind, action))
    if permission is not None and permission in current_user.permissions:
        return True
    return any(_is_for(grant, current_user) and grant.covers(resource.kind, resource.id, action) for grant in grants)


def _is_for(grant: Grant, current_user: CurrentUser) -> bool:
    """Whether the grant applies to a user, directly or by a group or role."""
    match grant.principal_kind:
        case PrincipalKind.EVERYONE:
            return True
        case PrincipalKind.USER:
            return grant.principal == str(current_user.user_id)
        case PrincipalKind.GROUP:
            return grant.principal in {str(group) for group in current_user.groups}
        case PrincipalKind.ROLE:
            return grant.principal == current_user.role


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
    if not in_scope(current_user, scope):
        raise NotAllowed(f"This key does not have the scope “{scope.value}”.")


def in_scope(current_user: CurrentUser, scope: Scope) -> bool:
    """Whether the API key or token has a scope; browser sessions have all of them."""
    return current_user.scopes is None or scope in current_user.scopes


def sees_details(current_user: CurrentUser) -> bool:
    """Whether to show a user which host failed, and its error: only to administrators who can fix it."""
    return is_permitted(current_user, Permission.SETTINGS_MANAGE)
