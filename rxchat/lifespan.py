"""Runs the services of a process, from its start to its end."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog

from rxchat.bootstrap import build_services
from rxchat.connections import Connections, connections, needs_embedded
from rxchat.development import ensure_servers
from rxchat.services.app import container
from rxchat.services.app.container import Services
from rxchat.settings import Settings

log = structlog.get_logger(__name__)


@asynccontextmanager
async def running(settings: Settings, at: Connections) -> AsyncGenerator[Services]:
    """Run the services of this process while the context is open."""
    made = build_services(settings, at)
    services = made.services
    await services.platform.pg_listener.start()
    await services.models.known_settings.start()
    await services.models.provider_pool.start()
    if settings.engine:
        await services.chat.run_engine.start()
        await made.worker.start()
    await services.app.maintenance.start()
    container.install(services)
    log.info("started", pid=os.getpid(), writes=settings.engine, models=list(at.ollama_hosts))
    try:
        yield services
    finally:
        # First, since other processes wait for these leases.
        await services.chat.run_engine.stop()
        await made.worker.stop()
        await services.app.maintenance.stop()
        await services.chat.conversation_imports.stop()
        await services.chat.answer_streams.aclose()
        await services.platform.mail_sender.stop()
        await services.models.hosts.stop()
        await services.models.provider_pool.stop()
        await services.models.known_settings.stop()
        await services.platform.pg_listener.stop()
        container.uninstall()
        await made.aclose()
        log.info("stopped", pid=os.getpid())


@asynccontextmanager
async def lifespan(settings: Settings, *, attach: bool = False) -> AsyncGenerator[None]:
    """Run the services for the lifetime of the web process.

    With `attach` (under `reflex run`), start the embedded servers first if no supervisor runs them.
    """
    if attach and needs_embedded(settings):
        await ensure_servers(settings)
    async with running(settings, connections(settings)):
        yield
