"""A package index on loopback (PEP 503) that serves the wheels of a folder."""

from __future__ import annotations

import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Index(SimpleHTTPRequestHandler):
    """`/simple/NAME/` lists the files of a package; everything else is a file of the folder."""

    def do_GET(self) -> None:
        if not self.path.startswith("/simple/"):
            super().do_GET()
            return
        name = self.path.removeprefix("/simple/").strip("/")
        files = [path.name for path in sorted(Path(self.directory).iterdir()) if _project(path.name) == name]
        links = "".join(f'<a href="/{file}">{file}</a>\n' for file in files)
        body = f"<!DOCTYPE html><html><body>{links}</body></html>".encode()
        self.send_response(200 if files else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Do not log requests."""


def _project(file: str) -> str:
    """Return the normalized name (PEP 503) of the project of a distribution's file."""
    name = re.split(r"-\d", file, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@contextmanager
def package_index(wheels: Path) -> Iterator[str]:
    """Serve the wheels of a folder and return the index's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Index, directory=str(wheels)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def add_release(wheels: Path, project: str, version: str) -> None:
    """Add an empty release of a project to the folder."""
    about = f"{project}-{version}.dist-info"
    with zipfile.ZipFile(wheels / f"{project}-{version}-py3-none-any.whl", "w") as wheel:
        extras = "Provides-Extra: reload\n"
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{extras}")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
