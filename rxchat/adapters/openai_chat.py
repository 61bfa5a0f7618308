"""A server with OpenAI's API as the ChatModel port, through the official client: vLLM, llama.cpp, LM Studio, OpenRouter, OpenAI.

Source: https://platform.openai.com/docs/api-reference/chat; reasoning, which that API does not stream, is read as vLLM
(`reasoning_content`) and OpenRouter (`reasoning`) write it.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
import openai
import structlog

from rxchat.adapters import openai_errors, provider_errors
from rxchat.adapters.hosted_chat import CONNECT_SECONDS, HostedChatModel
from rxchat.adapters.limited_responses import EVENT_MEGABYTES, limited_client
from rxchat.adapters.model_numbers import count, parsed_arguments
from rxchat.adapters.openai_requests import message_bodies, option_arguments, tool_body
from rxchat.domain.chat import (
    NO_OPTIONS,
    AnswerFinished,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ModelInfo,
    PreparedPrompt,
    ReasoningDelta,
    TextDelta,
    ToolCall,
    ToolCalled,
    ToolSpec,
)
from rxchat.domain.context_window import fitted
from rxchat.domain.errors import ModelError
from rxchat.domain.model_parameters import ParameterSupport

log = structlog.get_logger(__name__)

_MOST_CALLS = 8
# Lists of OpenAI and OpenRouter do not say what a model is for; these words in a name do.
_NO_CHAT = re.compile(
    r"embed|whisper|tts|dall-e|moderation|transcri|realtime|gpt-image|gpt-audio|sora|babbage|davinci|rerank|bge-",
    re.IGNORECASE,
)
_OPENAI, _MOST_STOPS = "api.openai.com", 4
_NAMES = frozenset(
    {
        "temperature",
        "top_p",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "max_tokens",
        "stop",
        "reasoning_effort",
        "schema",
    }
)
_CONTEXT_FIELDS = ("context_length", "max_model_len", "context_window", "max_context_length")


class OpenAIChatModel(HostedChatModel):
    """The models of one server. Their names here are those of the server, without the provider's name."""

    def __init__(
        self,
        url: str,
        key: str = "",
        *,
        first_token_seconds: float = 120.0,
        token_seconds: float = 60.0,
        headers: Mapping[str, str] | None = None,
        is_guarded: bool = False,
    ) -> None:
        """Create the client, which connects at its first call; if `is_guarded`, only to addresses of servers."""
        super().__init__(
            url, key, first_token_seconds=first_token_seconds, token_seconds=token_seconds, headers=headers
        )
        self._contexts: dict[str, int] = {}
        self._client = openai.AsyncOpenAI(
            base_url=url,
            # The client wants one; servers in one's own network often have none.
            api_key=key or "none",
            # Otherwise read from the environment, and sent to every provider.
            organization="",
            project="",
            # A question is not sent twice: RxChat itself decides what is tried again.
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            default_headers=dict(headers or {}),
            http_client=limited_client(url, "/chat/completions", is_guarded=is_guarded),
        )

    async def models(self) -> list[ModelInfo]:
        """Return the models; see the ChatModel port."""
        with openai_errors.translated(self._shown, ""):
            page = await self._listed(self._client.models.list())
            rows = [row.to_dict(warnings=False) for row in page.data]
        found = [self._info(row) for row in rows if isinstance(row.get("id"), str) and row["id"]]
        self._contexts = {item.name: item.context_tokens for item in found}
        return found

    def _info(self, row: Mapping[str, Any]) -> ModelInfo:
        contexts = (row.get(name) for name in _CONTEXT_FIELDS)
        name = str(row["id"])
        return ModelInfo(
            name=name,
            host=self._shown,
            context_tokens=next((count(value) for value in contexts if count(value)), 0),
            capabilities=frozenset({"embedding"}) if _NO_CHAT.search(name) else frozenset(),
            remote_host=self._remote_host,
        )

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer; see the ChatModel port. A server may begin its answer again instead of continuing it.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        is_prepared = isinstance(messages, PreparedPrompt)
        prepared = messages if is_prepared else await self.prepare(model, messages, options)
        asked = message_bodies(prepared.messages)
        offered = [tool_body(tool) for tool in tools]
        log.info("model call", host=self._shown, model=model, messages=len(asked), tools=len(offered))
        answer = _Answer(began=time.monotonic())
        with openai_errors.translated(self._shown, model, answer.begun):
            stream = await self._first(
                self._client.chat.completions.create(
                    model=model,
                    # Plain objects in the API's form, which the client has a type for each of.
                    messages=cast("Any", asked),
                    tools=cast("Any", offered) or openai.omit,
                    **option_arguments(options),
                    stream=True,
                    stream_options={"include_usage": True},
                ),
                model,
            )
            try:
                chunks = aiter(stream)
                while (chunk := await self._next(chunks, model, has_begun=bool(answer.begun))) is not None:
                    for event in answer.events(chunk):
                        answer.begun[:] = [True]
                        yield event
            finally:
                await stream.response.aclose()
            for event in answer.end(self._shown):
                yield event

    async def _context_of(self, model: str) -> int:
        """Return how many tokens a model reads at once; 0 if the server does not say it."""
        if model not in self._contexts:
            with suppress(ModelError):
                await self.models()
        return self._contexts.setdefault(model, 0)

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options the API has; OpenAI itself, other than servers with its API, refuses `top_k`."""
        del model
        return ParameterSupport(_NAMES if self._remote_host == _OPENAI else _NAMES | {"top_k"}, most_stops=_MOST_STOPS)

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return the messages that fit, if the server says how much the model reads."""
        del options
        context = await self._context_of(model)
        return PreparedPrompt(fitted(model, messages, context) if context else list(messages), context)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        self.forget_secrets()


@dataclass
class _Answer:
    """An answer while it arrives in chunks; tool calls come in pieces."""

    began: float
    begun: list[bool] = field(default_factory=list)
    reason: str = ""
    first_at: float = 0.0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    calls: dict[int, dict[str, str]] = field(default_factory=dict)

    def events(self, chunk: Any) -> Iterator[ChatEvent]:
        """Yield the events of a chunk.

        Raises:
            TypeError: if it is no chunk of an answer.
        """
        given = chunk.to_dict(warnings=False)
        usage = given.get("usage")
        if isinstance(usage, dict):
            self.prompt_tokens, self.answer_tokens = (
                count(usage.get(name)) for name in ("prompt_tokens", "completion_tokens")
            )
        choices = given.get("choices") or []
        if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
            raise TypeError("choices that are none")
        for choice in choices[:1]:
            delta = choice.get("delta") or {}
            if not isinstance(delta, dict):
                raise TypeError("a delta that is none")
            yield from self._pieces(delta)
            self.reason = str(choice.get("finish_reason") or self.reason)[:40]

    def _pieces(self, delta: Mapping[str, Any]) -> Iterator[ChatEvent]:
        reasoning = delta.get("reasoning_content") or delta.get("reasoning") or ""
        content = delta.get("content") or ""
        if not (isinstance(reasoning, str) and isinstance(content, str)):
            raise TypeError("a message that is no text")
        if reasoning or content:
            self.first_at = self.first_at or time.monotonic()
        if reasoning:
            yield ReasoningDelta(reasoning)
        if content:
            yield TextDelta(content)
        for piece in delta.get("tool_calls") or ():
            self._add_call(piece)

    def _add_call(self, piece: Any) -> None:
        function = piece.get("function") if isinstance(piece, dict) else None
        number = piece.get("index", 0) if isinstance(piece, dict) else None
        if not isinstance(function, dict) or not isinstance(number, int) or not 0 <= number < _MOST_CALLS:
            return
        call = self.calls.setdefault(number, {"id": "", "name": "", "arguments": ""})
        call["id"] = call["id"] or str(piece.get("id") or "")[:100]
        call["name"] = (call["name"] + str(function.get("name") or ""))[:100]
        call["arguments"] += str(function.get("arguments") or "")
        if len(call["arguments"]) > EVENT_MEGABYTES * 1_000_000:
            raise TypeError("arguments of a tool that do not end")

    def end(self, host: str) -> Iterator[ChatEvent]:
        """Yield the tool calls and the end.

        Raises:
            InvalidModelResponse: if the answer has no end, or was cut by the provider's filter.
        """
        if not self.reason:
            raise provider_errors.stopped(host, "finish_reason")
        if self.reason == "content_filter":
            raise provider_errors.filtered(host, "content_filter")
        for call in self.calls.values():
            if call["name"]:
                yield ToolCalled(ToolCall(call["name"], parsed_arguments(call["arguments"]), call["id"]))
        now = time.monotonic()
        yield AnswerFinished(
            reason="length" if self.reason == "length" else "stop",
            prompt_tokens=self.prompt_tokens,
            answer_tokens=self.answer_tokens,
            prompt_seconds=(self.first_at or now) - self.began,
            answer_seconds=now - (self.first_at or now),
        )
