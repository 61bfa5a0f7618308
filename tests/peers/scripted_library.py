"""What the scripted Ollama does for administrators: it downloads, deletes, loads and unloads models.

The key `pull` of a model's name is a fault of its download, after half of it: disk-full, error, cut, silent, or garbage; `hold` waits for
`ScriptedOllama.go_on` there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from tests.peers.scripted_embedder import keys_of

SIZE = 1_000_000
ERRORS = {
    "disk-full": "write /models/blobs/sha256-1-partial: no space left on device",
    "error": 'pull model manifest: Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
    "missing": "pull model manifest: file does not exist",
}
Write = Callable[[Any], Awaitable[None]]


async def pulled(model: str, write: Write, held: asyncio.Semaphore) -> bool:
    """Write the lines of a download; True if the model is there afterwards, False if the connection is to break."""
    fault = keys_of(model).get("pull", "")
    await write({"status": "pulling manifest"})
    if fault in {"error", "missing"}:
        await write({"error": ERRORS[fault]})
        return False
    for number, digest in enumerate(("sha256:aaaa", "sha256:bbbb")):
        for completed in range(0, SIZE + 1, SIZE // 4):
            await write({"status": f"pulling {digest[7:]}", "digest": digest, "total": SIZE, "completed": completed})
            if number or completed < SIZE // 2:
                continue
            if fault == "hold":
                fault = ""
                await held.acquire()
            elif fault == "disk-full":
                await write({"error": ERRORS[fault]})
                return False
            elif fault == "garbage":
                await write("<html>a proxy</html>")
                return False
            elif fault:
                return False
    for status in ("verifying sha256 digest", "writing manifest", "success"):
        await write({"status": status})
    return True


def shown(model: str, context: int) -> dict[str, Any]:
    """Return what /api/show says about a model."""
    return {
        "license": "A license",
        "parameters": 'stop "<|end|>"',
        "template": "{{ .Prompt }}",
        "details": {"format": "gguf", "family": "scripted", "parameter_size": "1B", "quantization_level": "Q4_K_M"},
        "model_info": {"general.architecture": "scripted", "scripted.context_length": context},
        "capabilities": ["completion"],
    }


def body_of(request: bytes) -> dict[str, Any]:
    """Return a request's body."""
    return json.loads(request or b"{}")
