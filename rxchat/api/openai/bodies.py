"""What clients of OpenAI's API send, and its translation to the values of the ChatModel port.

Source: https://platform.openai.com/docs/api-reference/chat/create. Parameters that RxChat cannot follow are refused, so that
no client believes that they worked; those that change nothing of an answer are accepted.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from rxchat.domain.api_errors import UnsupportedParameter
from rxchat.domain.chat import ChatMessage, ChatOptions, Role, ToolCall, ToolSpec
from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import sanitize

MOST_CHOICES = 4
_MOST_MESSAGES, _MOST_TOOLS, _MOST_IMAGES, _MOST_STOPS = 2_000, 128, 16, 16
_IGNORED = frozenset(
    {"user", "metadata", "service_tier", "parallel_tool_calls", "safety_identifier", "prompt_cache_key", "verbosity"}
)
_Number = Annotated[int, Field(ge=0, le=2_000_000_000)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Sampling(BaseModel, extra="allow"):
    """The parameters that chat completions and completions have in common."""

    model: str = Field(min_length=1, max_length=300, examples=["llama3.2:latest"])
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    n: int | None = Field(default=None, ge=1, le=MOST_CHOICES)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    seed: int | None = Field(default=None, ge=-(2**63), le=2**63 - 1)
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    stop: Annotated[list[Annotated[str, Field(max_length=200)]] | None, BeforeValidator(_as_list)] = Field(
        default=None, max_length=_MOST_STOPS
    )

    def options(self, schema: dict[str, Any] | None = None) -> ChatOptions:
        """Return the options of the model.

        Raises:
            UnsupportedParameter: for a parameter that RxChat does not have.
        """
        for name, value in (self.model_extra or {}).items():
            if name not in _IGNORED and value not in (None, False, [], {}, 0):
                shown = sanitize(name)[:80]
                raise UnsupportedParameter(f"The parameter {shown} is not supported. Leave it out.", field=shown)
        return ChatOptions(
            temperature=self.temperature,
            top_p=self.top_p,
            presence_penalty=self.presence_penalty,
            frequency_penalty=self.frequency_penalty,
            seed=self.seed,
            max_tokens=self.max_tokens,
            stop=tuple(text for text in self.stop or () if text),
            schema=schema,
        )

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return bool((self.stream_options or {}).get("include_usage"))


class FunctionCall(BaseModel):
    """The function that an assistant called, its arguments as a JSON text."""

    name: str = Field(max_length=200)
    arguments: str = "{}"


class MessageToolCall(BaseModel):
    """A tool that an assistant called."""

    id: str = Field(default="", max_length=200)
    type: str = "function"
    function: FunctionCall


class RequestMessage(BaseModel):
    """A message; its content is a text, or parts of type `text` and `image_url` (data URLs)."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[MessageToolCall] | None = Field(default=None, max_length=_MOST_TOOLS)
    tool_call_id: str | None = Field(default=None, max_length=200)


class Function(BaseModel):
    """A function that the model may call."""

    name: str = Field(max_length=200)
    description: str | None = None
    parameters: dict[str, Any] | None = None


class Tool(BaseModel):
    """A tool: a function."""

    type: Literal["function"]
    function: Function


class ChatCompletionRequest(_Sampling):
    """A chat completion. `logprobs`, `logit_bias` and others that model hosts do not have in common are refused."""

    messages: list[RequestMessage] = Field(
        min_length=1,
        max_length=_MOST_MESSAGES,
        examples=[[{"role": "user", "content": "Why is the sky blue?"}]],
    )
    max_completion_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    tools: list[Tool] | None = Field(default=None, max_length=_MOST_TOOLS)
    tool_choice: Any = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None

    def chat_messages(self) -> list[ChatMessage]:
        """Return the messages as a model receives them.

        Raises:
            InvalidInput: when a part of one cannot be read.
            UnsupportedParameter: for parts that are neither text nor images.
        """
        names: dict[str, str] = {}
        messages: list[ChatMessage] = []
        pictures = 0
        for given in self.messages:
            text, images = _content(given.content)
            pictures += len(images)
            calls = tuple(_call(call) for call in given.tool_calls or ())
            names |= {call.id: call.name for call in calls}
            role = Role.SYSTEM if given.role in {"system", "developer"} else Role(given.role)
            tool = names.get(given.tool_call_id or "", "") if role is Role.TOOL else ""
            if role is Role.TOOL and not tool:
                raise InvalidInput(
                    "A message of a tool has to name, in tool_call_id, a call of an earlier message.", field="messages"
                )
            messages.append(ChatMessage(role, text, calls, tool, images))
        if pictures > _MOST_IMAGES:
            raise InvalidInput(f"Send at most {_MOST_IMAGES} images.", field="messages")
        return messages

    def tool_specs(self) -> list[ToolSpec]:
        """Return the tools that the model may call.

        Raises:
            UnsupportedParameter: when it has to call one: hosts cannot force it.
        """
        if self.tool_choice not in (None, "auto", "none"):
            raise UnsupportedParameter(
                "tool_choice can be auto or none: model hosts cannot force a call.", field="tool_choice"
            )
        if self.tool_choice == "none":
            return []
        empty: dict[str, Any] = {"type": "object", "properties": {}}
        return [
            ToolSpec(
                sanitize(tool.function.name),
                sanitize(tool.function.description or ""),
                tool.function.parameters or empty,
            )
            for tool in self.tools or ()
        ]

    def chat_options(self) -> ChatOptions:
        """Return the options of the model.

        Raises:
            UnsupportedParameter: for a parameter that RxChat does not have.
            InvalidInput: when the schema of the answer is none.
        """
        if self.modalities not in (None, [], ["text"]):
            raise UnsupportedParameter("modalities can only be text.", field="modalities")
        self.max_tokens = self.max_completion_tokens or self.max_tokens
        return self.options(_schema(self.response_format))


class CompletionRequest(_Sampling):
    """A completion, which models answer as one message of a user."""

    prompt: Annotated[list[str], BeforeValidator(_as_list)] = Field(min_length=1, max_length=MOST_CHOICES)


def _schema(wanted: Mapping[str, Any] | None) -> dict[str, Any] | None:
    match (wanted or {}).get("type", "text"):
        case "text":
            return None
        case "json_object":
            return {}
        case "json_schema":
            named = (wanted or {}).get("json_schema")
            schema = named.get("schema") if isinstance(named, dict) else None
            if not isinstance(schema, dict) or not schema:
                raise InvalidInput(
                    "response_format.json_schema.schema has to be a JSON schema.", field="response_format"
                )
            return schema
        case _:
            raise UnsupportedParameter(
                "response_format can be text, json_object or json_schema.", field="response_format"
            )


def _content(content: str | Sequence[Mapping[str, Any]] | None) -> tuple[str, tuple[bytes, ...]]:
    if content is None or isinstance(content, str):
        return sanitize(content or ""), ()
    texts: list[str] = []
    images: list[bytes] = []
    for part in content:
        match part:
            case {"type": "text", "text": str(text)}:
                texts.append(sanitize(text))
            case {"type": "image_url", "image_url": {"url": str(url)}}:
                images.append(_image(url))
            case _:
                raise UnsupportedParameter("Parts of a message can be text and image_url.", field="messages")
    return "\n".join(texts), tuple(images)


def _image(url: str) -> bytes:
    """Return the bytes of a data URL. Other addresses are not fetched: a server must not request what its clients choose."""
    head, comma, data = url.partition(",")
    if not (head.startswith("data:image/") and head.endswith(";base64") and comma):
        raise InvalidInput(
            "Send images as data URLs (data:image/png;base64,...). Addresses are not fetched.", field="messages"
        )
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("The data of an image is not base64.", field="messages") from error


def _call(call: MessageToolCall) -> ToolCall:
    try:
        arguments = json.loads(call.function.arguments or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The arguments of a tool call are not JSON.", field="messages") from error
    if not isinstance(arguments, dict):
        raise InvalidInput("The arguments of a tool call are no JSON object.", field="messages")
    return ToolCall(sanitize(call.function.name), arguments, sanitize(call.id))
