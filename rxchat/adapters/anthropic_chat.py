"""Anthropic's Messages API as the ChatModel port, through the official client.

Source: https://platform.claude.com/docs/en/api/messages, and .../streaming for the events of an answer.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import anthropic
import httpx2
import structlog

from rxchat.adapters import anthropic_errors
from rxchat.adapters.anthropic_answer import AnthropicAnswer
from rxchat.adapters.anthropic_requests import Abilities, arguments_of
from rxchat.adapters.hosted_chat import CONNECT_SECONDS, HostedChatModel
from rxchat.adapters.limited_responses import limited_client
from rxchat.adapters.model_numbers import count
from rxchat.domain.chat import (
    NO_OPTIONS,
    ChatEvent,
    ChatMessage,
    ChatOptions,
    ModelInfo,
    PreparedPrompt,
    ToolSpec,
)
from rxchat.domain.context_window import fitted
from rxchat.domain.errors import ModelError
from rxchat.domain.model_parameters import Effort, ParameterSupport

log = structlog.get_logger(__name__)

_MOST_MODELS = 1_000
_NAMES = frozenset({"max_tokens", "stop"})
"""The client has no temperature, Top P and Top K any more: the models of today refuse them."""


class AnthropicChatModel(HostedChatModel):
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
        self._abilities: dict[str, Abilities] = {}
        self._client = anthropic.AsyncAnthropic(
            # The client adds the version itself.
            base_url=url.rstrip("/").removesuffix("/v1"),
            # An explicit key, since it would be read from the environment otherwise, and sent to every provider.
            api_key=key or "none",
            # A question is not sent twice: RxChat itself decides what is tried again.
            max_retries=0,
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            http_client=limited_client(url, "/messages", is_guarded=is_guarded),
        )
        # Not as an argument, to which the client adds headers of the environment.
        self._client._custom_headers = dict(headers or {})  # pyright: ignore[reportPrivateUsage]

    async def models(self) -> list[ModelInfo]:
        """Return the models; see the ChatModel port."""
        with anthropic_errors.translated(self._shown, ""):
            page = await self._listed(self._client.models.list(limit=_MOST_MODELS))
            rows = [row.to_dict(warnings=False) for row in page.data]
        rows = [
            row for row in rows if isinstance(row.get("id"), str) and row["id"] and row.get("lifecycle") != "retired"
        ]
        self._abilities = {str(row["id"]): _abilities(row) for row in rows}
        return [self._info(name, can) for name, can in self._abilities.items()]

    def _info(self, name: str, can: Abilities) -> ModelInfo:
        skills = {"completion", "tools"} | ({"vision"} if can.sees else set())
        return ModelInfo(
            name=name,
            host=self._shown,
            context_tokens=can.context_tokens,
            capabilities=frozenset(skills | ({"thinking"} if can.can_reason else set())),
            remote_host=self._remote_host,
        )

    async def _can(self, model: str) -> Abilities:
        """Return what a model can do; what is assumed of all, if the server does not say it."""
        if model not in self._abilities:
            with suppress(ModelError):
                await self.models()
        return self._abilities.setdefault(model, Abilities())

    async def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Yield the events of an answer; see the ChatModel port.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        is_prepared = isinstance(messages, PreparedPrompt)
        prepared = messages if is_prepared else await self.prepare(model, messages, options)
        asked = arguments_of(prepared.messages, tools, options, await self._can(model))
        log.info("model call", host=self._shown, model=model, messages=len(asked["messages"]), tools=len(tools))
        answer = AnthropicAnswer()
        with anthropic_errors.translated(self._shown, model, answer.begun):
            # The type of the arguments has hundreds of members.
            create: Any = self._client.messages.create
            stream = await self._first(create(model=model, stream=True, **asked), model)
            try:
                events = aiter(stream)
                while (event := await self._next(events, model, has_begun=bool(answer.begun))) is not None:
                    for found in answer.events(event.to_dict(warnings=False)):
                        answer.begun[:] = [True]
                        yield found
            finally:
                await stream.response.aclose()
            for found in answer.end(self._shown):
                yield found

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options the API has for this model."""
        can = await self._can(model)
        names = (
            _NAMES | ({"reasoning_effort"} if can.can_reason else set()) | ({"schema"} if can.has_schemas else set())
        )
        named = frozenset(effort for effort in Effort if effort.value in can.efforts)
        by_budget = frozenset(Effort) if can.thinking & {"enabled"} else frozenset[Effort]()
        return ParameterSupport(names, (named or by_budget) | {Effort.NONE})

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return the messages that fit, if the server says how much the model reads."""
        del options
        context = (await self._can(model)).context_tokens
        return PreparedPrompt(fitted(model, messages, context) if context else list(messages), context)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()
        self.forget_secrets()


def _abilities(row: Mapping[str, Any]) -> Abilities:
    can = row.get("capabilities")
    context, most = count(row.get("max_input_tokens")), count(row.get("max_tokens"))
    if not isinstance(can, dict):
        return Abilities(context, most)
    return Abilities(
        context_tokens=context,
        most_tokens=most,
        sees=_is_supported(can, "image_input"),
        has_schemas=_is_supported(can, "structured_outputs"),
        efforts=frozenset(name for name in ("low", "medium", "high") if _is_supported(can, "effort", name)),
        thinking=frozenset(
            name for name in ("enabled", "adaptive", "disabled") if _is_supported(can, "thinking", "types", name)
        ),
    )


def _is_supported(capabilities: Mapping[str, Any], *path: str) -> bool:
    found: Any = capabilities
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return isinstance(found, dict) and found.get("supported") is True
