"""Embeddings of the scripted Ollama: vectors of hashed words, so that texts with common words are near.

A model is named `scripted-embed:key=value,...`. Keys: `dimensions` (default 64), `tokens` (its context, default 256; a word
is a token), `refuse` (a word: no text with it is embedded), `fault`: html | short | not-numbers | infinite | 500 | slow. As with a real daemon (0.32.15), `truncate: false`
makes a text that is too long a 400, and a chat model has no embeddings (501).
"""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

_WORD = re.compile(r"\w+")


def is_embedder(model: str) -> bool:
    """Whether a name is that of a scripted embedding model."""
    return model.startswith("scripted-embed")


def keys_of(model: str) -> dict[str, str]:
    """Return the keys and values in a model's name."""
    return dict(part.split("=", 1) for part in model.partition(":")[2].split(",") if "=" in part)


def shown(model: str) -> dict[str, Any]:
    """Return the answer of /api/show."""
    keys = keys_of(model)
    info = {
        "general.architecture": "bert",
        "bert.context_length": int(keys.get("tokens", "256")),
        "bert.embedding_length": int(keys.get("dimensions", "64")),
    }
    return {"model_info": info, "capabilities": ["embedding"], "details": {}}


def embedded(asked: dict[str, Any]) -> tuple[int, Any]:
    """Return status and answer of /api/embed."""
    model = str(asked.get("model") or "")
    if not is_embedder(model):
        return 501, {"error": "This server does not support embeddings. Start it with --embeddings"}
    keys = keys_of(model)
    given = asked.get("input") or []
    texts = [given] if isinstance(given, str) else given
    longest, dimensions = int(keys.get("tokens", "256")), int(keys.get("dimensions", "64"))
    if asked.get("truncate") is False and any(len(_WORD.findall(text)) > longest for text in texts):
        return 400, {"error": "the input length exceeds the context length"}
    if "refuse" in keys and any(keys["refuse"] in text for text in texts):
        return 500, {"error": "failed to encode response: json: unsupported value: NaN"}
    match keys.get("fault", ""):
        case "html":
            return 502, "<html>Bad Gateway</html>"
        case "500":
            return 500, {"error": "llama runner process has terminated: exit status 2"}
        case "short":
            return 200, {"model": model, "embeddings": []}
        case "not-numbers":
            return 200, {"model": model, "embeddings": [["a"] * dimensions for _ in texts]}
        case "infinite":
            return 200, {"model": model, "embeddings": [[1e999] * dimensions for _ in texts]}
    return 200, {"model": model, "embeddings": [vector(text, dimensions) for text in texts], "prompt_eval_count": 1}


def vector(text: str, dimensions: int) -> list[float]:
    """Return a vector of length one, whose direction depends on the words of a text."""
    values = [0.0] * dimensions
    for word in _WORD.findall(text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        values[int.from_bytes(digest[:4], "big") % dimensions] += 1.0 if digest[4] % 2 else -1.0
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]
