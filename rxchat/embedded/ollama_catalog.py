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
"""The number of answers that the demo model writes at the same time."""
_SLOT_TOKENS = 4096
# MiniLM was trained on texts truncated to this length.
_EMBEDDER_TOKENS = 256


class Model:
    """A model of the server: its names, its capability, and its llama.cpp."""

    def __init__(self, name: str, capability: str, llama: Llama, about: Json) -> None:
        """`about` contains Ollama's `details` and `model_info`."""
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
        """The name with its registry, as some of Ollama's messages show it."""
        return _REGISTRY + self.name

    def is_called(self, name: str) -> bool:
        """Whether a client's name means this model: tag and library are optional, case is ignored."""
        wanted = name.lower().removeprefix("registry.ollama.ai/").removeprefix("library/")
        family = self.name.partition(":")[0]
        return wanted in {self.name, family, f"{family}:latest", f"{self.name}-instruct"}

    async def digest(self) -> str:
        """Return the SHA-256 of the weights."""
        if self._digest is None:
            self._digest = await asyncio.to_thread(_sha256, self.llama.path)
        return self._digest

    async def row(self) -> Json:
        """Return the model's entry in /api/tags."""
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
    """All models of the server."""

    def __init__(self, models: Iterable[Model]) -> None:
        """`models` are in the order of /api/tags."""
        self.models = tuple(models)

    def named(self, name: str) -> Model:
        """Return the model with a name; raises BadRequest with Ollama's message if there is none."""
        for model in self.models:
            if model.is_called(name):
                return model
        raise BadRequest(404, f"model '{name}' not found")


def catalog(folder: Path, *, embedder_only: bool = False) -> Catalog:
    """Return the demo model and the embedding model (or only this one) of a folder of prepared weights."""
    embedder = Llama(folder / weights.EMBEDDER.prepared_file, slots=1, slot_tokens=512, embeds=True)
    embedding = Model(EMBEDDER_NAME, "embedding", embedder, _MINILM)
    if embedder_only:
        return Catalog([embedding])
    chat = Llama(folder / weights.CHAT.prepared_file, slots=CHAT_SLOTS, slot_tokens=_SLOT_TOKENS, embeds=False)
    return Catalog([Model("smollm2:135m", "completion", chat, _SMOLLM2), embedding])


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _details(family: str, parameters: str, quantisation: str) -> Json:
    """Return the `details` of a model in Ollama's form."""
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
