"""Ollama's API, `/ollama/api`, behind RxChat's sign-in and limits: for tools that speak it. Nothing is kept."""

from __future__ import annotations

from rxchat.api.ollama import answers, listing

ROUTERS = (answers.router, listing.router)
