"""The lock on door 1: every handler of every state is a remote procedure that anyone may call with anything.

`signed_in` checks who calls and what they send before a handler's first line, and turns every expected failure into
something that the page shows. `Lock` lets no event through to a handler without it, whether it is ours by mistake or
one that Reflex gives to every state (`setvar`).
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints
from urllib.parse import quote

import reflex as rx
import structlog
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext
from starlette.requests import cookie_parser

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import DatabaseUnavailable, InvalidInput, NotSignedIn, RxChatError, SecondFactorNeeded
from rxchat.observability import correlated
from rxchat.services.app import container
from rxchat.states.platform import session_watchdog
from rxchat.states.platform.event_shapes import DOOR, is_reflex_own
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

log = structlog.get_logger(__name__)

_AWAY_SECONDS = 1.0
_SECURE_COOKIE, _PLAIN_COOKIE = "__Host-rxchat_session", "rxchat_session"
_accepted = [_SECURE_COOKIE, _PLAIN_COOKIE]

ENROL_AT = "/account/security"


class TabBinding(rx.State):
    """Whose state this is: Reflex hands a tab's state to whoever names the tab, and a browser has several people."""

    _fingerprint: str = ""


async def _bind(state: BaseState) -> None:
    """Forget everything when the session behind a tab is another one than before, before anything of it is sent."""
    binding = await state.get_state(TabBinding)
    fingerprint = hashlib.sha256(session_cookie(state).encode()).hexdigest()
    if binding._fingerprint not in {"", fingerprint}:
        state._get_root_state().reset()
    binding._fingerprint = fingerprint


def session_cookie(state: BaseState) -> str:
    """Return the sealed session of a socket's handshake, or "" when there is none."""
    cookies = cookie_parser(state.router.headers.cookie)
    return next((cookies[name] for name in _accepted if name in cookies), "")


def accept_cookie(name: str) -> None:
    """Take sessions from the cookie of this name alone: over https another host could set the plain one."""
    _accepted[:] = [name]


class EventAuthMiddleware(Middleware):
    """Refuses every event whose handler nobody has guarded, and keeps a tab's state to one person."""

    async def preprocess(self, app: Any, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Return an empty update, which ends the event, or None to let it through."""
        registered = RegistrationContext.get().event_handlers.get(event.name)
        handler = registered.handler if registered else None
        if handler is not None and (is_reflex_own(event.name) or getattr(handler.fn, DOOR, None) is not None):
            await _bind(state)
            session_watchdog.track(state.router.session.client_token, session_cookie(state), current_path(state))
            return None
        log.warning("refused an event without a lock", event_name=event.name[:200])
        return StateUpdate()


async def current_user_of(state: rx.State, *, enrolling: bool = False) -> CurrentUser:
    """Return who is behind this socket, by the cookie of its handshake and the server's record of it.

    Raises:
        NotSignedIn: when there is no session, or it does not count any more.
        DatabaseUnavailable: when nobody can tell just now.
    """
    return await container.get_services().accounts.sessions.current_user(session_cookie(state), enrolling=enrolling)


def requires_user(
    method: Callable[..., Awaitable[Any]],
    *,
    refuse: Callable[[Any, RxChatError, dict[str, Any]], bool] | None = None,
    reopens: bool = False,
    enrolling: bool = False,
) -> Any:
    """Make a handler of `async def name(self, viewer, ...)`: only someone signed in gets in, with values of the hinted types.

    What went wrong is shown in the banner, unless `refuse` (state, error, what was sent) has shown it elsewhere. With
    `reopens`, a page whose loading met the database away is loaded again as soon as it is back. Who has to set up a
    second factor first is led to where that is done; the handlers for doing it let them in (`enrolling`).
    """
    hints = get_type_hints(method)
    parameters = [item for item in inspect.signature(method).parameters.values() if item.name != "current_user"]
    expected = {item.name: hints.get(item.name, object) for item in parameters[1:]}
    optional = frozenset(item.name for item in parameters if item.default is not item.empty)

    @functools.wraps(method)
    async def guarded(self: rx.State, *args: Any, **kwargs: Any) -> Any:
        given = dict(zip(expected, args, strict=False)) | kwargs
        current_user: CurrentUser | None = None
        with correlated():
            try:
                _check_types(method.__qualname__, given, expected, optional)
                current_user = await current_user_of(self, enrolling=enrolling)
                return await method(self, current_user, **given)
            except NotSignedIn:
                return rx.redirect(f"/sign-in?next={quote(current_path(self), safe='/')}")
            except SecondFactorNeeded:
                return _enrol(self)
            except RxChatError as error:
                log.info("refused", handler=method.__qualname__, code=error.code)
                await container.get_services().access.denials.record(
                    current_user, client_info_of(self), method.__qualname__, error
                )
                if refuse is None or not refuse(self, error, given):
                    await _show(self, error)
                return _reopen() if reopens and isinstance(error, DatabaseUnavailable) else None

    guarded.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
    guarded.__annotations__ = {name: hint for name, hint in method.__annotations__.items() if name != "current_user"}
    setattr(guarded, DOOR, "signed_in")
    return guarded


def requires_user_in_background(method: Callable[..., Awaitable[Any]]) -> Any:
    """The same for a background handler `async def name(self, viewer)`, which holds no lock on its state."""

    @functools.wraps(method)
    async def guarded(self: rx.State, **unexpected: Any) -> Any:
        with correlated():
            try:
                _check_types(method.__qualname__, unexpected, {})
                current_user = await _viewer_when_back(self)
                return await method(self, current_user)
            except NotSignedIn:
                return rx.redirect(f"/sign-in?next={quote(current_path(self), safe='/')}")
            except SecondFactorNeeded:
                return _enrol(self)
            except RxChatError as error:
                log.info("refused", handler=method.__qualname__, code=error.code)
                async with self:  # pyright: ignore[reportGeneralTypeIssues]
                    return await _show(self, error)

    guarded.__signature__ = inspect.Signature(list(inspect.signature(method).parameters.values())[:1])  # pyright: ignore[reportAttributeAccessIssue]
    guarded.__annotations__ = {}
    setattr(guarded, DOOR, "signed_in")
    return guarded


async def _viewer_when_back(state: Any) -> CurrentUser:
    """Return who is behind a socket; while the database is away, say so and wait for as long as the tab is open."""
    while True:
        async with state:
            try:
                return await current_user_of(state)
            except DatabaseUnavailable as error:
                await _show(state, error)
                if not tabs.is_open(state.router.session.client_token):
                    raise
        await asyncio.sleep(_AWAY_SECONDS)


def _enrol(state: rx.State) -> Any:
    """Lead somebody to where they set up a second factor, unless they are there."""
    return None if is_account_page(current_path(state)) else rx.redirect(ENROL_AT)


def is_account_page(path: str) -> bool:
    """Whether an address is one of the pages of one's own account."""
    return (path.partition("?")[0] + "/").startswith("/account/")


_banner: list[Any] = []


def show_errors_in(state: Any) -> Any:
    """Show what goes wrong in the `problem` of this state, and call its `reopen` when the database is back; a decorator."""
    _banner[:] = [state]
    return state


def _reopen() -> Any:
    return _banner[0].reopen if _banner else None


def _check_types(
    handler: str, given: dict[str, Any], expected: dict[str, Any], optional: frozenset[str] = frozenset()
) -> None:
    if given.keys() - expected.keys():
        log.warning("a handler was called with arguments that it has not", handler=handler)
        raise InvalidInput("Something was sent that RxChat does not understand; please reload the page.")
    for name, kind in expected.items():
        if name not in given and name in optional:
            continue
        if name not in given or not isinstance(given[name], kind):
            log.warning("a handler was called with the wrong types", handler=handler, argument=name)
            raise InvalidInput("Something was sent that RxChat does not understand; please reload the page.")


def current_path(state: BaseState) -> str:
    """Return the address of the page that a tab is on."""
    path = str(state.router_data.get("asPath") or state.router_data.get("pathname") or "/")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


async def _show(state: rx.State, error: RxChatError) -> None:
    """Say what went wrong in the banner of the page."""
    for banner in _banner:
        (await state.get_state(banner)).problem = error.message
