"""Makes the values that a page receives from domain values, by the names of their fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

View = Callable[[Any], dict[str, Any]]
_UNCHANGED: Mapping[str, str] = {}


def field_view(kind: type[Any], *, without: Collection[str] = (), renamed: Mapping[str, str] = _UNCHANGED) -> View:
    """Return a function that makes JSON values of a dataclass's fields, by name.

    Ids become strings, members of enums their values, and points in time milliseconds since 1970. Fields that are
    None and empty lists are left out.
    """
    types = get_type_hints(kind)
    hints = {item.name: types[item.name] for item in fields(kind) if item.name not in without}
    keys = [renamed.get(name, name) for name in hints]
    # One call in C for all fields: a page of 1,000 messages is made while a user waits.
    read = attrgetter(*hints)
    optional = [key for key, hint in zip(keys, hints.values(), strict=True) if _is_optional(hint)]
    converters = [
        (key, convert)
        for key, hint in zip(keys, hints.values(), strict=True)
        if (convert := _converter(hint)) is not None
    ]

    def view(value: Any) -> dict[str, Any]:
        shown = dict(zip(keys, read(value), strict=True))
        for key in optional:
            if shown[key] is None or shown[key] == []:
                del shown[key]
        for key, convert in converters:
            if key in shown:
                shown[key] = convert(shown[key])
        return shown

    return view


def _is_optional(hint: Any) -> bool:
    return get_origin(hint) is list or isinstance(hint, UnionType)


def _converter(hint: Any) -> Callable[[Any], Any] | None:
    types = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if datetime in types:
        return milliseconds
    is_named = any(isinstance(option, type) and issubclass(option, (UUID, StrEnum)) for option in types)
    return str if is_named else None


def milliseconds(at: datetime | None) -> int:
    """Return a point in time in milliseconds since 1970, as JavaScript counts; 0 for None."""
    return int(at.timestamp() * 1000) if at else 0
