"""An HTTP server that answers as it was told, well or badly: for the answers that no real server gives on demand."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answering = Callable[[str, bytes], bytes]
"""What goes over the line, given the head of a request and its body; b"" closes it."""


@dataclass
class CannedHttp:
    """Where it listens, what it heard, and what it answers."""

    port: int
    answer: Answering
    pause_seconds: float = 0.0
    """So long it waits before it reads what comes after the head."""
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each request, by their names in lower case."""
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"


def answer(
    status: int, body: bytes = b"", kind: str = "application/xml", length: int | None = None, **more: str
) -> bytes:
    """One answer, after which the line is closed; it may lie about its length."""
    headers = {"Content-Type": kind, "Content-Length": str(len(body) if length is None else length)} | more
    lines = [f"HTTP/1.1 {status} Canned", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def s3_error(status: int, code: str) -> bytes:
    """An error as S3 servers say it."""
    return answer(status, f"<Error><Code>{code}</Code><Message>canned</Message></Error>".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # Else a large request would go into the buffers at once, and a slow reader would not be noticed.
    allow_reuse_address = True
    canned: CannedHttp


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, _Server)
        canned, head = self.server.canned, ""
        while (line := self.rfile.readline().decode()) not in {"", "\r\n"}:
            head += line
        length = next((int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0)
        canned.gone.wait(canned.pause_seconds)
        body = self.rfile.read(length)
        if not head:
            return
        fields = (line.partition(":") for line in head.splitlines()[1:])
        canned.headers.append({name.lower(): value.strip() for name, _, value in fields})
        canned.heard.append((head.splitlines()[0], body))
        self.wfile.write(canned.answer(head.splitlines()[0], body))


@contextmanager
def canned_http(answering: Answering) -> Iterator[CannedHttp]:
    """Answer for as long as the context is open."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.canned = CannedHttp(server.server_address[1], answering)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        serving.start()
        try:
            yield server.canned
        finally:
            server.canned.gone.set()
            server.shutdown()
            serving.join()
