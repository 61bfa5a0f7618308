"""The HTTP API for programs, `/api/v1`: the same services as the pages, with problem details as errors."""

from __future__ import annotations

from rxchat.api.v1 import (
    assistants,
    configurations,
    conversations,
    hosts,
    messages,
    model_settings,
    models,
    providers,
    quotas,
    runs,
    system,
)

ROUTERS = (
    assistants.router,
    conversations.router,
    configurations.router,
    messages.router,
    runs.router,
    model_settings.router,
    models.router,
    hosts.router,
    providers.router,
    quotas.router,
    quotas.admin_router,
    system.router,
)
