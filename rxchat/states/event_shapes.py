"""What an event from a browser looks like, checked before Reflex looks at it.

Reflex takes it for granted that its own page sent an event; whatever else comes ends in a traceback that holds all of it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from reflex_base.registry import RegistrationContext

_NONE = type(None)
# Reflex's own handlers check nothing: their arguments, and of which kinds they may be.
_REFLEX_ARGUMENTS: dict[str, dict[str, tuple[type, ...]]] = {
    "hydrate": {},
    "hydrate_and_load": {"vars": (dict, _NONE), "hashes": (list, _NONE)},
    "on_load_internal": {},
    "set_is_hydrated": {"value": (bool,)},
    "handle_frontend_exception": {"info": (str,), "component_stack": (str,)},
}
REFLEX_HANDLERS = frozenset(_REFLEX_ARGUMENTS)
"""What Reflex's own frontend needs; none of these changes a var of ours or tells of one that a page may not see."""
_LONGEST_PATH = 4_000
_PLACE = {"pathname", "asPath", "query"}


def is_event(data: Any) -> bool:
    """Whether a message names a handler that there is, and has the shape of an event."""
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return False
    payload = data.get("payload", {})
    if not isinstance(payload, dict) or not is_place(data.get("router_data", {})):
        return False
    return data["name"] in RegistrationContext.get().event_handlers and _fits(data["name"], payload)


def is_place(place: Any) -> bool:
    """Whether this says on which page a tab is, and nothing else (RouterData of Reflex).

    What is there must be of its kind: Reflex takes null for a page as little as anything else.
    """
    if not isinstance(place, dict) or not place.keys() <= _PLACE:
        return False
    query = place.get("query", {})
    return (
        all(_is_path(place.get(name, "/")) for name in ("pathname", "asPath"))
        and isinstance(query, dict)
        and all(isinstance(value, str) or _is_strings(value) for value in query.values())
        # The page's own query is a part of its path. A tab's place is kept for as long as the tab is.
        and _query_length(query) <= _LONGEST_PATH
    )


def _query_length(query: dict[str, str | list[str]]) -> int:
    """Return how long a query would be in an address: names, values and the signs between them."""
    values = [(name, [value] if isinstance(value, str) else value) for name, value in query.items()]
    return sum(len(name) + 1 + sum(len(item) + 1 for item in items) for name, items in values)


def _is_path(path: Any) -> bool:
    """Whether this is the path of a page, with its query: one line that a URL parser takes for a path."""
    if not isinstance(path, str) or not path.startswith("/") or len(path) > _LONGEST_PATH or not path.isprintable():
        return False
    try:
        urlsplit(path)
    except ValueError:
        return False
    return True


def is_reflex_own(name: str) -> bool:
    """Whether an event is for one of Reflex's handlers that its frontend needs, in a state of Reflex's own."""
    return name.rpartition(".")[2] in REFLEX_HANDLERS and ".rxchat___" not in name


def _fits(name: str, payload: dict[str, Any]) -> bool:
    if not is_reflex_own(name):
        # Ours look at their arguments themselves (auth_guard), and all others are refused.
        return True
    kinds = _REFLEX_ARGUMENTS[name.rpartition(".")[2]]
    needed = {argument for argument, allowed in kinds.items() if _NONE not in allowed}
    if not needed <= payload.keys() <= kinds.keys():
        return False
    return all(
        isinstance(value, kinds[argument])
        and (not isinstance(value, list) or _is_strings(value))
        # What browsers keep for states; none of ours has any.
        and (not isinstance(value, dict) or not value)
        for argument, value in payload.items()
    )


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
