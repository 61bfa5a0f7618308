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

from rxchat import bootstrap, checks, frontend
from rxchat.api.gateway import Gateway
from rxchat.api.requests import cookie_name
from rxchat.api.routes import build_api
from rxchat.embedded import progress
from rxchat.embedded.process import die_with_parent
from rxchat.observability import configure_logging
from rxchat.settings import Settings
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform import auth_guard, session_watchdog, sockets, tab_cleanup
from rxchat.states.platform.auth_guard import EventAuthMiddleware
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui import pages

log = structlog.get_logger(__name__)

settings = Settings()  # pyright: ignore[reportCallIssue]
configure_logging(settings.log_level, settings.log_format)

if not is_prod_mode():
    # `reflex run` ends here, before it starts anything; our own commands have looked before they come this far.
    try:
        checks.require_secure(settings)
    except checks.InsecureSettings as error:
        sys.exit("\n".join(f"rxchat: {finding}" for finding in error.findings))


class App(rx.App):
    """Reflex's app with our front before all of it: what Reflex answers by itself passes there, too."""

    def __call__(self) -> ASGIApp:
        """Return the whole house for the server that runs it."""
        origins = rx.config.get_config().cors_allowed_origins
        return Gateway(
            super().__call__(),
            build_api(settings, origins),
            settings,
            own_origins=origins,
            script_hashes=frontend.inline_script_hashes(),
        )


def _report(exception: Exception) -> None:
    """Log what a handler did not expect; the page stays as it is, and the user can go on."""
    log.error("a handler failed unexpectedly", exc_info=exception)


def _report_page(exception: Exception) -> None:
    """Log that a page's script failed: what it is called and where, never what the page showed."""
    lines = [line.strip()[:200] for line in str(exception).splitlines() if line.strip()]
    log.warning("a page's script failed", error=lines[0] if lines else "", at=lines[1] if len(lines) > 1 else "")


auth_guard.accept_cookie(cookie_name(settings))


@asynccontextmanager
async def _lifespan() -> AsyncGenerator[None]:
    # Under `reflex run` the parent may be killed, and nothing else would end this process; our own server has asked for it before.
    die_with_parent(signal.SIGTERM)
    progress.enter_stage(settings.data, "connecting to the database and the other servers")
    # Again, for whoever starts it in another way.
    checks.require_secure(settings)
    if app.event_namespace is not None:
        sockets.install(app.event_namespace)
    async with bootstrap.lifespan(settings, attach=not is_prod_mode()):
        # What lives from the start lives to the end: a full collection that walks over it stops streams for 0.1 s.
        gc.collect()
        gc.freeze()
        async with session_watchdog.watching(), tab_cleanup.tidied(app.state_manager):
            yield


app = App(
    backend_exception_handler=_report,
    frontend_exception_handler=_report_page,
    **pages.app_options(),
)
app.add_middleware(EventAuthMiddleware())
app.register_lifespan_task(_lifespan)
pages.register(app, before_load=(CurrentUserState.enter, SidebarState.load))
