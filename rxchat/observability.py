"""What RxChat tells its operator: structured logs with a correlation id, and metrics.

Cookies, tokens, keys, passwords and the words of conversations are never logged: `_redact` takes them out by the
name of the field and by their shape, in our own log calls and in those of libraries alike.
"""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Literal

import structlog
from prometheus_client import Counter, Gauge, Histogram

from rxchat.domain.ids import new_id

REDACTED = "[redacted]"
LARGEST_LOG_BYTES = 10_000_000
LONGEST_MESSAGE = 2_000
"""Characters of one line's message; its other fields and its traceback are as long as they are."""
_SECRET_NAMES = re.compile(
    r"cookie|token|secret|password|pepper|authorization|api_?key|^text$|content|payload|router_data|headers",
    re.IGNORECASE,
)
# PASETO tokens, credentials in URLs, our cookie and Authorization headers, wherever a library prints them.
_SECRET_SHAPES = (
    (re.compile(r"v4\.(local|public)\.[\w-]+(\.[\w-]+)?"), REDACTED),
    # API keys, and the tokens of links.
    (re.compile(r"\brxc_\w+"), REDACTED),
    (re.compile(r"([?&](?:token|code|state)=)[^&\s\"']+"), rf"\1{REDACTED}"),
    # What Postgres quotes of a row or a value: "DETAIL:  Failing row contains (...)".
    (re.compile(r"(DETAIL:)[^\n]*"), rf"\1 {REDACTED}"),
    (re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"), REDACTED),
    (re.compile(r"(?i)(['\"]?(?:cookie|authorization|set-cookie)['\"]?\s*[:=]\s*)(['\"]).*?\2"), rf"\1{REDACTED}"),
    (
        re.compile(r"(?i)(['\"]?(?:cookie|authorization|set-cookie)['\"]?\s*[:=]\s*)[^'\"\s,}][^'\",}]*"),
        rf"\1{REDACTED}",
    ),
    (re.compile(r"(['\"]?payload['\"]?\s*[:=]\s*)\{.*\}", re.DOTALL), rf"\1{REDACTED}"),
)

# C0, DEL, C1, and what turns the direction of writing.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROLS_BUT_NEWLINES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

RUNS = Counter("rxchat_runs_total", "Answers that ended, by how.", ["state"])
RUNS_ACTIVE = Gauge("rxchat_runs_active", "Answers being written by this process.")
TOKENS = Counter("rxchat_answer_tokens_total", "Tokens that models wrote.", ["model"])
FIRST_TOKEN = Histogram(
    "rxchat_first_token_seconds",
    "From the question being stored to the first piece of its answer.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
SIGN_INS = Counter("rxchat_sign_ins_total", "Attempts to sign in, by how they ended.", ["outcome"])
SLOWED = Counter("rxchat_attempts_slowed_total", "Attempts that were refused for a while.", ["action"])
MAILS = Counter("rxchat_mails_total", "Mails, by whether the server took them.", ["outcome"])
REQUESTS = Histogram(
    "rxchat_http_request_seconds",
    "HTTP requests to the API, by route and status.",
    ["method", "route", "status"],
    buckets=(0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
CONNECTIONS_ENDED = Counter(
    "rxchat_connections_ended_total", "Connections that had no place, or whose peer took too long.", ["reason"]
)
SOCKETS_REFUSED = Counter("rxchat_sockets_refused_total", "Websockets for which there was no place.", ["limit"])
PACKETS_REFUSED = Counter("rxchat_socket_packets_refused_total", "Messages on websockets that were no packets.")
FOLLOWERS = Gauge("rxchat_followers", "Browser tabs that follow an answer just now.")


def configure_logging(level: str, form: Literal["auto", "json", "text"], file: Path | None = None) -> None:
    """Send this process's logs, and those of its libraries, to standard error in one form; or to a file, as JSON."""
    as_json = file is not None or form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Any] = (
        [structlog.processors.format_exc_info, _redact, _shorten, structlog.processors.JSONRenderer()]
        if as_json
        else [
            structlog.processors.format_exc_info,
            _redact,
            _shorten,
            _escape,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if file is not None:
        # Opened with its first line: the folder is made by then.
        handler = RotatingFileHandler(file, maxBytes=LARGEST_LOG_BYTES, backupCount=1, delay=True)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    handler.addFilter(RepeatedLines())
    handler.addFilter(RepeatedTracebacks())
    # A line that cannot be formatted would be printed as it is, with all that should have been taken out.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # One line for each HTTP call or socket packet is noise at the level people run with.
    # procrastinate writes the arguments of every job, sealed mails among them.
    # Those two with a server each would print all of it once more, as they like, if nobody had set their level.
    for noisy in ("alembic", "httpx", "httpcore", "socketio.server", "engineio.server", "asyncio", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _source_of(record: logging.LogRecord) -> tuple[str, int, str, int]:
    """Return which line of code logged this. Its text cannot be a key: clients choose parts of what libraries log."""
    return (record.name, record.levelno, record.pathname, record.lineno)


class RepeatedTracebacks(logging.Filter):
    """Leaves the traceback out of a line that had one less than a minute ago: what is tried each second fails each second."""

    _SECONDS = 60.0

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[tuple[Any, ...], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the line, if need be; it is never left out."""
        fields = record.msg if isinstance(record.msg, dict) else None
        given = fields.get("exc_info") if fields is not None else record.exc_info
        error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
        if not isinstance(error, BaseException):
            return True
        now = time.monotonic()
        kind = (_source_of(record), repr(type(error)), _raised_at(error))
        if now - self._shown.get(kind, -self._SECONDS) >= self._SECONDS:
            self._shown = {of: at for of, at in self._shown.items() if now - at < self._SECONDS} | {kind: now}
            return True
        if fields is None:
            record.exc_info = record.exc_text = None
        else:
            record.msg = {**fields, "exc_info": None, "error": str(error)[:400]}
        return True


def _raised_at(error: BaseException) -> tuple[str, int]:
    """Return the file and line where an error was raised."""
    traceback = error.__traceback__
    if traceback is None:
        return ("", 0)
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return (traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)


class RepeatedLines(logging.Filter):
    """Lets a line of the code log so many times in a while; the next one after that says how many were left out.

    What a client sends can make one line of each packet, and a disk is full before an operator reads one. Libraries write what
    clients sent into their messages, at any length; their lines wait for longer.
    """

    _TIMES = 20
    _SECONDS, _LIBRARY_SECONDS = 10.0, 60.0

    def __init__(self) -> None:
        super().__init__()
        # As many as there are lines that log in the code.
        self._seen: dict[tuple[str, int, str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Count a line; False when it is to be left out."""
        source, now = _source_of(record), time.monotonic()
        since, count = self._seen.get(source, (now, 0))
        if now - since > (self._SECONDS if isinstance(record.msg, dict) else self._LIBRARY_SECONDS):
            left_out = count - self._TIMES
            since, count = now, 0
            if left_out > 0 and isinstance(record.msg, dict):
                record.msg["left_out"] = left_out
            elif left_out > 0:
                record.msg = f"{record.msg} ({left_out} more were left out)"
        self._seen[source] = (since, count + 1)
        return count < self._TIMES


def _shorten(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut a long message, after its secrets are taken out: they are recognized by their ends, too."""
    message = event.get("event")
    if isinstance(message, str) and len(message) > LONGEST_MESSAGE:
        event["event"] = f"{message[:LONGEST_MESSAGE]}… ({len(message) - LONGEST_MESSAGE} more characters)"
    return event


def _escape(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Show control characters instead of obeying them: a path in a log must not move an operator's cursor."""
    for name, value in event.items():
        if isinstance(value, str):
            # A traceback has lines of its own; the values in it are escaped all the same.
            event[name] = (_CONTROLS_BUT_NEWLINES if name == "exception" else _CONTROLS).sub(_shown, value)
    return event


def _shown(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


def _redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name != "event" and _SECRET_NAMES.search(name) and not isinstance(value, (int, float, bool)):
            event[name] = REDACTED
        else:
            event[name] = redacted(value)
    return event


def redacted(value: Any) -> Any:
    """Return the value without secrets: by name in mappings, by shape in strings."""
    if isinstance(value, str):
        for shape, replacement in _SECRET_SHAPES:
            value = shape.sub(replacement, value)
        return value
    if isinstance(value, dict):
        return {key: REDACTED if _SECRET_NAMES.search(str(key)) else redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value


def correlation_id() -> str:
    """Return the id that ties together what one click or request caused, or "" outside of one."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", ""))


@contextmanager
def correlated(known: str = "") -> Iterator[str]:
    """Tie together all that is logged inside, under a new id or the one that came along."""
    chosen = known or new_id().hex
    with structlog.contextvars.bound_contextvars(correlation_id=chosen):
        yield chosen
