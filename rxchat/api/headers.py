"""What every answer says to browsers: what a page may load and run, who may frame it, and who may keep it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from rxchat.settings import Settings

API_PATHS = ("/api/", "/healthz", "/readyz", "/metrics")
EVENTS_PATH = "/_event"
CHAT_PATH = "/c/"
_HASHED = "/assets/"
_CONDITIONS = {b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"range"}
_STARTS = {"http.response.start", "websocket.http.response.start"}
_YEAR_SECONDS = 31_536_000

_DENIED = (
    "accelerometer, autoplay, camera, display-capture, encrypted-media, gamepad, geolocation, gyroscope, hid,"
    " idle-detection, local-fonts, magnetometer, microphone, midi, payment, screen-wake-lock, serial, usb,"
    " window-management, xr-spatial-tracking"
)
_PERMISSIONS = ", ".join(
    [f"{feature.strip()}=()" for feature in _DENIED.split(",")]
    + ["publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
)
_FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": _PERMISSIONS,
}
# Data, scripts and pictures are no pages: whoever opens one as a page gets a dead one.
_NOT_A_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# PDF.js loads its decoders into its worker.
_PDF_WORKER = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PDF_WORKER_FILE = "pdf.worker"
# Emotion, with which Reflex styles components, puts an empty style element into the page and fills it rule by rule
# through the CSSOM, which scripts of ours may: it is the hash of nothing.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


class AnswerHeaders:
    """Puts onto every answer what browsers must know of it."""

    def __init__(self, settings: Settings, script_hashes: Sequence[str]) -> None:
        self._for_all = dict(_FOR_ALL)
        if settings.base_url.startswith("https://"):
            self._for_all["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
        self._page_policy = page_policy(settings, script_hashes)

    def added_to(self, send: Send, scope: Scope) -> Send:
        """Return a `send` that adds them."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                self._complete(MutableHeaders(scope=message), scope["path"], message["status"])
            await send(message)

        return send_with_headers

    def _complete(self, headers: MutableHeaders, path: str, status: int) -> None:
        for name, value in self._for_all.items():
            headers[name] = value
        is_page = "text/html" in headers.get("content-type", "")
        is_worker = path.startswith(_HASHED) and PurePosixPath(path).name.startswith(_PDF_WORKER_FILE)
        other = _PDF_WORKER if is_worker else _NOT_A_PAGE
        headers.setdefault("Content-Security-Policy", self._page_policy if is_page else other)
        if is_page or status not in {200, 304} or not is_file(path):
            _make_private(headers)
        elif path.startswith(_HASHED):
            # Their names change with their contents.
            headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
        else:
            headers["Cache-Control"] = "no-cache"


def is_file(path: str) -> bool:
    """Whether a path can only be that of a file of the build, which is the same for everybody."""
    return PurePosixPath(path).suffix not in {"", ".html"} and not path.startswith((*API_PATHS, EVENTS_PATH, CHAT_PATH))


def without_conditions(scope: Scope) -> Scope:
    """Return a scope that asks for all of it: what nobody may keep cannot be unchanged."""
    return {**scope, "headers": [header for header in scope["headers"] if header[0].lower() not in _CONDITIONS]}


def _make_private(headers: MutableHeaders) -> None:
    """Let nobody keep it, and nobody ask whether it has changed: it depends on who is signed in."""
    headers["Cache-Control"] = "no-store"
    headers.add_vary_header("Cookie")
    for validator in ("etag", "last-modified"):
        del headers[validator]


def page_policy(settings: Settings, script_hashes: Sequence[str]) -> str:
    """Return what a page may load and run: our own files, and the scripts that were built into it.

    'self' means the websocket, too, but not to every browser: its addresses are named.
    """
    origins = (settings.base_url, *(origin for origin in settings.extra_origins if origin != "*"))
    sockets = dict.fromkeys("ws" + origin.removeprefix("http") for origin in origins if origin.startswith("http"))
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *(f"'{found}'" for found in script_hashes))),
            f"style-src 'self' {_EMPTY_STYLE}",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            " ".join(("connect-src 'self'", *sockets)),
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )
