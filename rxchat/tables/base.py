"""The base of all tables: a naming convention for constraints, and column types."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import ARRAY, DateTime, Dialect, String, TypeDecorator, func
from sqlmodel import Field, SQLModel

metadata = SQLModel.metadata
metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_RESERVED_IN_SQL = {"user": "user_account", "group": "user_group", "grant": "access_grant"}
# SQLModel's annotation of `sa_type` allows only classes, although instances work, too.
_TIMESTAMP = cast("type[Any]", DateTime(timezone=True))
_STRINGS = cast("type[Any]", ARRAY(String))


class Table(SQLModel):
    """Base of all tables. A table has the name of its class: `DataExport` is `data_export`, `ChunkRow` is `chunk`."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the table after its class, or by another word if SQL reserves it."""
        name = _WORD.sub("_", cls.__name__.removesuffix("Row")).lower()
        cls.__tablename__ = _RESERVED_IN_SQL.get(name, name)
        super().__init_subclass__(**options)


def moment(*, default_now: bool = False, **options: Any) -> Any:
    """Return a timestamptz column; with `default_now`, the database sets it."""
    column = {"server_default": func.now()} if default_now else {}
    return Field(default=None, sa_type=_TIMESTAMP, sa_column_kwargs=column, **options)


class _EnumText(TypeDecorator[StrEnum]):
    """A member of an enum, stored as its value in a column of strings."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        """Return the value to store, and refuse one that the enum does not have."""
        del dialect
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """Return the member with the stored value."""
        del dialect
        return None if value is None else self.members(value)


def enum_column(members: type[StrEnum], **options: Any) -> Any:
    """Return a column for a member of an enum, stored as its value."""
    return Field(sa_type=cast("type[Any]", _EnumText(members)), **options)


def strings(**options: Any) -> Any:
    """Return a column for a list of strings, an array in the database."""
    return Field(sa_type=_STRINGS, **options)


def owned_key() -> Any:
    """Return the owner's ID as the first column of the primary key, so that rows can be sharded by owner."""
    return Field(primary_key=True)
