"""`POST /v1/embeddings`: vectors of the embedding model that RxChat's own search uses."""

from __future__ import annotations

import base64
import struct
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field

from rxchat.api.openai.answering import unless_left
from rxchat.api.requests import ServicesDep, SignedIn
from rxchat.api.v1.scopes import needs
from rxchat.domain.api_errors import UnsupportedParameter
from rxchat.domain.chunking import estimated_tokens
from rxchat.domain.permissions import Scope
from rxchat.domain.text import sanitize

router = APIRouter(prefix="/v1", tags=["OpenAI"])
_MOST_TEXTS, _LONGEST_TEXT = 256, 100_000


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


class EmbeddingsRequest(BaseModel):
    """Texts, of which each gets a vector. Lists of tokens are refused: only the model's host knows its tokens."""

    model: str = Field(min_length=1, max_length=300)
    input: Annotated[list[Annotated[str, Field(max_length=_LONGEST_TEXT)]], BeforeValidator(_as_list)] = Field(
        min_length=1, max_length=_MOST_TEXTS
    )
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    user: str | None = None


@router.post("/embeddings", response_model=None, **needs(Scope.CHAT))
async def create_embeddings(
    body: EmbeddingsRequest, request: Request, current_user: SignedIn, services: ServicesDep
) -> Response:
    """Return a vector for each text; nothing is kept."""
    if body.dimensions is not None:
        raise UnsupportedParameter(
            "dimensions is not supported: vectors have the length of the model.", field="dimensions"
        )
    texts = [sanitize(text) for text in body.input]
    with services.chat.completions.place(current_user.user_id):
        vectors = await unless_left(request, services.retrieval.embeddings.vectors(current_user, body.model, texts))
    tokens = sum(map(estimated_tokens, texts))
    data = [
        {"object": "embedding", "index": number, "embedding": _written(vector, body.encoding_format)}
        for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": body.model, "usage": usage})


def _written(vector: list[float], form: str) -> Any:
    return vector if form == "float" else base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
