"""Validates events from browsers before Reflex sees them.

Reflex assumes that its own page sent an event; anything else ends in a traceback that contains the whole event.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import lru_cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from urllib.parse import urlsplit

from reflex_base.registry import RegistrationContext

from rxchat.domain.text import encodable

_NONE = type(None)
# Reflex's own handlers check nothing: these are their arguments with the allowed types.
_REFLEX_ARGUMENTS: dict[str, dict[str, tuple[type, ...]]] = {
    "hydrate": {},
    "hydrate_and_load": {"vars": (dict, _NONE), "hashes": (list, _NONE)},
    "on_load_internal": {},
    "set_is_hydrated": {"value": (bool,)},
    "handle_frontend_exception": {"info": (str,), "component_stack": (str,)},
}
REFLEX_HANDLERS = frozenset(_REFLEX_ARGUMENTS)
"""The handlers that Reflex's frontend needs; none of them changes or reveals a variable of RxChat."""
JSON_KINDS = (str, bool, dict, list, _NONE)
"""The types of JSON values, except numbers."""
_LONGEST_PATH = 4_000
_PLACE = {"pathname", "asPath", "query"}
_SPLAT = "splat"
"""The only parameter that Reflex's frontend sends as a list: the path segments of an unknown address."""


def is_event(data: Any) -> bool:
    """Whether a message is a valid event of an existing handler."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return False
    payload = data.get("payload", {})
    if not isinstance(payload, dict) or not is_place(data.get("router_data", {})):
        return False
    registered = RegistrationContext.get().event_handlers.get(data["name"])
    return registered is not None and _fits(data["name"], registered.handler.fn, payload)


def encodable_event(data: Any) -> Any:
    """Return a payload with lone surrogates replaced: a page with one could not be encoded.

    Raises:
        RecursionError: when it is nested too deeply.
    """
    text = json.dumps(data, ensure_ascii=False)
    sendable = encodable(text)
    # It was JSON, so this is lossless.
    return data if sendable == text else json.loads(sendable)


def is_place(place: Any) -> bool:
    """Whether this is valid RouterData of Reflex: the page that a tab shows, and nothing else.

    Each value must have its type: Reflex fails on null.
    """
    if not isinstance(place, dict) or not place.keys() <= _PLACE:
        return False
    query = place.get("query", {})
    return (
        all(_is_path(place.get(name, "/")) for name in ("pathname", "asPath"))
        and isinstance(query, dict)
        # Lists in other parameters would reach variables of type str.
        and all(isinstance(value, str) or (name == _SPLAT and _is_strings(value)) for name, value in query.items())
        # The page's query is part of its path, and the path is limited, since it is stored for the tab's lifetime.
        and _query_length(query) <= _LONGEST_PATH
    )


def _query_length(query: dict[str, str | list[str]]) -> int:
    """Return the length of a query in an address."""
    values = [(name, [value] if isinstance(value, str) else value) for name, value in query.items()]
    return sum(len(name) + 1 + sum(len(item) + 1 for item in items) for name, items in values)


def _is_path(path: Any) -> bool:
    """Whether this is a path with a query: one line that a URL parser accepts as a path."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) > _LONGEST_PATH or not path.isprintable():
        return False
    try:
        urlsplit(path)
    except ValueError:
        return False
    return True


def is_reflex_own(name: str) -> bool:
    """Whether an event is for a handler that Reflex's frontend needs, in a state of Reflex."""
    return name.rpartition(".")[2] in REFLEX_HANDLERS and ".rxchat___" not in name


DOOR = "_rxchat_door"
"""The attribute that marks guarded handlers (auth_guard.py sets it)."""


def _fits(name: str, handler: Callable[..., Any], payload: dict[str, Any]) -> bool:
    """Whether a payload has all required parameters of a handler, with values of the annotated types.

    Clients must not send `self`: Reflex passes the state itself, and raises for a second one.
    """
    if not is_reflex_own(name):
        if getattr(handler, DOOR, None) is None:
            return False
        parameters = arguments_of(handler)
        needed = {item for item, (_, is_optional) in parameters.items() if not is_optional}
        return needed <= payload.keys() <= parameters.keys() and all(
            _is_of_type(value, parameters[item][0]) for item, value in payload.items()
        )
    kinds = _REFLEX_ARGUMENTS[name.rpartition(".")[2]]
    needed = {argument for argument, allowed in kinds.items() if _NONE not in allowed}
    if not needed <= payload.keys() <= kinds.keys():
        return False
    return all(
        isinstance(value, kinds[argument])
        and (not isinstance(value, list) or _is_strings(value))
        # Browser storage of states, which RxChat does not use.
        and (not isinstance(value, dict) or not value)
        for argument, value in payload.items()
    )


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


@lru_cache(maxsize=1024)
def arguments_of(handler: Callable[..., Any]) -> dict[str, tuple[Any, bool]]:
    """Return a handler's parameters for clients: the type, and whether it has a default."""
    hints = get_type_hints(handler)
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    return {item.name: (hints.get(item.name, Any), item.default is not item.empty) for item in parameters}


def _is_of_type(value: Any, kind: Any) -> bool:
    """Whether an annotation allows a JSON value; annotations without a JSON type allow none."""
    if kind is Any or kind is object:
        return True
    if get_origin(kind) in {Union, UnionType}:
        return any(_is_of_type(value, item) for item in get_args(kind))
    if kind is float or kind is int:
        # In Python, bool is a subclass of int.
        return isinstance(value, (int, float) if kind is float else int) and not isinstance(value, bool)
    return (get_origin(kind) or kind) in JSON_KINDS and isinstance(value, get_origin(kind) or kind)
