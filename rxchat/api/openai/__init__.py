"""OpenAI's API, `/v1`: chat completions, completions, embeddings and models, for the clients that speak it. Nothing is kept."""

from __future__ import annotations

from rxchat.api.openai import chat_completions, completions, embeddings, models

ROUTERS = (chat_completions.router, completions.router, embeddings.router, models.router)
