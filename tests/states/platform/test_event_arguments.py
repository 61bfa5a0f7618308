"""Every handler of every state with arguments that it does not take: refused and counted before Reflex sees them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from reflex_base.registry import RegistrationContext
from structlog.processors import KeyValueRenderer
from structlog.testing import CapturingLogger

from rxchat.states.platform import sockets
from rxchat.states.platform.event_shapes import DOOR, JSON_KINDS, arguments_of, is_event, is_reflex_own
from rxchat.states.platform.tab_registry import tabs
from rxchat.ui.site_map import PAGES
from tests.states.platform.test_auth_guard import HANDLERS, our_states
from tests.states.platform.test_sockets import Namespace

pytestmark = pytest.mark.anyio

VALUES: dict[Any, Any] = {str: "a text", dict: {"a": "text"}, list: ["a text"], bool: True, int: 7, float: 0.5}
WRONG: list[Any] = [None, 7, 0.5, True, [], {"$ne": 1}, "a text"]
# Names that mean something on the way to a handler, and none that one takes.
NEVER = ("self", "state", "cls", "current_user", "args", "kwargs", "event", "token", "router_data", "_", "")


def every_handler() -> list[tuple[str, Any]]:
    """All that Reflex would call, its own too."""
    assert len(PAGES) > 5
    found = RegistrationContext.get().event_handlers
    return sorted((name, registered.handler.fn) for name, registered in found.items())


def right_payload(handler: Any) -> dict[str, Any]:
    return {name: VALUES.get(kind, "a text") for name, (kind, _) in arguments_of(handler).items()}


def payloads_that_do_not_fit(handler: Any) -> Iterator[dict[str, Any]]:
    right, parameters = right_payload(handler), arguments_of(handler)
    for name in NEVER:
        yield {name: 1}
        yield right | {name: 1}
    yield right | {"extra": 1}
    for name, (kind, is_optional) in parameters.items():
        if not is_optional:
            yield {other: value for other, value in right.items() if other != name}
        yield from (right | {name: value} for value in WRONG if type(value) is not kind)


def test_what_handlers_take_is_what_browsers_can_send() -> None:
    kinds = {kind for state, name in HANDLERS for kind, _ in arguments_of(state.event_handlers[name].fn).values()}
    assert kinds <= {*JSON_KINDS, int, float} and {str, dict} <= kinds
    taken = {item for state, name in HANDLERS for item in arguments_of(state.event_handlers[name].fn)}
    assert not taken & set(NEVER)


def test_arguments_that_fit_go_through(subtests: pytest.Subtests) -> None:
    for state, name in HANDLERS:
        with subtests.test(handler=f"{state.__name__}.{name}"):
            handler = state.event_handlers[name].fn
            event = {"name": f"{state.get_full_name()}.{name}", "payload": right_payload(handler)}
            assert is_event(event)
            left_away = {item for item, (_, is_optional) in arguments_of(handler).items() if is_optional}
            for item in left_away:
                del event["payload"][item]
            assert is_event(event)


async def test_arguments_that_do_not_fit_never_reach_reflex_and_close_the_socket(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    class Closing(Namespace):
        async def disconnect(self, sid: str) -> None:
            closed.append(sid)

    closed: list[str] = []
    namespace, lines = Closing(), CapturingLogger()
    monkeypatch.setattr(sockets, "log", structlog.wrap_logger(lines, processors=[KeyValueRenderer()]))
    sockets.install(namespace)
    try:
        for name, handler in every_handler():
            with subtests.test(handler=name):
                lines.calls.clear()
                sent = 0
                for payload in (
                    payloads_that_do_not_fit(handler) if not is_reflex_own(name) else [{n: 1} for n in NEVER]
                ):
                    await namespace.on_event(f"of {name}", {"name": name, "payload": payload})
                    sent += 1
                assert namespace.processed == []
                assert closed.pop() == f"of {name}" and len(lines.calls) == sent
                assert all("refused an invalid event" in str(line) for line in lines.calls)
    finally:
        tabs.attach(None)


def test_what_has_no_lock_is_no_event_whatever_comes_with_it() -> None:
    unlocked = [name for name, handler in every_handler() if not is_reflex_own(name) and not hasattr(handler, DOOR)]
    assert {f"{state.get_full_name()}.setvar" for state in our_states()} <= set(unlocked)
    for name in unlocked:
        assert not is_event({"name": name, "payload": {"var_name": "title", "value": "mine"}})
