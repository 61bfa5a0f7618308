"""The models that the embedded server offers, named and described as Ollama's library does."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rxchat.embedded import weights
from rxchat.embedded.llama import Llama
from rxchat.embedded.ollama_requests import BadRequest

Json = dict[str, Any]

EMBEDDER_NAME = "all-minilm:22m"
_REGISTRY = "registry.ollama.ai/library/"
CHAT_SLOTS = 2
"""Answers that the demo model writes at once."""
_SLOT_TOKENS = 4096
# The sentences that MiniLM was trained on were cut at this length.
_EMBEDDER_TOKENS = 256


class Model:
    """One offered model: its names, what it can do, and llama.cpp holding it."""

    def __init__(self, name: str, capability: str, llama: Llama, about: Json) -> None:
        """Describe a model; its details are Ollama's `details` and `model_info`."""
        self.name = name
        self.capability = capability
        self.llama = llama
        self.details: Json = about["details"]
        self.model_info: Json = about["model_info"]
        self.about = about
        self.is_shown_as_loaded = False
        self._digest: str | None = None

    @property
    def full_name(self) -> str:
        """The name with its registry, which some of Ollama's messages show."""
        return _REGISTRY + self.name

    def is_called(self, name: str) -> bool:
        """Whether a client means this model: tag, library and letter case may be left out or differ."""
        wanted = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
        family = self.name.partition(":")[0]
        return wanted in {self.name, family, f"{family}:latest", f"{self.name}-instruct"}

    async def digest(self) -> str:
        """The SHA-256 of the weights."""
        if self._digest is None:
            self._digest = await asyncio.to_thread(_sha256, self.llama.path)
        return self._digest

    async def row(self) -> Json:
        """The model as /api/tags lists it."""
        about = self.llama.path.stat()
        return {
            "name": self.name,
            "model": self.name,
            "modified_at": datetime.fromtimestamp(about.st_mtime, UTC).isoformat().replace("+00:00", "Z"),
            "size": about.st_size,
            "digest": await self.digest(),
            "details": self.details,
            "capabilities": [self.capability],
        }


class Catalog:
    """Every model that is offered."""

    def __init__(self, models: Iterable[Model]) -> None:
        """Take the models in the order in which they are listed."""
        self.models = tuple(models)

    def named(self, name: str) -> Model:
        """The model that a client means; a Refused with Ollama's words when there is none."""
        for model in self.models:
            if model.is_called(name):
                return model
        raise BadRequest(404, f"model '{name}' not found")


def catalog(folder: Path, *, embedder_only: bool = False) -> Catalog:
    """The demo model and the embedder (or that one alone), from a folder of prepared weights."""
    embedder = Llama(folder / weights.EMBEDDER.prepared_file, slots=1, slot_tokens=512, embeds=True)
    embedding = Model(EMBEDDER_NAME, "embedding", embedder, _MINILM)
    if embedder_only:
        return Catalog([embedding])
    chat = Llama(folder / weights.CHAT.prepared_file, slots=CHAT_SLOTS, slot_tokens=_SLOT_TOKENS, embeds=False)
    return Catalog([Model("smollm2:135m", "completion", chat, _SMOLLM2), embedding])


def _sha256(path: Path) -> str:
    """The digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _details(family: str, parameters: str, quantisation: str) -> Json:
    """Ollama's short description of a model."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": family,
        "families": [family],
        "parameter_size": parameters,
        "quantization_level": quantisation,
    }


_SMOLLM2: Json = {
    "license": "Apache License 2.0",
    "template": "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n",
    "details": _details("llama", "134.52M", "Q4_0"),
    "model_info": {
        "general.architecture": "llama",
        "general.basename": "smollm2",
        "general.parameter_count": 134515008,
        "llama.context_length": _SLOT_TOKENS,
        "llama.embedding_length": 576,
        "llama.block_count": 30,
        "llama.attention.head_count": 9,
    },
}
_MINILM: Json = {
    "license": "Apache License 2.0",
    "template": "{{ .Prompt }}",
    "details": _details("bert", "22.57M", "Q8_0"),
    "model_info": {
        "general.architecture": "bert",
        "general.basename": "all-minilm-l6-v2",
        "general.parameter_count": 22565376,
        "bert.context_length": _EMBEDDER_TOKENS,
        "bert.embedding_length": 384,
        "bert.block_count": 6,
        "bert.pooling_type": 1,
    },
}
