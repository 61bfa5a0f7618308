"""Makes the values that a page receives from domain values, by the names of their fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
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
    always: list[str] = []
    sometimes: list[str] = []
    hints = get_type_hints(kind)
    for item in fields(kind):
        if item.name in without:
            continue
        key, source, hint = repr(renamed.get(item.name, item.name)), f"value.{item.name}", hints[item.name]
        if get_origin(hint) is list:
            sometimes.append(f"    if {source}: shown[{key}] = {source}")
        elif isinstance(hint, UnionType):
            sometimes.append(f"    if {source} is not None: shown[{key}] = {_converted(source, get_args(hint))}")
        else:
            always.append(f"{key}: {_converted(source, (hint,))}")
    lines = ["def view(value):", f"    shown = {{{', '.join(always)}}}", *sometimes, "    return shown"]
    # Generated, as the methods of dataclasses are: a loop over the fields takes twice the time for each message.
    made: dict[str, Any] = {}
    exec("\n".join(lines), made)  # noqa: S102 - made of the names of fields only
    return made["view"]


def _converted(source: str, types: tuple[Any, ...]) -> str:
    if datetime in types:
        return f"int({source}.timestamp() * 1000)"
    is_named = any(isinstance(option, type) and issubclass(option, (UUID, StrEnum)) for option in types)
    return f"str({source})" if is_named else source
