"""`POST /v1/chat/completions`, plain and streamed."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from rxchat.api.event_streams import sse
from rxchat.api.idempotency import IdempotencyKey, once
from rxchat.api.openai.answering import DONE, streamed, unless_left, whole
from rxchat.api.openai.bodies import ChatCompletionRequest
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.chat import AnswerFinished, ChatEvent, ReasoningDelta, TextDelta, ToolCall, ToolCalled
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Scope
from rxchat.services.chat.completions import Parts, Question

router = APIRouter(prefix="/v1", tags=["OpenAI"])


@router.post("/chat/completions", response_model=None, **needs(Scope.CHAT))
async def create_chat_completion(
    body: ChatCompletionRequest,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Answer messages as OpenAI's API does. Nothing of them is kept; a client that disconnects stops the model."""
    messages = body.chat_messages()
    question = Question(body.model, [messages] * (body.n or 1), body.tool_specs(), body.chat_options())
    completion = _Completion(body.model, body.n or 1)

    async def make(_: UUID | None) -> Response:
        if body.stream:
            last = partial(completion.last, with_usage=body.wants_usage)
            return await streamed(request, services, current_user, question, completion.chunks, last)
        completion.take(await unless_left(request, whole(services, current_user, question)))
        return JSONResponse(completion.body())

    return await once(request, services, current_user, idempotency_key, body, make)


@dataclass
class _Choice:
    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: list[ToolCall] = field(default_factory=list)
    finished: AnswerFinished | None = None
    has_begun: bool = False

    def take(self, event: ChatEvent) -> None:
        match event:
            case TextDelta(text=text):
                self.text.append(text)
            case ReasoningDelta(text=text):
                self.reasoning.append(text)
            case ToolCalled(call=call):
                self.calls.append(call)
            case AnswerFinished():
                self.finished = event

    @property
    def reason(self) -> str:
        if self.calls:
            return "tool_calls"
        return "length" if self.finished is not None and self.finished.reason == "length" else "stop"

    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self.text) or None, "refusal": None}
        if not self.calls:
            message["content"] = "".join(self.text)
        else:
            message["tool_calls"] = [_call(number, call) for number, call in enumerate(self.calls)]
        return message | ({"reasoning_content": "".join(self.reasoning)} if self.reasoning else {})


class _Completion:
    """A completion in the making: its chunks, or its whole body."""

    def __init__(self, model: str, choices: int) -> None:
        self._id = f"chatcmpl-{new_id().hex}"
        self._created = int(time.time())
        self._model = model
        self._choices = [_Choice() for _ in range(choices)]

    def take(self, parts: Parts) -> None:
        for number, event in parts:
            self._choices[number].take(event)

    def chunks(self, parts: Parts) -> bytes:
        """Return the parts as chunks; the first one of each choice has the role."""
        return b"".join(self._encoded(parts))

    def _encoded(self, parts: Parts) -> Iterator[bytes]:
        for number, event in parts:
            choice = self._choices[number]
            if not choice.has_begun:
                choice.has_begun = True
                yield self._chunk(number, {"role": "assistant", "content": ""})
            match event:
                case TextDelta(text=text):
                    yield self._chunk(number, {"content": text})
                case ReasoningDelta(text=text):
                    yield self._chunk(number, {"reasoning_content": text})
                case ToolCalled(call=call):
                    at = len(choice.calls)
                    choice.take(event)
                    yield self._chunk(number, {"tool_calls": [{"index": at} | _call(at, call)]})
                case AnswerFinished():
                    choice.take(event)
                    yield self._chunk(number, {}, choice.reason)

    def _chunk(self, number: int, delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": number, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse(self._head("chat.completion.chunk") | {"choices": [choice]})

    def last(self, *, with_usage: bool) -> bytes:
        if not with_usage:
            return DONE
        return sse(self._head("chat.completion.chunk") | {"choices": [], "usage": self._usage()}) + DONE

    def body(self) -> dict[str, Any]:
        choices = [
            {"index": number, "message": choice.message(), "logprobs": None, "finish_reason": choice.reason}
            for number, choice in enumerate(self._choices)
        ]
        return self._head("chat.completion") | {"choices": choices, "usage": self._usage()}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self._id, "object": kind, "created": self._created, "model": self._model}

    def _usage(self) -> dict[str, int]:
        return usage_of([choice.finished for choice in self._choices])


def usage_of(finished: list[AnswerFinished | None]) -> dict[str, int]:
    """Return the numbers of tokens: of the prompt once, of all answers together."""
    ended = [item for item in finished if item is not None]
    prompt = max((item.prompt_tokens for item in ended), default=0)
    answers = sum(item.answer_tokens for item in ended)
    return {"prompt_tokens": prompt, "completion_tokens": answers, "total_tokens": prompt + answers}


def _call(number: int, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": json.dumps(call.arguments)}
    return {"id": call.id or f"call_{number}", "type": "function", "function": function}
