"""Parses and validates requests to the Ollama API; errors have Ollama's messages."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

_INTEGERS = {
    "num_predict",
    "top_k",
    "seed",
    "num_ctx",
    "repeat_last_n",
    "num_keep",
    "num_batch",
    "num_gpu",
    "num_thread",
}
_FLOATS = {"temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"}
_LARGEST = 2**32
_LLAMA_NAMES: dict[str, str] = {"num_predict": "n_predict"}
# Options that llama.cpp accepts for a request; the others apply when a model is loaded, and are only validated.
_PER_REQUEST = (_INTEGERS | _FLOATS) - {"num_ctx", "num_keep", "num_batch", "num_gpu", "num_thread"}
# Unlike Ollama's, answers have a default limit: a model this small may never stop.
# The temperature is from the model's card; at 0.8 its answers are mostly nonsense.
_DEFAULTS: Json = {"temperature": 0.2, "top_k": 40, "top_p": 0.9, "repeat_penalty": 1.1, "n_predict": 1024}


class BadRequest(Exception):
    """A request that Ollama answers with an error."""

    def __init__(self, status: int, message: str) -> None:
        """`status` and `message` are those of the response."""
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Options:
    """A request's sampling options with llama.cpp's names, and the requested context length."""

    sampling: Json
    context_tokens: int | None

    @property
    def answer_tokens(self) -> int:
        """The most tokens of the answer; 0 or less: as many as fit."""
        return int(self.sampling["n_predict"])


def body_of(raw: bytes) -> Json:
    """Return the JSON object of a request."""
    if not raw.strip():
        raise BadRequest(400, "missing request body")
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except ValueError as error:
        raise BadRequest(400, f"invalid JSON: {error}") from error
    except RecursionError as error:
        raise BadRequest(400, "invalid JSON: exceeded max depth") from error
    if not isinstance(body, dict):
        raise BadRequest(400, f"json: cannot unmarshal {_kind(body)} into Go value of type api.Request")
    return body


def model_of(body: Json) -> str:
    """Return the model's name as the client sent it."""
    name = body.get("model") or body.get("name")
    if name is not None and not isinstance(name, str):
        raise _wrong_field(name, "model", "string")
    if not name:
        raise BadRequest(400, "model is required")
    return clean(name)


def flag(body: Json, field: str, default: bool) -> bool:
    """Return a boolean field."""
    value = body.get(field)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise _wrong_field(value, field, "bool")
    return value


def text_field(body: Json, field: str) -> str:
    """Return a text field; "" if it is missing."""
    value = body.get(field)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong_field(value, field, "string")
    return clean(value)


def messages_of(body: Json) -> list[Json]:
    """Return the messages, each with a role and a text; accepts any role."""
    messages = body.get("messages")
    if messages is None:
        return []
    if not isinstance(messages, list):
        raise _wrong_field(messages, "messages", "[]api.Message")
    cleaned: list[Json] = []
    for message in messages:
        if not isinstance(message, dict):
            raise _wrong_field(message, "messages", "api.Message")
        if message.get("images"):
            refuse_images()
        cleaned.append({"role": text_field(message, "role") or "user", "content": text_field(message, "content")})
    return cleaned


def refuse_images() -> None:
    """Raise the error of Ollama's runner, which is nested in another error."""
    inner = {"code": 500, "message": "image input is not supported by this model", "type": "server_error"}
    raise BadRequest(400, json.dumps({"error": inner}))


def inputs_of(body: Json) -> list[str]:
    """Return the texts to embed: the field is one text or a list."""
    given = body.get("input")
    if given is None or given == "":
        return []
    if isinstance(given, str):
        return [clean(given)]
    if isinstance(given, list) and all(isinstance(text, str) for text in given):
        return [clean(text) for text in given]
    raise BadRequest(400, "invalid input type")


def options_of(body: Json) -> Options:
    """Return the options, with the defaults; raises Ollama's errors for wrong types."""
    given = body.get("options")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise _wrong_field(given, "options", "map[string]interface {}")
    sampling: Json = dict(_DEFAULTS)
    options: Json = given
    for name, value in options.items():
        if value is None:
            continue
        _check_option(name, value)
        if name in _PER_REQUEST:
            sampling[_LLAMA_NAMES.get(name, name)] = int(value) if name in _INTEGERS else float(value)
        elif name == "stop":
            sampling["stop"] = [clean(word) for word in value if word]
    wanted = body.get("format")
    if wanted == "json":
        sampling["json_schema"] = {"type": "object"}
    elif isinstance(wanted, dict) and wanted:
        sampling["json_schema"] = wanted
    context = given.get("num_ctx")
    return Options(sampling, int(context) if context else None)


def _check_option(name: str, value: object) -> None:
    """Raise an error for an option with a wrong type; its status is 500, as in Ollama."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LARGEST
    if name in _INTEGERS and not is_number:
        raise BadRequest(500, f'option "{name}" must be of type integer')
    if name in _FLOATS and not is_number:
        raise BadRequest(500, f'option "{name}" must be of type float32')
    if name == "stop" and not isinstance(value, list):
        raise BadRequest(500, 'option "stop" must be of type array')
    if name == "stop" and isinstance(value, list) and not all(isinstance(word, str) for word in value):
        raise BadRequest(500, 'option "stop" must be of an array of strings')


def clean(text: str) -> str:
    """Replace lone surrogates in a text, as Go's JSON parser does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _no_constant(name: str) -> object:
    """Refuse NaN and Infinity, which Python's parser accepts and JSON does not allow."""
    raise ValueError(f"invalid character in {name}")


def _wrong_field(value: object, field: str, wanted: str) -> BadRequest:
    """Return Go's error for a field with a wrong type."""
    return BadRequest(400, f"json: cannot unmarshal {_kind(value)} into Go struct field .{field} of type {wanted}")


def _kind(value: object) -> str:
    """Return the type of a JSON value as Go names it."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"
