"""What programs may rely on: the routes of the API for programs, with their scopes, parameters, bodies and answers.

`python -m tests.api.contract` writes contract.json. A line that goes, or a parameter that becomes required, breaks programs:
add a field or a route beside it instead.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rxchat.api.errors import OLLAMA, OPENAI, V1
from rxchat.api.routes import build_api
from rxchat.settings import Settings

PAGE = Path(__file__).with_name("contract.json")


def contract() -> dict[str, Any]:
    """Return the contract as the routes have it now."""
    schema = build_api(Settings.model_validate({}), []).openapi()
    parts = schema["components"]["schemas"]
    return {
        f"{method.upper()} {path}": _facts(about, parts)
        for path, verbs in sorted(schema["paths"].items())
        if path.startswith((V1, OPENAI, OLLAMA))
        for method, about in sorted(verbs.items())
    }


def _facts(about: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    body = about.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    answers = {
        status: _fields(answer.get("content", {}).get("application/json", {}).get("schema", {}), parts)
        for status, answer in about["responses"].items()
        if status.startswith("2")
    }
    return {
        "scope": about.get("x-scope", ""),
        "parameters": sorted(
            item["name"] + ("*" if item.get("required") else "") for item in about.get("parameters", [])
        ),
        "body": _fields(body or {}, parts),
        "answers": answers,
    }


def _fields(schema: dict[str, Any], parts: dict[str, Any]) -> list[str]:
    """Return the names of an object's fields, or of a list's items; `*` marks those that a client must send."""
    schema = schema.get("items", schema)
    schema = next((item for item in schema.get("anyOf", ()) if "$ref" in item), schema)
    if "$ref" in schema:
        schema = parts[schema["$ref"].rpartition("/")[2]]
    required = set(schema.get("required", ()))
    return sorted(name + ("*" if name in required else "") for name in schema.get("properties", {}))


def text() -> str:
    """Return the file."""
    return json.dumps(contract(), indent=2) + "\n"


if __name__ == "__main__":
    PAGE.write_text(text())
