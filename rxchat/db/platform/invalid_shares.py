"""Finds old shares that the current rules refuse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from rxchat.db.platform.database import LINE, libpq_url
from rxchat.domain.permissions import Permission, PrincipalKind, ResourceKind


@dataclass(frozen=True, slots=True)
class OutsiderShare:
    """A resource that a user shared with a group without being a member."""

    kind: str
    name: str
    group_name: str
    shared_by: str
    email: str


# The rule of domain/permissions.py (may_share_with_group) in SQL, for all shares.
_BY_OUTSIDERS = """
    SELECT given.resource_kind AS kind, coalesce(collection.name, conversation.title, prompt.title, assistant.name,
                                              given.resource) AS name,
           user_group.name AS group_name, coalesce(sharer.name, '') AS shared_by, coalesce(sharer.email, '') AS email
      FROM access_grant AS given JOIN user_group ON user_group.id::text = given.principal
      LEFT JOIN collection ON given.resource_kind = 'collection' AND collection.id::text = given.resource
      LEFT JOIN conversation ON given.resource_kind = 'conversation' AND conversation.id::text = given.resource
      LEFT JOIN prompt ON given.resource_kind = 'prompt' AND prompt.id::text = given.resource
      LEFT JOIN assistant ON given.resource_kind = 'assistant' AND assistant.id::text = given.resource
      LEFT JOIN user_account AS sharer
        ON sharer.id = coalesce(given.created_by, collection.owner_id, conversation.owner_id, prompt.owner_id,
                                assistant.owner_id)
      LEFT JOIN role ON role.name = sharer.role
     WHERE given.principal_kind = %(group)s AND given.resource_kind = ANY (%(kinds)s)
       AND NOT EXISTS (SELECT FROM group_member AS member
                        WHERE member.group_id = user_group.id AND member.user_id = sharer.id)
       AND NOT coalesce(role.permissions && %(managing)s::varchar[], false)
     ORDER BY kind, name, group_name
"""


def by_outsiders(owner_url: str) -> list[OutsiderShare]:
    """Return the shares with groups by users who are not members and may not share with them now.

    Raises:
        psycopg.Error: if the database does not respond, or this role may not read the tables.
    """
    given: dict[str, Any] = {
        "group": PrincipalKind.GROUP.value,
        "kinds": [
            ResourceKind.COLLECTION.value,
            ResourceKind.CONVERSATION.value,
            ResourceKind.PROMPT.value,
            ResourceKind.ASSISTANT.value,
        ],
        "managing": [Permission.GROUPS_MANAGE.value, Permission.GRANTS_MANAGE.value],
    }
    options: dict[str, Any] = {**LINE, "application_name": "rxchat check"}
    with (
        psycopg.connect(libpq_url(owner_url), **options) as connection,
        connection.cursor(row_factory=class_row(OutsiderShare)) as cursor,
    ):
        return cursor.execute(_BY_OUTSIDERS, given).fetchall()
