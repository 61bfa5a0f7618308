"""The FastAPI app with every route, its middleware and its error responses."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI

from rxchat import __version__
from rxchat.api import (
    admin,
    auth,
    collections,
    conversations,
    errors,
    external_login,
    files,
    imports,
    me,
    monitoring,
    ollama,
    openai,
    projects,
    prompts,
    public_links,
    tags,
    tokens,
    v1,
)
from rxchat.api.bodies import BodyLimit
from rxchat.api.request_guard import RequestGuard
from rxchat.settings import Settings

STREAMED = (f"{files.UPLOADS}/", files.FILES, imports.IMPORTS)


def build_api(settings: Settings, own_origins: Sequence[str]) -> FastAPI:
    """Return the HTTP API; its routes look up the services of their process when they are called."""
    api = FastAPI(
        title="RxChat",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,
        # Operations are named by their functions, as clients generated from the schema show them.
        generate_unique_id_function=lambda route: route.name,
    )
    api.state.settings = settings
    api.state.own_origins = frozenset(own_origins)
    chat = (conversations, imports, public_links, prompts, projects, tags)
    for part in (auth, external_login, tokens, me, *chat, files, collections, admin, monitoring):
        api.include_router(part.router)
    for router in (*v1.ROUTERS, *openai.ROUTERS, *ollama.ROUTERS):
        api.include_router(router)
    errors.install(api)
    api.add_middleware(RequestGuard)
    # Outermost, so that large bodies are refused before any other middleware reads them.
    api.add_middleware(BodyLimit, streamed=STREAMED)
    return api
