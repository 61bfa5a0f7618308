"""The app: pages, HTTP API and lifespan. Reflex imports `rxchat.rxchat:app`."""

import gc
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
import structlog
from reflex.utils.exec import is_prod_mode
from starlette.types import ASGIApp

from rxchat import checks, frontend
from rxchat.api.gateway import Gateway
from rxchat.api.requests import cookie_name
from rxchat.api.routes import build_api
from rxchat.embedded import progress
from rxchat.embedded.process import die_with_parent
from rxchat.lifespan import lifespan
from rxchat.observability import configure_logging
from rxchat.settings import Settings
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform import auth_guard, session_watchdog, sockets, tab_cleanup
from rxchat.states.platform.auth_guard import EventAuthMiddleware
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui import site_map

log = structlog.get_logger(__name__)

settings = Settings()  # pyright: ignore[reportCallIssue]
configure_logging(settings.log_level, settings.log_format)

if not is_prod_mode():
    # `reflex run` ends here before it starts anything; RxChat's own commands have run the checks before.
    try:
        checks.require_secure(settings)
    except checks.InsecureSettings as error:
        sys.exit("\n".join(f"rxchat: {finding}" for finding in error.findings))


class App(rx.App):
    """Reflex's app behind the gateway, which also handles the routes that Reflex itself adds."""

    def __call__(self) -> ASGIApp:
        """Return the ASGI app for the web server."""
        origins = rx.config.get_config().cors_allowed_origins
        return Gateway(
            super().__call__(),
            build_api(settings, origins),
            settings,
            own_origins=origins,
            script_hashes=frontend.inline_script_hashes(),
        )


def _report(exception: Exception) -> None:
    """Log an unexpected error of an event handler; the page stays usable."""
    log.error("a handler failed unexpectedly", exc_info=exception)


def _report_page(exception: Exception) -> None:
    """Log an error of a page's script: its name and location, never the page's content."""
    lines = [line.strip()[:200] for line in str(exception).splitlines() if line.strip()]
    log.warning("a page's script failed", error=lines[0] if lines else "", at=lines[1] if len(lines) > 1 else "")


auth_guard.accept_cookie(cookie_name(settings))


@asynccontextmanager
async def _lifespan() -> AsyncGenerator[None]:
    # Under `reflex run`, this process would survive a killed parent; RxChat's own server has set this up before.
    die_with_parent(signal.SIGTERM)
    progress.enter_stage(settings.data, "connecting to the database and the other servers")
    # Again, in case another server runs the app.
    checks.require_secure(settings)
    if app.event_namespace is not None:
        sockets.install(app.event_namespace)
    async with lifespan(settings, attach=not is_prod_mode()):
        # Objects of the start are never garbage, and a full collection of them would stop streams for 0.1 s.
        gc.collect()
        gc.freeze()
        async with session_watchdog.watching(), tab_cleanup.tidied(app.state_manager):
            yield


app = App(
    backend_exception_handler=_report,
    frontend_exception_handler=_report_page,
    **site_map.app_options(),
)
app.add_middleware(EventAuthMiddleware())
app.register_lifespan_task(_lifespan)
site_map.register(app, before_load=(CurrentUserState.enter, SidebarState.load))
