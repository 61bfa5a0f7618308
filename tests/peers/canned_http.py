"""An HTTP server with configured answers, also invalid ones that no real server sends on demand."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Answering = Callable[[str, bytes], bytes]
"""Returns the bytes to send for the head and body of a request; b"" closes the connection."""


@dataclass
class CannedHttp:
    """The server's address, its requests, and its answers."""

    port: int
    answer: Answering
    pause_seconds: float = 0.0
    """The delay before it reads the body of a request."""
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """The headers of each request, by names in lower case."""
    gone: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"


def answer(
    status: int, body: bytes = b"", kind: str = "application/xml", length: int | None = None, **more: str
) -> bytes:
    """Return a response that closes the connection; `length` may be a wrong Content-Length."""
    headers = {"Content-Type": kind, "Content-Length": str(len(body) if length is None else length)} | more
    lines = [f"HTTP/1.1 {status} Canned", "Connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def s3_error(status: int, code: str) -> bytes:
    """Return an error response of an S3 server."""
    return answer(status, f"<Error><Code>{code}</Code><Message>canned</Message></Error>".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    # Otherwise a large request would fit into the buffers, and a slow reader would have no effect.
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
    """Run the server while the context is open."""
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
