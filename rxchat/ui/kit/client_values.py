"""Values that live in the browser: what is open, what is typed. Reading and setting them takes no round trip.

`rx._x.client_state` does the same, but redraws every component that sets a value (each of a thousand rows), and is experimental.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import reflex as rx
from reflex.event import EventChain
from reflex.utils.imports import ImportVar
from reflex.vars import FunctionVar, VarData
from reflex.vars.function import ArgsFunctionOperationBuilder, FunctionStringVar

from rxchat.ui.client import ClientComponent, module

T = TypeVar("T")


def js_function(name: str, library: str) -> FunctionVar:
    """Return a function of one of RxChat's browser modules, for expressions and triggers."""
    return FunctionStringVar.create(name, _var_data=VarData(imports={module(library): [ImportVar(tag=name)]}))


def react_hook(call: str, name: str, type_: Any, library: str, tag: str) -> rx.Var:
    """Return the value of a React hook, such as the parameters of the address.

    Args:
        call: The JavaScript expression that calls the hook.
        name: The constant that the expression is assigned to.
        type_: The type of the value.
        library: The package that exports the hook.
        tag: The hook's name there.
    """
    data = VarData(hooks={f"const {name} = {call}": None}, imports={library: [ImportVar(tag=tag)]})
    return rx.Var(_js_expr=name, _var_type=type_, _var_data=data).guess_type()


def in_sequence(*calls: rx.Var) -> FunctionVar:
    """Return a trigger that makes these calls in the browser, one after the other."""
    return ArgsFunctionOperationBuilder.create((), rx.Var.create(list(calls))).to(FunctionVar, EventChain)


def on_answer(calls: Callable[[rx.Var], Sequence[rx.Var]]) -> FunctionVar:
    """Return a trigger that makes these calls in the browser with the answer of a request."""
    answer = rx.Var("answer", _var_type=dict[str, Any]).guess_type()
    made = rx.Var.create(list(calls(answer)))
    return ArgsFunctionOperationBuilder.create(("answer",), made).to(FunctionVar, EventChain)


def browser_function(name: str) -> FunctionVar:
    """Return a function of the browser itself, such as `encodeURIComponent`."""
    return FunctionStringVar.create(name)


encoded = browser_function("encodeURIComponent")
"""Call it with a text to use it as a part of an address."""
backend_address = js_function("address", "backend.js")
"""Call it with the path of a route of the server: in development, it has another port than the page."""
go_to = browser_function("window.location.assign")
"""Call it with an address to leave the page; only with one of this site, or one that the server gave."""


_SET = js_function("setClientValue", "client-values.js")


class ClientValue(Generic[T]):
    """A named value in the browser, shared by the components that use it."""

    def __init__(self, name: str, initial: T, type_: Any = None) -> None:
        """Create it.

        Args:
            name: An identifier, unique among all pages.
            initial: The value until it is set.
            type_: The type for expressions, if it is not that of `initial`.
        """
        self._name, self._initial, self._type = name, rx.Var.create(initial), type_ or type(initial)

    @property
    def initial_value(self) -> dict[str, rx.Var]:
        """The value until it is set, by name; for `fresh`."""
        return {self._name: self._initial}

    @property
    def value(self) -> rx.Var:
        """The current value; the component that shows it is redrawn when it changes."""
        call = f"useClientValue({self._name!r}, {self._initial!s})"
        return react_hook(call, f"value_{self._name}", self._type, module("client-values.js"), "useClientValue")

    def assign(self, value: Any) -> rx.Var:
        """The call that sets it, for `in_sequence`."""
        return _SET.call(self._name, value)

    def set(self, value: Any) -> FunctionVar:
        """A trigger that sets it."""
        return in_sequence(self.assign(value))


class FreshValues(ClientComponent):
    """Sets client values when it is drawn."""

    library = module("client-values.js")
    tag = "FreshValues"

    values: rx.Var[dict[str, Any]]


def fresh(*values: Any, **props: Any) -> rx.Component:
    """Set client values (or the statuses of forms) to their initial values at each visit of the page, and when the `key` changes."""
    initial: dict[str, rx.Var] = {}
    for value in values:
        initial |= value.initial_value
    return FreshValues.create(values=initial, **props)


def local_state(name: str, initial: Any) -> Any:
    """Return a value of one instance of an `rx.memo`, such as whether this row is being renamed."""
    return rx._x.client_state(name, default=initial, global_ref=False)


def route_param(name: str) -> rx.Var[str]:
    """Return the part of the address with this name in the route; known before the server has answered."""
    params = react_hook("useParams()", "params", dict[str, str], "react-router", "useParams")
    expression = f'(params[{name!r}] ?? "")'
    return rx.Var(_js_expr=expression, _var_type=str, _var_data=params._get_all_var_data()).guess_type()


def search_param(name: str) -> rx.Var[str]:
    """Return what the address says about this name behind the "?"; "" if nothing."""
    search = react_hook("useSearchParams()[0]", "search", Any, "react-router", "useSearchParams")
    expression = f'({search!s}.get({name!r}) ?? "")'
    return rx.Var(_js_expr=expression, _var_type=str, _var_data=search._get_all_var_data()).guess_type()


def fragment_param(name: str) -> rx.Var[str]:
    """Return the same behind the "#", which browsers send to no server and no proxy: the place of one-time tokens."""
    call = "new URLSearchParams(useLocation().hash.slice(1))"
    fragment = react_hook(call, "fragment", Any, "react-router", "useLocation")
    expression = f'({fragment!s}.get({name!r}) ?? "")'
    return rx.Var(_js_expr=expression, _var_type=str, _var_data=fragment._get_all_var_data()).guess_type()


def address() -> rx.Var[dict[str, Any]]:
    """Return the address: its `pathname`, its `search` and `hash` (both "" or with their sign), and the `state` of the history."""
    return react_hook("useLocation()", "location", dict[str, Any], "react-router", "useLocation")


def current_path() -> rx.Var[str]:
    """Return the path of the address."""
    return address()["pathname"].to(str)


class StateRequest(ClientComponent):
    """Asks a state for what the page shows, and again after the server has lost it; shows nothing."""

    library = module("state-request.js")
    tag = "StateRequest"

    wanted: rx.Var[str]
    """The key of what is shown."""
    loaded: rx.Var[str]
    """The key of what the state has; "" for nothing."""
    on_request: rx.EventHandler[rx.event.no_args_event_spec]
