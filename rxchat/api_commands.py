"""The commands `ask` and `chat`: talk to a model from a terminal, through the HTTP API of a running RxChat."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from rxchat.domain.errors import RxChatError
from rxchat.domain.ids import new_id
from rxchat.settings import Settings

_TIMEOUT = httpx.Timeout(60, connect=10)
"""The server sends a heartbeat every 15 seconds."""
_TRIES = 60
_AGAIN_SECONDS = 1.0
_QUEUED_SECONDS = 0.5
_INTERRUPTED = 130
_UNAVAILABLE = 500
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_CONVERSATIONS = "/api/v1/conversations"


class ApiFailed(RxChatError):
    """The API refused the request."""


def ask(settings: Settings, chosen: argparse.Namespace) -> int:
    """Ask one question and print its answer while it is written; 0 if it is complete."""
    text = chosen.text if chosen.text != "-" else sys.stdin.read()
    with _client(settings) as http:
        terminal = _Terminal(http, as_json=chosen.json)
        return terminal.ask(text, chosen.model, chosen.conversation)


def chat(settings: Settings, chosen: argparse.Namespace) -> int:
    """Talk in one conversation until the end of the input; an answer that is being written is shown first."""
    with _client(settings) as http:
        terminal = _Terminal(http, as_json=chosen.json)
        conversation_id = chosen.conversation
        if conversation_id and (run := terminal.request("GET", f"{_CONVERSATIONS}/{conversation_id}")["run"]):
            terminal.follow(run["id"])
        while text := _line(chosen.json):
            terminal.ask(text, chosen.model, conversation_id)
            conversation_id = terminal.conversation_id
        if conversation_id and not chosen.json:
            print(f"\nContinue with: python -m rxchat chat --conversation {conversation_id}", file=sys.stderr)
    return 0


def _line(is_quiet: bool) -> str:
    """Return the next line that is not blank; "" at the end of the input."""
    while True:
        if not is_quiet:
            print("> ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line or line.strip():
            return line.strip()


def _client(settings: Settings) -> httpx.Client:
    if settings.api_key is None:
        raise ApiFailed("Set RXCHAT_KEY to an API key with the scopes read and chat (Account, API keys).")
    key = settings.api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=settings.api_url or settings.base_url, headers=headers, timeout=_TIMEOUT)


@dataclass
class _Event:
    name: str = ""
    id: str = ""
    data: Any = None


class _Terminal:
    """Asks, follows, and prints; as text, or each event as a line of JSON."""

    def __init__(self, http: httpx.Client, *, as_json: bool) -> None:
        self._http = http
        self._as_json = as_json
        self.conversation_id = ""

    def request(self, method: str, path: str, **sent: Any) -> Any:
        """Return the answer to a request.

        Raises:
            ApiFailed: when it is refused, or the server does not respond.
        """
        try:
            answer = self._http.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise ApiFailed(f"{self._http.base_url} does not respond. Start RxChat, or set RXCHAT_URL.") from error
        _require_success(answer)
        return answer.json()

    def ask(self, text: str, model: str, conversation_id: str) -> int:
        """Ask a question and print its answer; 0 if it is complete."""
        path = f"{_CONVERSATIONS}/{conversation_id}/messages" if conversation_id else _CONVERSATIONS
        # The ID makes a question that is sent again the same one.
        turn = self.request("POST", path, json={"text": text, "model": model, "id": str(new_id())})
        self.conversation_id = turn["conversation_id"]
        return self.follow(turn["run_id"] or self._next_run(turn["message_id"]))

    def _next_run(self, question_id: str) -> str:
        """Wait until a queued question is answered, and return the run."""
        print("Waiting for another answer of this conversation ...", file=sys.stderr)
        at = f"{_CONVERSATIONS}/{self.conversation_id}"
        while True:
            run = self.request("GET", at)["run"]
            if run and self.request("GET", f"{at}/messages/{run['message_id']}")["parent_id"] == question_id:
                return run["id"]
            time.sleep(_QUEUED_SECONDS)

    def follow(self, run_id: str) -> int:
        """Print a run until it has ended; 0 if its answer is complete. Ctrl-C stops it."""
        text, last_id, tries = "", "", 0
        while True:
            try:
                for event in self._events(run_id, last_id):
                    tries, last_id = 0, event.id or last_id
                    text = self._show(event, text)
                    if event.name == "run.ended":
                        return 0 if event.data["state"] == "done" else 1
            except httpx.HTTPError:
                # The server restarts, or the network changed: the stream continues where it was.
                pass
            except KeyboardInterrupt:
                self.request("POST", f"/api/v1/runs/{run_id}/stop")
                return _INTERRUPTED
            tries += 1
            if tries > _TRIES:
                raise ApiFailed("The connection was lost. The answer is written all the same: see the conversation.")
            time.sleep(_AGAIN_SECONDS)

    def _events(self, run_id: str, last_id: str) -> Iterator[_Event]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        with self._http.stream("GET", f"/api/v1/runs/{run_id}/events", headers=headers) as response:
            if response.status_code >= _UNAVAILABLE:
                raise httpx.ReadError("the server is not ready")
            if response.is_error:
                response.read()
            _require_success(response)
            event = _Event()
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                match name:
                    case "event":
                        event.name = value
                    case "id":
                        event.id = value
                    case "data":
                        event.data = json.loads(value)
                    case "" if event.data is not None:
                        yield event
                        event = _Event()

    def _show(self, event: _Event, text: str) -> str:
        """Print an event, and return the answer so far."""
        if event.name == "error" and event.data["status"] >= _UNAVAILABLE:
            raise httpx.ReadError(event.data["detail"])
        if self._as_json:
            print(json.dumps({"event": event.name, "id": event.id, **event.data}), flush=True)
            return text
        match event.name:
            case "run.text":
                if event.data["offset"] < len(text):
                    # What was printed does not hold any more.
                    print(f"\n\n{_printable(text[: event.data['offset']])}", end="")
                print(_printable(event.data["text"]), end="", flush=True)
                return text[: event.data["offset"]] + event.data["text"]
            case "run.ended":
                print(flush=True)
                if error := event.data["error"]:
                    print(f"rxchat: {error['message']}", file=sys.stderr)
            case "error":
                raise ApiFailed(event.data["detail"])
        return text


def _printable(text: str) -> str:
    """Return a text without control characters: what a model writes must not command the terminal."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text)


def _require_success(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        said = f"The server answered with status {answer.status_code}."
    raise ApiFailed(said)
