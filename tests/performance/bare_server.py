"""The floor: the same Ollama stream with nothing of RxChat around it, served by the same uvicorn.

`/` is a page of a few lines that appends what it is sent, `/answer` the stream as plain text, and `/socket` a websocket
that forwards it token by token. No accounts, no database, nothing kept, no markdown.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator

import ollama
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

_PAGE = """<!doctype html><title>Bare</title><textarea id="composer"></textarea><div id="thread"></div><script>
const field = document.getElementById("composer");
field.addEventListener("keydown", async (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  const model = new URLSearchParams(location.search).get("model");
  const answer = document.createElement("article");
  answer.className = "message-answer";
  answer.ariaBusy = "true";
  document.getElementById("thread").append(answer);
  const response = await fetch("/answer?model=" + encodeURIComponent(model));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) answer.append(part.value);
  answer.ariaBusy = "false";
});
</script>"""


_client = ollama.AsyncClient(host=os.environ["BARE_OLLAMA"])


async def _tokens(model: str) -> AsyncGenerator[str]:
    async for part in await _client.chat(model=model, messages=[{"role": "user", "content": "Hi"}], stream=True):
        if part.message.content:
            yield part.message.content


async def _page(_request: Request) -> Response:
    return HTMLResponse(_PAGE)


async def _answer(request: Request) -> Response:
    return StreamingResponse(_tokens(request.query_params["model"]), media_type="text/plain")


async def _forward(socket: WebSocket) -> None:
    await socket.accept()
    async for model in socket.iter_text():
        async for token in _tokens(model):
            await socket.send_text(token)
        await socket.send_text("")


app = Starlette(routes=[Route("/", _page), Route("/answer", _answer), WebSocketRoute("/socket", _forward)])
