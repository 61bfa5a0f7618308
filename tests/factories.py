"""Rows with sensible defaults, made as the owner of the database makes them."""

from __future__ import annotations

from uuid import UUID

import psycopg

from rxchat.db import accounts as account_rows
from rxchat.db.database import Database
from rxchat.domain.accounts import UserRole, Viewer
from rxchat.domain.ids import new_id


def add_viewer(owner_url: str, name: str = "Ada") -> Viewer:
    """Add an account and return it as someone who is signed in."""
    viewer = a_viewer(name)
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "INSERT INTO user_account (id, email, name, role) VALUES (%s, %s, %s, 'member')",
            (viewer.user_id, viewer.email, name),
        )
    return viewer


def a_viewer(name: str = "Ada") -> Viewer:
    """Return somebody who has no row anywhere yet."""
    user_id = new_id()
    return Viewer(user_id, new_id(), name, f"{name.lower()}-{user_id.hex[-8:]}@example.org", UserRole.MEMBER)


async def add_first_user(database: Database) -> UUID:
    """Add the first account of an empty database, through the procedure that alone may."""
    user_id = new_id()
    async with database.begin(user_id) as session:
        created = await account_rows.create_first_administrator(
            session, user_id, email=f"{user_id}@example.org", name="First", password_hash="none"
        )
    assert created
    return user_id
