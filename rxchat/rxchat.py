"""The app: pages, HTTP API and lifespan. Reflex imports `rxchat.rxchat:app`."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import reflex as rx
import structlog
from reflex.utils.exec import is_prod_mode
from starlette.types import ASGIApp

from rxchat import bootstrap
from rxchat.api.front import Front
from rxchat.api.routes import build_api
from rxchat.embedded.process import die_with_parent
from rxchat.observability import configure_logging
from rxchat.settings import Settings
from rxchat.states import sockets
from rxchat.states.sidebar import SidebarState
from rxchat.states.viewer import ViewerState
from rxchat.ui import pages

log = structlog.get_logger(__name__)

settings = Settings()  # pyright: ignore[reportCallIssue]
configure_logging(settings.log_level, settings.log_format)


def _in_front(reflex_app: ASGIApp) -> ASGIApp:
    origins = rx.config.get_config().cors_allowed_origins
    return Front(reflex_app, build_api(settings, origins), settings)


def _report(exception: Exception) -> None:
    """Log what a handler did not expect; the page stays as it is, and the person can go on."""
    log.error("a handler failed unexpectedly", exc_info=exception)


@asynccontextmanager
async def _lifespan() -> AsyncGenerator[None]:
    # The server that forked this worker may be killed without a word; nobody else would end the worker then.
    die_with_parent(signal.SIGTERM)
    namespace = app.event_namespace
    if namespace is not None:
        sockets.install(lambda: namespace.token_to_sid)
    async with bootstrap.lifespan(settings, attach=not is_prod_mode()):
        yield


app = rx.App(
    api_transformer=_in_front,
    backend_exception_handler=_report,
    **pages.app_options(),
)
app.register_lifespan_task(_lifespan)
pages.register(app, before_load=(ViewerState.enter, SidebarState.load))
