"""What the scripted Ollama writes: its responses, lines and faults."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from tests.peers import scripted_embedder


async def fault(fault: str, model: str, writer: asyncio.StreamWriter) -> bool:
    """Cause a fault; returns True if it ends the answer."""
    match fault:
        case "error-line":
            await line(writer, {"error": "an error was encountered while running the model: unexpected EOF"})
            writer.write(b"0\r\n\r\n")
        case "cut":
            writer.write(b"0\r\n\r\n")
        case "reset":
            writer.transport.abort()
        case "garbage":
            await line(writer, "<html>this is not ndjson</html>")
        case "not-json-object":
            await line(writer, 42)
        case "wrong-fields":
            await line(writer, {"model": model, "message": "no object", "done": []})
        case "absurd-counts":
            # Python's json parses 1e999 as infinity.
            await line(writer, part(model, done=True) | {"eval_count": float("inf")})
        case "silent":
            await asyncio.sleep(3600)
        case "big-line":
            await line(writer, part(model, content="x" * 2_000_000))
            return False
        case "endless-line":
            writer.write(b'1000000\r\n{"model": "' + b"x" * 0x1000000 + b"\r\n")
            for _ in range(64):
                writer.write(b"100000\r\n" + b"x" * 0x100000 + b"\r\n")
                await writer.drain()
        case "nul":
            await line(writer, part(model, content="a\x00b\ud800c\u202egnp.exe "))
            return False
        case _:
            raise AssertionError(f"no such fault: {fault}")
    return True


def part(model: str, *, content: str = "", thinking: str = "", done: bool = False) -> dict[str, Any]:
    message = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
    created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".314634512Z"
    return {"model": model, "created_at": created, "message": message, "done": done}


def durations(tokens: int, took: int) -> dict[str, Any]:
    return {
        "done_reason": "stop",
        "total_duration": took,
        "load_duration": 1_000_000,
        "prompt_eval_count": 10,
        "prompt_eval_duration": 1_000_000,
        "eval_count": tokens,
        "eval_duration": max(took, 1),
    }


def tag(name: str) -> dict[str, Any]:
    keys = scripted_embedder.keys_of(name)
    details = {"format": "gguf", "family": "scripted", "parameter_size": "0", "quantization_level": "F16"}
    return {
        "name": name,
        "model": name,
        "modified_at": "2026-01-01T00:00:00.123456789Z",
        "size": 1,
        "digest": "0" * 64,
        "details": details,
        **({"remote_host": f"https://{keys['remote']}:443", "remote_model": name} if "remote" in keys else {}),
        "capabilities": ["embedding"]
        if scripted_embedder.is_embedder(name)
        else [
            "completion",
            *(["thinking"] if "think=" in name else []),
            *(["tools"] if "call=" in name else []),
            *(["vision"] if "see=" in name else []),
        ],
    }


async def answer(writer: asyncio.StreamWriter, status: int, content: Any) -> None:
    body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
    head = f"HTTP/1.1 {status} Scripted\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}"
    writer.write(f"{head}\r\n\r\n".encode() + body)
    await writer.drain()


async def line(writer: asyncio.StreamWriter, content: Any) -> None:
    data = (content if isinstance(content, str) else json.dumps(content)).encode() + b"\n"
    writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    await writer.drain()
