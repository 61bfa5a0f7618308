"""Response headers: what a page may load and run, which sites may frame it, and what may be cached."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope, Send

from rxchat.settings import Settings

API_PATHS = ("/api/", "/v1/", "/ollama/", "/healthz", "/readyz", "/metrics")
_TAGGED = ("/api/v1/",)
"""Addresses whose ETags are versions for If-Match: no cache uses them, since nothing is stored."""
EVENTS_PATH = "/_event"
CHAT_PATH = "/c/"
_HASHED = "/assets/"
_CONDITIONS = {b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"range"}
_STARTS = {"http.response.start", "websocket.http.response.start"}
_YEAR_SECONDS = 31_536_000

_DENIED = (
    "accelerometer, autoplay, camera, display-capture, encrypted-media, gamepad, geolocation, gyroscope, hid,"
    " idle-detection, local-fonts, magnetometer, midi, payment, screen-wake-lock, serial, usb,"
    " window-management, xr-spatial-tracking"
)
_PERMISSIONS = ", ".join(
    [f"{feature.strip()}=()" for feature in _DENIED.split(",")]
    # The microphone is for dictation.
    + ["microphone=(self)", "publickey-credentials-create=(self)", "publickey-credentials-get=(self)"]
)
_FOR_ALL = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Data, scripts and images are no pages: if a user opens one as a page, nothing in it may run.
_NOT_A_PAGE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
# PDF.js loads its decoders into its worker.
_PDF_WORKER = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PDF_WORKER_FILE = "pdf.worker"
# It loads pages, and is no page itself.
_SERVICE_WORKER = "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_SERVICE_WORKER_FILE = "/service-worker.js"
# What a model wrote is drawn in frames (assets/frames) that have no origin of their own, wherever they are opened, and that
# load nothing but what their kind is about. The page that holds them lets them go nowhere else.
_FRAMES = "/frames/"
_FRAME = (
    "sandbox allow-scripts; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self';"
    " webrtc 'block'; "
)
_FRAME_POLICIES = {
    "page.html": _FRAME
    + "script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:",
    "diagram.html": _FRAME + "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:",
    "image.html": _FRAME + "script-src 'self'; style-src 'self' 'unsafe-inline'; img-src http: https:",
}
# Emotion, with which Reflex styles components, puts an empty style element into the page and fills it rule by rule
# through the CSSOM, which the page's scripts may do: this is the hash of the empty string.
_EMPTY_STYLE = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"


class AnswerHeaders:
    """Adds security and cache headers to every response."""

    def __init__(self, settings: Settings, script_hashes: Sequence[str]) -> None:
        self._for_all = dict(_FOR_ALL)
        if settings.base_url.startswith("https://"):
            self._for_all["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
        self._page_policy = page_policy(settings, script_hashes)

    def added_to(self, send: Send, scope: Scope) -> Send:
        """Return a `send` that adds the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] in _STARTS:
                self._complete(MutableHeaders(scope=message), scope["path"], message["status"])
            await send(message)

        return send_with_headers

    def _complete(self, headers: MutableHeaders, path: str, status: int) -> None:
        for name, value in self._for_all.items():
            headers[name] = value
        if path.startswith(_FRAMES):
            _add_for_frame(headers, path.removeprefix(_FRAMES))
        is_page = "text/html" in headers.get("content-type", "")
        is_worker = path.startswith(_HASHED) and PurePosixPath(path).name.startswith(_PDF_WORKER_FILE)
        other = _PDF_WORKER if is_worker else _SERVICE_WORKER if path == _SERVICE_WORKER_FILE else _NOT_A_PAGE
        headers.setdefault("Content-Security-Policy", self._page_policy if is_page else other)
        if is_page:
            # What is no page has no features to use; a first load would carry this twenty times.
            headers["Permissions-Policy"] = _PERMISSIONS
        if is_page or status not in {200, 304} or not is_file(path):
            _make_private(headers, keeps_tag=path.startswith(_TAGGED))
        elif path.startswith(_HASHED):
            # Their names change with their contents.
            headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
        else:
            headers["Cache-Control"] = "no-cache"


def _add_for_frame(headers: MutableHeaders, name: str) -> None:
    """Let RxChat's pages hold the frames, and the frames, which are of no origin, load their own files."""
    if name in _FRAME_POLICIES:
        headers["Content-Security-Policy"] = _FRAME_POLICIES[name]
        headers["X-Frame-Options"] = "SAMEORIGIN"
        headers["Referrer-Policy"] = "no-referrer"
        headers["X-DNS-Prefetch-Control"] = "off"
    else:
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"


def disposition(name: str, kind: str = "attachment") -> str:
    """Return the Content-Disposition of a file with this name, for old and new clients."""
    plain = re.sub(r'[^\x20-\x7e]|["\\]', "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def is_file(path: str) -> bool:
    """Whether a path can only be that of a file of the build, which is the same for all users."""
    return PurePosixPath(path).suffix not in {"", ".html"} and not path.startswith((*API_PATHS, EVENTS_PATH, CHAT_PATH))


def without_conditions(scope: Scope) -> Scope:
    """Return a scope without conditional headers: a response that no client may store cannot be 304."""
    return {**scope, "headers": [header for header in scope["headers"] if header[0].lower() not in _CONDITIONS]}


def _make_private(headers: MutableHeaders, *, keeps_tag: bool = False) -> None:
    """Forbid storing and conditional requests: the response depends on the user who is signed in."""
    headers["Cache-Control"] = "no-store"
    headers.add_vary_header("Cookie")
    for validator in ("last-modified",) if keeps_tag else ("etag", "last-modified"):
        del headers[validator]


def page_policy(settings: Settings, script_hashes: Sequence[str]) -> str:
    """Return the Content-Security-Policy of a page: RxChat's own files, and the scripts built into the page.

    Not every browser applies 'self' to websockets, so their addresses are listed.
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
            "frame-src 'self'",
            " ".join(("connect-src 'self'", *sockets)),
            "manifest-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
        )
    )
