"""`POST /v1/completions`, the older form of one prompt: models answer it as a message of a user."""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from rxchat.api.event_streams import sse
from rxchat.api.idempotency import IdempotencyKey, once
from rxchat.api.openai.answering import DONE, streamed, unless_left, whole
from rxchat.api.openai.bodies import MOST_CHOICES, CompletionRequest
from rxchat.api.openai.chat_completions import usage_of
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.chat import AnswerFinished, ChatEvent, ChatMessage, Role, TextDelta
from rxchat.domain.errors import InvalidInput
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope
from rxchat.domain.text import sanitize
from rxchat.services.chat.completions import Parts, Question

router = APIRouter(prefix="/v1", tags=["OpenAI"])


@router.post("/completions", response_model=None, **needs(Scope.CHAT))
async def create_completion(
    body: CompletionRequest,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Complete prompts as OpenAI's API does. `suffix`, `echo`, `best_of` and `logprobs` are refused."""
    prompts = [prompt for prompt in body.prompt for _ in range(body.n or 1)]
    if len(prompts) > MOST_CHOICES:
        raise InvalidInput(f"At most {MOST_CHOICES} answers can be written at once.", field="n")
    choices = [[ChatMessage(Role.USER, sanitize(prompt))] for prompt in prompts]
    question = Question(body.model, choices, options=body.options())
    completion = _Completion(body.model, len(choices))

    async def make(_: UUID | None) -> Response:
        if body.stream:
            last = partial(completion.last, with_usage=body.wants_usage)
            return await streamed(request, services, current_user, question, completion.chunks, last)
        completion.take(await unless_left(request, whole(services, current_user, question)))
        return JSONResponse(completion.body())

    return await once(request, services, current_user, idempotency_key, body, make)


class _Completion:
    """A completion in the making: its chunks, or its whole body."""

    def __init__(self, model: str, choices: int) -> None:
        self._head = {
            "id": f"cmpl-{new_id().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
        }
        self._texts = [""] * choices
        self._finished: list[AnswerFinished | None] = [None] * choices

    def take(self, parts: Parts) -> None:
        for number, event in parts:
            if isinstance(event, TextDelta):
                self._texts[number] += event.text
            elif isinstance(event, AnswerFinished):
                self._finished[number] = event

    def chunks(self, parts: Parts) -> bytes:
        self.take(parts)
        return b"".join(
            sse(self._head | {"choices": [_choice(number, getattr(event, "text", ""), _reason(event))]})
            for number, event in parts
            if isinstance(event, (TextDelta, AnswerFinished))
        )

    def last(self, *, with_usage: bool) -> bytes:
        return (sse(self._head | {"choices": [], "usage": usage_of(self._finished)}) if with_usage else b"") + DONE

    def body(self) -> dict[str, Any]:
        ended = zip(self._texts, self._finished, strict=True)
        choices = [_choice(number, text, _reason(end) or "stop") for number, (text, end) in enumerate(ended)]
        return self._head | {"choices": choices, "usage": usage_of(self._finished)}


def _choice(number: int, text: str, reason: str | None = None) -> dict[str, Any]:
    return {"index": number, "text": text, "logprobs": None, "finish_reason": reason}


def _reason(event: ChatEvent | None) -> str | None:
    if not isinstance(event, AnswerFinished):
        return None
    return "length" if event.reason == "length" else "stop"
