"""The guard of event handlers: any client may call every handler of every state with any arguments.

`requires_user` checks the session and the arguments before a handler runs, and shows expected errors on the page.
`EventAuthMiddleware` refuses events for handlers without a guard, whether it is missing by mistake or Reflex adds the
handler to every state (`setvar`).
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, get_type_hints
from urllib.parse import quote
from uuid import UUID

import reflex as rx
import structlog
from reflex.event import Event
from reflex.middleware.middleware import Middleware
from reflex.state import BaseState, StateUpdate
from reflex_base.registry import RegistrationContext
from starlette.requests import cookie_parser

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import (
    DatabaseUnavailable,
    InvalidInput,
    NotFound,
    NotSignedIn,
    RxChatError,
    SecondFactorNeeded,
)
from rxchat.domain.ids import parse_id
from rxchat.observability import correlated
from rxchat.services.app import container
from rxchat.states.platform import session_watchdog
from rxchat.states.platform.event_shapes import DOOR, is_reflex_own
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

log = structlog.get_logger(__name__)

LONGEST_TEXT = 10_000
"""The maximum length of a text in the arguments of a handler that does not name another one."""
ANY_LENGTH = 10_000_000
"""For handlers that cut the text, or whose service refuses one that is too long in words of its own."""
_AWAY_SECONDS = 1.0
_SECURE_COOKIE, _PLAIN_COOKIE = "__Host-rxchat_session", "rxchat_session"
_accepted = [_SECURE_COOKIE, _PLAIN_COOKIE]

ENROL_AT = "/account/security"


class TabBinding(rx.State):
    """The session that a tab's state belongs to: Reflex gives a tab's state to any client that knows the tab's token."""

    _fingerprint: str = ""


async def _bind(state: BaseState) -> None:
    """Reset the state if the tab's session has changed, before any of it is sent."""
    binding = await state.get_state(TabBinding)
    fingerprint = hashlib.sha256(session_cookie(state).encode()).hexdigest()
    if binding._fingerprint not in {"", fingerprint}:
        state._get_root_state().reset()
    binding._fingerprint = fingerprint


def session_cookie(state: BaseState) -> str:
    """Return the session cookie of a socket's handshake, or "" if it has none."""
    cookies = cookie_parser(state.router.headers.cookie)
    return next((cookies[name] for name in _accepted if name in cookies), "")


def accept_cookie(name: str) -> None:
    """Accept only the session cookie with this name: over https, another host could set the plain one."""
    _accepted[:] = [name]


class EventAuthMiddleware(Middleware):
    """Refuses events whose handler has no guard, and binds a tab's state to one session."""

    async def preprocess(self, app: Any, state: BaseState, event: Event) -> StateUpdate | None:  # noqa: ARG002
        """Return an empty update, which ends the event, or None to continue."""
        registered = RegistrationContext.get().event_handlers.get(event.name)
        handler = registered.handler if registered else None
        if handler is not None and (is_reflex_own(event.name) or getattr(handler.fn, DOOR, None) is not None):
            await _bind(state)
            session_watchdog.track(state.router.session.client_token, session_cookie(state), current_path(state))
            return None
        log.warning("refused an event whose handler is not guarded", event_name=event.name[:200])
        return StateUpdate()


async def current_user_of(state: rx.State, *, enrolling: bool = False) -> CurrentUser:
    """Return the user of this socket, by its cookie and the server's record.

    Raises:
        NotSignedIn: when it has no active session.
        DatabaseUnavailable: when Postgres does not respond.
    """
    return await container.get_services().accounts.sessions.current_user(session_cookie(state), enrolling=enrolling)


def requires_user(
    method: Callable[..., Awaitable[Any]],
    *,
    refuse: Callable[[Any, RxChatError, dict[str, Any]], bool] | None = None,
    reopens: bool = False,
    enrolling: bool = False,
    longest: int = LONGEST_TEXT,
) -> Any:
    """Guard a handler `async def name(self, current_user, ...)`: requires a session, and arguments of the hinted types.

    `longest` is the maximum length of each text in them, in code points: cleaning a name of two million takes a second.

    Errors are shown in the banner, unless `refuse` (state, error, arguments) has shown them elsewhere. With
    `reopens`, the page is loaded again after the database has recovered. Users who have to set up a second factor
    first are redirected there; handlers for doing so accept them (`enrolling`).
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
                _check_lengths(given, longest)
                current_user = await current_user_of(self, enrolling=enrolling)
                return await method(self, current_user, **given)
            except NotSignedIn:
                return rx.redirect(f"/sign-in?next={quote(current_path(self), safe='/')}")
            except SecondFactorNeeded:
                return _enrol(self)
            except RxChatError as error:
                log.info("refused", handler=method.__qualname__, code=error.code)
                await container.get_services().access.denials.record(
                    current_user,
                    client_info_of(self),
                    method.__qualname__,
                    error,
                    None if given else _ids_in_address(self),
                )
                if refuse is None or not refuse(self, error, given):
                    await _show(self, error)
                return _reopen() if reopens and isinstance(error, DatabaseUnavailable) else None

    guarded.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportAttributeAccessIssue]
    guarded.__annotations__ = {name: hint for name, hint in method.__annotations__.items() if name != "current_user"}
    setattr(guarded, DOOR, "signed_in")
    return guarded


def requires_user_in_background(method: Callable[..., Awaitable[Any]]) -> Any:
    """Guard a background handler `async def name(self, current_user)`, which does not hold the state's lock."""

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
    """Return the user of a socket; while the database does not respond, show it and wait."""
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
    """Redirect a user to the page for setting up a second factor, unless they are there."""
    return None if is_account_page(current_path(state)) else rx.redirect(ENROL_AT)


def is_account_page(path: str) -> bool:
    """Whether a path is one of the account pages."""
    return (path.partition("?")[0] + "/").startswith("/account/")


_banner: list[Any] = []


def show_errors_in(state: Any) -> Any:
    """Decorator: show errors in the `problem` of this state, and call its `reopen` after the database has recovered."""
    _banner[:] = [state]
    return state


def _reopen() -> Any:
    return _banner[0].reopen if _banner else None


def _check_types(
    handler: str, given: dict[str, Any], expected: dict[str, Any], optional: frozenset[str] = frozenset()
) -> None:
    if given.keys() - expected.keys():
        log.warning("a handler was called with unknown arguments", handler=handler)
        raise InvalidInput("The page sent an invalid request. Reload the page.")
    for name, kind in expected.items():
        if name not in given and name in optional:
            continue
        if name not in given or not isinstance(given[name], kind):
            log.warning("a handler was called with the wrong types", handler=handler, argument=name)
            raise InvalidInput("The page sent an invalid request. Reload the page.")


def _check_lengths(value: Any, longest: int) -> None:
    if isinstance(value, str):
        if len(value) > longest:
            raise InvalidInput(f"This text has {len(value):,} characters; the maximum is {longest:,}. Shorten it.")
    elif isinstance(value, dict):
        for name, item in value.items():
            _check_lengths(name, longest)
            _check_lengths(item, longest)
    elif isinstance(value, list):
        for item in value:
            _check_lengths(item, longest)


def current_path(state: BaseState) -> str:
    """Return the path of the page that a tab shows."""
    path = str(state.router_data.get("asPath") or state.router_data.get("pathname") or "/")
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


async def record_denied_link(state: BaseState, current_user: CurrentUser, door: str, named: str) -> None:
    """Record that a user has opened a link to what is another user's. A link to nothing is not recorded."""
    found = parse_id(named)
    if found is not None:
        await container.get_services().access.denials.record(
            current_user, client_info_of(state), door, NotFound(), [found]
        )


def _ids_in_address(state: BaseState) -> list[UUID]:
    """Return the IDs in the address of the page that a tab shows."""
    parts = re.split(r"[/?&=#]", current_path(state))
    return [found for part in parts if (found := parse_id(part)) is not None]


async def _show(state: rx.State, error: RxChatError) -> None:
    """Show an error in the banner of the page."""
    for banner in _banner:
        (await state.get_state(banner)).problem = error.message
