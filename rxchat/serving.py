"""How the web server is started: its command, its environment, and the child that `up` keeps running."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial

import httpx

from rxchat import frontend
from rxchat.embedded import loopback, progress
from rxchat.embedded.supervisor import Child
from rxchat.settings import Settings

# Internal to Reflex (it is pinned): serve the frontend that is built already, and compile nothing.
ENVIRONMENT = {
    "__REFLEX_MOUNT_FRONTEND_COMPILED_APP": "true",
    "__REFLEX_SKIP_COMPILE": "true",
    "REFLEX_ENV_MODE": "prod",
    "REFLEX_SSR": "false",
    # A line that is dead without having been closed is noticed on both sides in 25 s.
    "REFLEX_SOCKET_INTERVAL": "10",
    "REFLEX_SOCKET_TIMEOUT": "15",
}


def command(settings: Settings, workers: int = 1) -> list[str]:
    """Return the command that serves pages, websocket and API."""
    listening = ["--host", settings.host, "--port", str(settings.port)]
    return [sys.executable, "-m", "rxchat.server", *listening, "--workers", str(workers)]


def child(settings: Settings) -> Child:
    """Return the web server as a child of the supervisor.

    It runs the server's own command: `python -m rxchat web` would import all of RxChat for checks that were made already,
    which doubles the time until the first page.
    """
    progress.enter_stage(settings.data, "loading RxChat")
    return Child(
        name="web",
        label="the web server",
        command=command(settings),
        env={**os.environ, **ENVIRONMENT},
        folder=frontend.ROOT,
        healthy=partial(_is_serving, settings),
        stage=partial(progress.stage, settings.data),
        # Even when we are killed it may save what it is writing.
        death_signal=signal.SIGTERM,
    )


async def _is_serving(settings: Settings) -> None:
    async with loopback.client() as client:
        try:
            (await client.get(f"{_local_url(settings)}/healthz", timeout=5)).raise_for_status()
        except httpx.HTTPError as error:
            raise ConnectionError(str(error)) from error


def _local_url(settings: Settings) -> str:
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognized, not bound
    host = everywhere.get(settings.host, settings.host)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
