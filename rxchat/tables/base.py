"""What all tables share: names of constraints that migrations can rely on, and column types."""

from __future__ import annotations

from typing import Any

from sqlalchemy import DateTime, func
from sqlmodel import Field, SQLModel

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def moment(*, default_now: bool = False, **options: Any) -> Any:
    """A point in time, stored as timestamptz; `default_now` lets the database set it."""
    column = {"server_default": func.now()} if default_now else {}
    return Field(default=None, sa_type=DateTime(timezone=True), sa_column_kwargs=column, **options)  # pyright: ignore[reportArgumentType]


def owned_key() -> Any:
    """The owner's id as the first column of the primary key, so that rows can be sharded by owner."""
    return Field(primary_key=True)
