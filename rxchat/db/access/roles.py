"""Queries about roles, groups and grants."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from rxchat.db.platform.results import row_count
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.permissions import ADMINISTRATIVE, Action, Grant, Permission, PrincipalKind, ResourceKind
from rxchat.tables import GrantRow, Group, GroupMember, RoleRow, User

_CURRENT_USER = text(
    """
    SELECT user_account.id AS user_id, user_account.name, user_account.email, user_account.role, role.permissions,
           ARRAY(SELECT group_id FROM group_member WHERE group_member.user_id = user_account.id) AS groups
      FROM user_account JOIN role ON role.name = user_account.role
     WHERE user_account.id = current_user_id() AND user_account.suspended_at IS NULL AND user_account.deletion_at IS NULL
    """
)
_PERMISSIONS = frozenset(Permission)
_NO_SESSION = UUID(int=0)


async def get_current_user(session: AsyncSession) -> CurrentUser | None:
    """Return the user for whom the transaction acts, with the permissions of work in the background.

    None if they are suspended or scheduled for deletion. Without a session there is no second factor, and so no
    permission for administration.
    """
    row = (await session.execute(_CURRENT_USER)).one_or_none()
    if row is None:
        return None
    permissions = frozenset(Permission(name) for name in row.permissions if name in _PERMISSIONS)
    return CurrentUser(
        user_id=row.user_id,
        session_id=_NO_SESSION,
        name=row.name,
        email=row.email,
        role=row.role,
        permissions=permissions - ADMINISTRATIVE,
        groups=frozenset(row.groups),
    )


async def current_user_can(session: AsyncSession, permission: Permission) -> bool:
    """Return whether the role of the user for whom the transaction acts has a permission, also one for administration.

    It says what the user may do in a session with a second factor; it is no permission to do it without one.
    """
    return bool((await session.execute(select(func.current_user_can(permission.value)))).scalar_one())


async def get(session: AsyncSession, name: str) -> RoleRow | None:
    """Return the role with this name."""
    return (await session.execute(select(RoleRow).where(col(RoleRow.name) == name))).scalar_one_or_none()


async def all_roles(session: AsyncSession) -> list[RoleRow]:
    """Return all roles, the built-in ones first."""
    found = await session.execute(select(RoleRow).order_by(col(RoleRow.is_builtin).desc(), col(RoleRow.title)))
    return list(found.scalars())


async def save(session: AsyncSession, *, name: str, title: str, description: str, permissions: Sequence[str]) -> bool:
    """Create or change a role; False if it is a built-in one that cannot be changed."""
    values = {"title": title, "description": description, "permissions": list(permissions)}
    statement = insert(RoleRow).values(name=name, is_builtin=False, **values)
    saved = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_=values, where=col(RoleRow.is_builtin).is_(False)
        ).returning(col(RoleRow.name))
    )
    return saved.scalar_one_or_none() is not None


async def remove(session: AsyncSession, name: str) -> bool:
    """Delete a role that no user has; False if it does not exist or cannot be deleted."""
    removed = await session.execute(
        delete(RoleRow).where(col(RoleRow.name) == name, col(RoleRow.is_builtin).is_(False))
    )
    return row_count(removed) == 1


async def count_users_by_role(session: AsyncSession) -> dict[str, int]:
    """Return the number of users by role."""
    counted = await session.execute(select(col(User.role), func.count()).group_by(col(User.role)))
    return {row[0]: row[1] for row in counted.all()}


async def groups(session: AsyncSession) -> list[tuple[Group, int]]:
    """Return all groups by name, with their numbers of members."""
    count = select(func.count()).where(col(GroupMember.group_id) == col(Group.id)).correlate(Group).scalar_subquery()
    found = await session.execute(select(Group, count).order_by(func.lower(col(Group.name))))
    return [(row[0], row[1]) for row in found.all()]


async def group(session: AsyncSession, group_id: UUID) -> Group | None:
    """Return a group."""
    return (await session.execute(select(Group).where(col(Group.id) == group_id))).scalar_one_or_none()


async def add_group(session: AsyncSession, row: Group) -> None:
    """Create a group."""
    session.add(row)
    await session.flush()


async def rename_group(session: AsyncSession, group_id: UUID, name: str, description: str) -> bool:
    """Change a group's name and description; False if it does not exist."""
    changed = await session.execute(
        update(Group).where(col(Group.id) == group_id).values(name=name, description=description)
    )
    return row_count(changed) == 1


async def remove_group(session: AsyncSession, group_id: UUID) -> bool:
    """Delete a group; a trigger deletes its grants. False if it does not exist."""
    return row_count(await session.execute(delete(Group).where(col(Group.id) == group_id))) == 1


async def members(session: AsyncSession, group_id: UUID) -> list[tuple[UUID, str, str]]:
    """Return the members of a group (ID, name and address) by name."""
    found = await session.execute(
        select(col(User.id), col(User.name), col(User.email))
        .join(GroupMember, col(GroupMember.user_id) == col(User.id))
        .where(col(GroupMember.group_id) == group_id)
        .order_by(func.lower(col(User.name)))
    )
    return [(row[0], row[1], row[2]) for row in found.all()]


async def add_member(session: AsyncSession, group_id: UUID, user_id: UUID) -> None:
    """Add a user to a group; does nothing if they are a member."""
    await session.execute(insert(GroupMember).values(group_id=group_id, user_id=user_id).on_conflict_do_nothing())


async def remove_member(session: AsyncSession, group_id: UUID, user_id: UUID) -> bool:
    """Remove a user from a group; False if they are not a member."""
    removed = await session.execute(
        delete(GroupMember).where(col(GroupMember.group_id) == group_id, col(GroupMember.user_id) == user_id)
    )
    return row_count(removed) == 1


async def grants_on(session: AsyncSession, kind: ResourceKind, resources: Sequence[str]) -> list[Grant]:
    """Return the grants on these resources, and on all of their kind, that the acting user may see."""
    found = await session.execute(
        select(GrantRow).where(
            col(GrantRow.resource_kind) == kind,
            or_(col(GrantRow.resource).in_(list(resources)), col(GrantRow.resource) == "*"),
        )
    )
    return [as_grant(row) for row in found.scalars()]


async def all_grants(session: AsyncSession, kind: ResourceKind | None = None) -> list[tuple[UUID, Grant]]:
    """Return all grants that the acting user may see, with their IDs."""
    statement = select(GrantRow).order_by(col(GrantRow.resource_kind), col(GrantRow.resource), col(GrantRow.id))
    if kind is not None:
        statement = statement.where(col(GrantRow.resource_kind) == kind)
    return [(row.id, as_grant(row)) for row in (await session.execute(statement)).scalars()]


async def has_grants(session: AsyncSession, kind: PrincipalKind, principals: Sequence[str]) -> bool:
    """Return whether one of these principals has a grant, even if the acting user may not see it."""
    asked = text("SELECT principals_have_grants(:kind, :principals)")
    return (await session.execute(asked, {"kind": kind.value, "principals": list(principals)})).scalar_one()


def as_grant(row: GrantRow) -> Grant:
    """Return the grant of a row."""
    return Grant(
        PrincipalKind(row.principal_kind),
        row.principal,
        ResourceKind(row.resource_kind),
        row.resource,
        Action(row.action),
    )


async def add_grant(session: AsyncSession, grant_id: UUID, grant: Grant, created_by: UUID) -> None:
    """Insert a grant; does nothing if it exists."""
    await session.execute(
        insert(GrantRow)
        .values(
            id=grant_id,
            principal_kind=grant.principal_kind,
            principal=grant.principal,
            resource_kind=grant.resource_kind,
            resource=grant.resource,
            action=grant.action,
            created_by=created_by,
        )
        .on_conflict_do_nothing()
    )


async def grant(session: AsyncSession, grant_id: UUID) -> Grant | None:
    """Return a grant that the acting user may see."""
    row = (await session.execute(select(GrantRow).where(col(GrantRow.id) == grant_id))).scalar_one_or_none()
    return as_grant(row) if row else None


async def remove_grant(session: AsyncSession, grant_id: UUID) -> bool:
    """Revoke a grant; False if the acting user may not revoke it, or it does not exist."""
    return row_count(await session.execute(delete(GrantRow).where(col(GrantRow.id) == grant_id))) == 1
