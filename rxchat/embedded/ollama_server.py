"""The process that serves the demo model and the embedding model with Ollama's API."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import uvicorn

from rxchat.embedded.ollama_api import build_app
from rxchat.embedded.ollama_catalog import catalog


async def serve(models: Path, port: int, *, embedder_only: bool = False) -> None:
    """Load the first model, so that the first question is quick, and serve until SIGTERM or SIGINT."""
    offered = catalog(models, embedder_only=embedder_only)
    first = offered.models[0]
    await first.llama.load()
    first.is_shown_as_loaded = True
    server = uvicorn.Server(
        uvicorn.Config(
            build_app(offered), host="127.0.0.1", port=port, http="httptools", ws="none", lifespan="off", log_config=None,
            log_level="warning", access_log=False, server_header=False,
        )
    )  # fmt: skip
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = asyncio.ensure_future(server.serve())
    stopping = asyncio.ensure_future(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        serving.result()


def main() -> None:
    """Run the server process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--embedder-only", action="store_true")
    given = parser.parse_args()
    asyncio.run(_serve_and_exit(given.models, given.port, embedder_only=given.embedder_only))


async def _serve_and_exit(models: Path, port: int, *, embedder_only: bool) -> None:
    """Serve, then exit without freeing llama.cpp, which can block forever in this release."""
    await serve(models, port, embedder_only=embedder_only)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
