"""`POST /ollama/api/chat`, `/generate` and `/embed`: answers as lines of JSON, or as one object.

Source: https://docs.ollama.com/api. Options that belong to the operator (`num_ctx`, `num_gpu`, `keep_alive`, ...) change nothing.
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field

from rxchat.api.event_streams import line
from rxchat.api.openai.answering import LINES, streamed, unless_left, whole
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import (
    AnswerFinished,
    ChatMessage,
    ChatOptions,
    ReasoningDelta,
    Role,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.chunking import estimated_tokens
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Scope
from rxchat.domain.text import sanitize
from rxchat.services.app.container import Services
from rxchat.services.chat.completions import Parts, Question

router = APIRouter(prefix="/ollama/api", tags=["Ollama"])
_MOST_MESSAGES, _MOST_TOOLS, _MOST_IMAGES, _MOST_TEXTS = 2_000, 128, 16, 256
_Shape = Callable[[str], dict[str, Any]]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


_Texts = Annotated[list[Annotated[str, Field(max_length=100_000)]], BeforeValidator(_as_list)]


class OllamaOptions(BaseModel):
    """How the model is to answer."""

    temperature: float | None = Field(default=None, ge=0, le=100)
    top_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-100, le=100)
    frequency_penalty: float | None = Field(default=None, ge=-100, le=100)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    num_predict: int | None = Field(default=None, ge=-2, le=1_000_000)
    stop: _Texts | None = Field(default=None, max_length=16)


class _Asked(BaseModel):
    model: str = Field(min_length=1, max_length=300, examples=["llama3.2:latest"])
    stream: bool = True
    format: Literal["", "json"] | dict[str, Any] | None = None
    options: OllamaOptions | None = None

    def chat_options(self) -> ChatOptions:
        given = self.options or OllamaOptions()
        schema = self.format if isinstance(self.format, dict) else {} if self.format == "json" else None
        return ChatOptions(
            temperature=given.temperature,
            top_p=given.top_p,
            presence_penalty=given.presence_penalty,
            frequency_penalty=given.frequency_penalty,
            seed=given.seed,
            # Below zero Ollama sets no limit.
            max_tokens=given.num_predict if (given.num_predict or 0) > 0 else None,
            stop=tuple(text for text in given.stop or () if text),
            schema=schema,
        )


class OllamaFunction(BaseModel):
    """A function: its name, and what a call or its description has."""

    name: str = Field(max_length=200)
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    arguments: dict[str, Any] = Field(default_factory=dict)


class OllamaTool(BaseModel):
    """A tool that the model may call, or a call of one."""

    function: OllamaFunction


class OllamaMessage(BaseModel):
    """A message; images are base64."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    images: list[str] | None = Field(default=None, max_length=_MOST_IMAGES)
    tool_calls: list[OllamaTool] | None = Field(default=None, max_length=_MOST_TOOLS)
    tool_name: str = Field(default="", max_length=200)


class OllamaChatRequest(_Asked):
    """A chat."""

    messages: list[OllamaMessage] = Field(min_length=1, max_length=_MOST_MESSAGES)
    tools: list[OllamaTool] | None = Field(default=None, max_length=_MOST_TOOLS)


class OllamaGenerateRequest(_Asked):
    """A prompt, which is answered as a message."""

    prompt: str = ""
    system: str = ""
    images: list[str] | None = Field(default=None, max_length=_MOST_IMAGES)


class OllamaEmbedRequest(BaseModel):
    """Texts, of which each gets a vector."""

    model: str = Field(min_length=1, max_length=300)
    input: _Texts = Field(min_length=1, max_length=_MOST_TEXTS)


@router.post("/chat", response_model=None, **needs(Scope.CHAT))
async def ollama_chat(
    body: OllamaChatRequest, request: Request, current_user: SignedIn, services: ServicesDep
) -> Response:
    """Answer messages as Ollama does. Nothing of them is kept."""
    tools = [_tool(tool.function) for tool in body.tools or ()]
    messages = [_message(given) for given in body.messages]
    question = Question(body.model, [messages], tools, body.chat_options())
    answer = _Answer(body.model, lambda text: {"message": {"role": "assistant", "content": text}})
    return await _answered(request, services, current_user, question, answer, is_stream=body.stream)


@router.post("/generate", response_model=None, **needs(Scope.CHAT))
async def ollama_generate(
    body: OllamaGenerateRequest, request: Request, current_user: SignedIn, services: ServicesDep
) -> Response:
    """Answer a prompt as Ollama does. Nothing of it is kept."""
    messages = [ChatMessage(Role.SYSTEM, sanitize(body.system))] if body.system else []
    messages.append(ChatMessage(Role.USER, sanitize(body.prompt), images=_images(body.images)))
    question = Question(body.model, [messages], options=body.chat_options())
    answer = _Answer(body.model, lambda text: {"response": text})
    return await _answered(request, services, current_user, question, answer, is_stream=body.stream)


@router.post("/embed", response_model=None, **needs(Scope.CHAT))
async def ollama_embed(
    body: OllamaEmbedRequest, request: Request, current_user: SignedIn, services: ServicesDep
) -> Response:
    """Return a vector for each text."""
    texts = [sanitize(text) for text in body.input]
    with services.chat.completions.place(current_user.user_id):
        vectors = await unless_left(request, services.retrieval.embeddings.vectors(current_user, body.model, texts))
    tokens = sum(map(estimated_tokens, texts))
    return JSONResponse({"model": body.model, "embeddings": vectors, "prompt_eval_count": tokens})


async def _answered(
    request: Request,
    services: Services,
    current_user: CurrentUser,
    question: Question,
    answer: _Answer,
    *,
    is_stream: bool,
) -> Response:
    if is_stream:
        last = partial(bytes)
        return await streamed(request, services, current_user, question, answer.lines, last, LINES)
    return JSONResponse(answer.whole(await unless_left(request, whole(services, current_user, question))))


class _Answer:
    """An answer in the making: its lines, or its whole object."""

    def __init__(self, model: str, shape: _Shape) -> None:
        self._model = model
        self._shape = shape
        self._began = time.monotonic()

    def lines(self, parts: Parts) -> bytes:
        return b"".join(line(self._part(event)) for _, event in parts)

    def _part(self, event: Any) -> dict[str, Any]:
        match event:
            case TextDelta(text=text):
                return self._head() | self._shape(text)
            case ReasoningDelta(text=text):
                return self._head() | self._with(self._shape(""), "thinking", text)
            case ToolCalled(call=call):
                return self._head() | self._with(self._shape(""), "tool_calls", [_call(call)])
            case AnswerFinished():
                return self._head() | self._shape("") | self._end(event)
        raise TypeError(type(event).__name__)

    @staticmethod
    def _with(shaped: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
        shaped.get("message", shaped)[name] = value
        return shaped

    def whole(self, parts: Parts) -> dict[str, Any]:
        events = [event for _, event in parts]
        shaped = self._shape("".join(event.text for event in events if isinstance(event, TextDelta)))
        reasoning = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
        calls = [_call(event.call) for event in events if isinstance(event, ToolCalled)]
        for name, value in (("thinking", reasoning), ("tool_calls", calls)):
            shaped = self._with(shaped, name, value) if value else shaped
        ended = next((event for event in events if isinstance(event, AnswerFinished)), AnswerFinished("stop"))
        return self._head() | shaped | self._end(ended)

    def _head(self) -> dict[str, Any]:
        return {"model": self._model, "created_at": datetime.now(UTC).isoformat(), "done": False}

    def _end(self, event: AnswerFinished) -> dict[str, Any]:
        return {
            "done": True,
            "done_reason": "length" if event.reason == "length" else "stop",
            "total_duration": _nanoseconds(time.monotonic() - self._began),
            "load_duration": _nanoseconds(event.load_seconds),
            "prompt_eval_count": event.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(event.prompt_seconds),
            "eval_count": event.answer_tokens,
            "eval_duration": _nanoseconds(event.answer_seconds),
        }


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _message(given: OllamaMessage) -> ChatMessage:
    calls = tuple(ToolCall(sanitize(call.function.name), call.function.arguments) for call in given.tool_calls or ())
    return ChatMessage(
        Role(given.role), sanitize(given.content), calls, sanitize(given.tool_name), _images(given.images)
    )


def _images(given: Sequence[str] | None) -> tuple[bytes, ...]:
    try:
        return tuple(base64.b64decode(image, validate=True) for image in given or ())
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The data of an image is not base64.", field="images") from error


def _tool(function: OllamaFunction) -> ToolSpec:
    empty: dict[str, Any] = {"type": "object", "properties": {}}
    return ToolSpec(sanitize(function.name), sanitize(function.description), function.parameters or empty)


def _call(call: ToolCall) -> dict[str, Any]:
    return {"function": {"name": call.name, "arguments": call.arguments}}
