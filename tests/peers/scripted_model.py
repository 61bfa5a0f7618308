"""The behavior of a scripted model, from the keys in its name (scripted_ollama.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Script:
    """The behavior of a model."""

    tokens: int = 20
    rate: float = 0.0
    first: float = 0.0
    think: int = 0
    text: str = "word "
    count: int = 0
    echo: int = 0
    resume: str = "on"
    stamp: int = 0
    call: str = ""
    fault: str = ""
    at: int = 5
    load: float = 0.0
    needs: str = ""
    hold: str = ""
    ends: str = "stop"

    @classmethod
    def named(cls, model: str) -> Script | None:
        """Return the script of a model's name, or None if it is no scripted model."""
        family, _, rest = model.partition(":")
        if family != "scripted":
            return None
        values: dict[str, Any] = {}
        for part in filter(None, rest.split(",")):
            key, _, value = part.partition("=")
            if key not in cls.__dataclass_fields__:
                continue
            kind = type(getattr(cls, key))
            values[key] = kind(value)
        return cls(**values)


def counted(first: int, last: int) -> str:
    """Return the text of a counting model."""
    return "".join(f"{number} " for number in range(first, last + 1))


def goes_on(messages: list[dict[str, Any]]) -> bool:
    """Whether a model is given the beginning of its answer, or is told to go on with it."""
    roles = [message["role"] for message in messages]
    return roles[-1:] == ["assistant"] or ("cut off" in str(messages[-1:]) and roles[-2:] == ["assistant", "user"])


def resumed(script: Script, messages: list[dict[str, Any]]) -> list[str]:
    """Return a model's tokens after the given messages: the whole answer, or the rest of a begun one."""
    if script.echo:
        pieces = [script.text[at : at + script.echo] for at in range(0, len(script.text), script.echo)]
    elif script.count:
        pieces = [f"{number} " for number in range(1, script.tokens + 1)]
    else:
        pieces = [script.text] * script.tokens
    if not goes_on(messages):
        return pieces
    is_prefilled = messages[-1]["role"] == "assistant"
    said = messages[-1 if is_prefilled else -2]["content"]
    whole = "".join(pieces)
    if not whole.startswith(said) and not script.count:
        return pieces
    if not whole.startswith(said):
        raise AssertionError("an answer goes on from something that this model never said")
    match script.resume:
        case "anew":
            return pieces if is_prefilled else _after(pieces, said)
        case "never":
            return [*pieces[: len(pieces) // 5], "and so on"]
        case "other" | "none":
            other = ["Something ", "else ", "altogether, ", "and not ", "what was asked."]
            return ([] if script.resume == "none" else other) if is_prefilled else _after(pieces, said)
        case _:
            return _after(pieces, said)


def _after(pieces: list[str], said: str) -> list[str]:
    """Return the tokens after a cut-off text, beginning with the rest of the one that was cut."""
    length = 0
    for number, piece in enumerate(pieces):
        if length + len(piece) > len(said):
            return [piece[len(said) - length :], *pieces[number + 1 :]]
        length += len(piece)
    return []
