"""Security checks of the settings, which RxChat runs before it starts.

For one user on one machine, most findings are advice. If others can reach RxChat, since it listens outside loopback or
has a public URL that is not loopback's, it does not start with any finding.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import pairwise
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from rxchat.adapters.outgoing_proxies import is_on_this_network
from rxchat.db.platform.database import libpq_url
from rxchat.domain.errors import RxChatError
from rxchat.settings import Settings, is_loopback

Severity = Literal["error", "warning"]

SECRET_BYTES = 32
HOW_TO_MAKE_A_SECRET = (
    f'python -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom({SECRET_BYTES})).decode())"'
)
_FEWEST_DIFFERENT = SECRET_BYTES // 2
_KNOWN_WORDS = ("changeme", "change-me", "change_me", "default", "example", "password", "rxchat", "secret")
_LOWEST_BCRYPT_ROUNDS = 10
_LONGEST_SESSION_DAYS = 365
# The largest private networks: 10.0.0.0/8 and fc00::/7.
_WIDEST = {4: 8, 6: 7}
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem with a setting."""

    severity: Severity
    setting: str
    problem: str
    """The rest of a sentence that begins with the setting's name."""
    remedy: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.setting} {self.problem} {self.remedy}"


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: its subject, what is expected, and its findings."""

    subject: str
    fine: str
    findings: tuple[Finding, ...]


class InsecureSettings(RxChatError):
    """RxChat does not start with these settings."""

    def __init__(self, findings: list[Finding]) -> None:
        """Raised with the findings that prevent a start."""
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings


def printable(text: str) -> str:
    """Return a user's text without control characters, which would control a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def run_checks(settings: Settings) -> list[Checked]:
    """Run all checks and return their results."""
    return [
        Checked(subject, fine if isinstance(fine, str) else fine(settings), tuple(find(settings)))
        for subject, fine, find in _CHECKS
    ]


def findings(settings: Settings) -> list[Finding]:
    """Return the findings of all checks."""
    return [finding for checked in run_checks(settings) for finding in checked.findings]


def require_secure(settings: Settings) -> list[Finding]:
    """Return the findings that are advice only.

    Raises:
        InsecureSettings: if any finding prevents a start.
    """
    found = findings(settings)
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        raise InsecureSettings(errors)
    return found


def describe_exposure(settings: Settings) -> str:
    """Return a sentence about who can reach RxChat, on which the severity of findings depends."""
    where = f"RxChat listens at {settings.host}, and users open {settings.base_url}."
    if settings.is_for_others:
        return f"{where} Other machines can reach it, so it does not start while a check reports an error."
    return f"{where} Only this machine can reach it."


def decoded_secret(text: str) -> bytes | None:
    """Return the bytes of a secret, or None if it is too short or not base64."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) >= SECRET_BYTES else None


def _outside(settings: Settings) -> Severity:
    """Return the severity of problems that only matter if others can reach RxChat."""
    return "error" if settings.is_for_others else "warning"


def _look_at_secrets(settings: Settings) -> Iterator[Finding]:
    remedy = f"Generate a new one with: {HOW_TO_MAKE_A_SECRET}"
    given = {"RXCHAT_SECRET_KEY": settings.secret_key, "RXCHAT_PASSWORD_PEPPER": settings.password_pepper}
    for name, secret in given.items():
        if secret is None:
            if settings.database_url is not None:
                yield Finding("error", name, "is not set, and is required with your own database.", remedy)
        elif (raw := decoded_secret(secret.get_secret_value())) is None:
            yield Finding("error", name, f"is not {SECRET_BYTES} random bytes in base64.", remedy)
        elif weakness := _weakness(secret.get_secret_value(), raw):
            yield Finding(_outside(settings), name, f"can be guessed: {weakness}.", remedy)
    if None not in given.values() and len({_bytes_of(secret) for secret in given.values()}) == 1:
        yield Finding(
            _outside(settings),
            "RXCHAT_PASSWORD_PEPPER",
            "is the same as RXCHAT_SECRET_KEY, so one leak reveals both.",
            remedy,
        )


def _bytes_of(secret: SecretStr | None) -> bytes | str:
    text = secret.get_secret_value() if secret else ""
    return decoded_secret(text) or text


def _weakness(text: str, raw: bytes) -> str:
    """Return why a secret is probably not random, or ""; wrong for at most one random secret in 100,000."""
    if re.fullmatch(r"([0-9a-f]{2}){32,}", text):
        raw = bytes.fromhex(text)
    elif _is_words(text):
        return "it consists of words"
    if any(word in text.lower() or word.encode() in raw.lower() for word in _KNOWN_WORDS):
        return "it is copied from an example"
    if raw.isascii():
        return "it is text, not random bytes"
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    repeats = any(raw == (raw[:period] * len(raw))[: len(raw)] for period in range(1, len(raw) // 2 + 1))
    if repeats or len(set(raw)) < _FEWEST_DIFFERENT or len(steps) < _FEWEST_DIFFERENT:
        return "its bytes repeat"
    return ""


def _is_words(text: str) -> bool:
    """Whether a person probably typed it: letters of mostly one case, and hardly a digit."""
    letters = [letter for letter in text if letter.isalpha()]
    digits = sum(letter.isdigit() for letter in text)
    capitals = sum(letter.isupper() for letter in letters)
    return digits <= len(text) // 20 and (capitals < len(letters) / 5 or capitals > len(letters) * 4 / 5)


def _look_at_the_address(settings: Settings) -> Iterator[Finding]:
    example = "Set it to the address that users type, like https://chat.example.org."
    problem = _address_problem(settings.base_url)
    if problem and (origin := _origin_below(settings.base_url)):
        yield Finding(
            "error",
            "RXCHAT_PUBLIC_URL",
            f"is {settings.base_url}, but RxChat cannot be served below a path of {origin}.",
            "Use a separate host name for RxChat (in DNS and in the proxy, without a path), and set it, like https://chat.example.org.",
        )
    elif problem:
        yield Finding("error", "RXCHAT_PUBLIC_URL", problem, example)
    elif urlsplit(settings.base_url).scheme == "http" and not is_loopback(urlsplit(settings.base_url).hostname or ""):
        yield Finding(
            "error",
            "RXCHAT_PUBLIC_URL",
            f"is {settings.base_url}: everything, including passwords, is sent unencrypted.",
            "Put an https proxy in front of RxChat, and set its https:// address.",
        )


def _address_problem(url: str) -> str:
    origin = _origin_of(url)
    if origin is None:
        return f"is {url}, which does not begin with http:// or https://."
    return "" if origin == url else f"is {url}, but browsers use {origin}."


def _origin_below(url: str) -> str | None:
    """Return the origin of a URL whose only problem is its path."""
    path = urlsplit(url).path
    origin = _origin_of(url) if path else None
    return origin if origin and url == origin + path else None


def _origin_of(url: str) -> str | None:
    """Return a URL's origin as browsers write it in an Origin header, or None if it is no URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        return None
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}")


def _where_it_listens(settings: Settings) -> str:
    """Return a clause about the addresses on which RxChat listens, and which machines reach them."""
    if is_loopback(settings.host):
        return f"at {settings.host}, which only this machine can reach."
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - it is what an operator has set
        return f"at {settings.host}, which is every address of this machine: other machines can reach it."
    return f"at {settings.host}, which other machines can reach."


def _look_at_the_host(settings: Settings) -> Iterator[Finding]:
    if settings.host == "localhost":
        return
    try:
        ip_address(settings.host)
    except ValueError:
        yield Finding(
            "error",
            "RXCHAT_HOST",
            f"is {settings.host}, which is not an address of this machine.",
            "Set it to 127.0.0.1, to 0.0.0.0 for all of this machine's addresses, or to one of them.",
        )


def _look_at_origins(settings: Settings) -> Iterator[Finding]:
    name = "RXCHAT_EXTRA_ORIGINS"
    for origin in settings.extra_origins:
        if origin == "*":
            # Even if only this machine can reach RxChat: the websites that its user visits are outside.
            problem, remedy = (
                "lets every website act on behalf of signed-in users.",
                "List each origin, or leave it empty.",
            )
            yield Finding("error", name, problem, remedy)
        elif wrong := _address_problem(origin):
            yield Finding(
                "error", name, wrong.replace("is", "names", 1), "Write each one like https://chat.example.org."
            )
        elif not origin.startswith("https://") and not _is_fine_over_http(origin, settings):
            problem = f"contains {origin}, and pages loaded over http can be altered in transit."
            yield Finding(_outside(settings), name, problem, "List only https:// origins.")


def _is_fine_over_http(origin: str, settings: Settings) -> bool:
    """Whether both this origin and RxChat itself are on this machine."""
    return all(is_loopback(urlsplit(url).hostname or "") for url in (origin, settings.base_url))


def _look_at_proxies(settings: Settings) -> Iterator[Finding]:
    name = "RXCHAT_TRUSTED_PROXIES"
    for network in settings.trusted_proxies:
        if network.prefixlen < _WIDEST[network.version]:
            problem = f"contains {network}, so almost any client could forge its address."
            yield Finding(_outside(settings), name, problem, "List only the addresses of your proxies.")
    if settings.is_for_others and not settings.trusted_proxies:
        yield Finding(
            "error",
            name,
            "is not set, but RxChat does not support https itself: other machines must connect through a proxy.",
            "Set it to the proxy's address as RxChat sees it (127.0.0.1 when it runs on this machine).",
        )


def _look_at_passwords(settings: Settings) -> Iterator[Finding]:
    if settings.bcrypt_rounds < _LOWEST_BCRYPT_ROUNDS:
        problem = f"is {settings.bcrypt_rounds}, so stolen password hashes can be cracked quickly."
        yield Finding(_outside(settings), "RXCHAT_BCRYPT_ROUNDS", problem, "Set it to 12, or remove it.")


def _look_at_sessions(settings: Settings) -> Iterator[Finding]:
    for name, days in (
        ("RXCHAT_SESSION_IDLE_DAYS", settings.session_idle_days),
        ("RXCHAT_SESSION_ABSOLUTE_DAYS", settings.session_absolute_days),
    ):
        if days > _LONGEST_SESSION_DAYS:
            problem = f"is {days}: a stolen session stays valid for more than a year."
            yield Finding("warning", name, problem, "Set it to 30, or remove it.")


def _look_at_the_database(settings: Settings) -> Iterator[Finding]:
    for name, url in (
        ("DATABASE_URL", settings.database_url),
        ("DATABASE_OWNER_URL", settings.database_owner_url),
    ):
        if url is not None:
            yield from _look_at_the_line(settings, name, url.get_secret_value())


def _look_at_the_line(settings: Settings, name: str, url: str) -> Iterator[Finding]:
    """Check the connection to the database: a server that impersonates it must learn nothing."""
    try:
        asked = conninfo_to_dict(libpq_url(url))
    except psycopg.Error:
        yield Finding(
            "error",
            name,
            "is not an address of a Postgres server.",
            "Write it like postgresql://user:password@host/rxchat.",
        )
        return
    hosts = str(asked.get("host") or "").split(",")
    if asked.get("sslmode") == "verify-full" or all(not host or host.startswith("/") for host in hosts):
        return
    is_elsewhere = any(not is_loopback(host) for host in hosts if host)
    if asked.get("require_auth") != "scram-sha-256":
        problem = "lets any program that listens at that address ask for the password in plain text."
        yield Finding(
            _outside(settings) if is_elsewhere else "warning", name, problem,
            "Add sslmode=verify-full (and sslrootcert), or at least require_auth=scram-sha-256.",
        )  # fmt: skip
    elif is_elsewhere:
        problem = "reaches another machine without TLS: what users write can be read on the way."
        yield Finding(
            "warning", name, problem, "Add sslmode=verify-full, unless the network between the machines is private."
        )


def _look_at_redis(settings: Settings) -> Iterator[Finding]:
    if settings.redis_url is None:
        return
    asked = urlsplit(settings.redis_url.get_secret_value())
    if asked.scheme == "unix":
        return
    is_elsewhere = not is_loopback(asked.hostname or "")
    if not asked.password:
        problem = "has no password, so others on that network can read and change its data."
        remedy = "Set one on the server (requirepass), and add it to the address: redis://:password@host:6379/0."
        yield Finding(_outside(settings) if is_elsewhere else "warning", "REDIS_URL", problem, remedy)
    if is_elsewhere and asked.scheme != "rediss":
        problem = "connects to another machine without TLS: the password and the text of answers are sent unencrypted."
        yield Finding(
            "warning", "REDIS_URL", problem, "Use rediss://, unless the network between the machines is private."
        )


def _look_at_providers(settings: Settings) -> Iterator[Finding]:
    for name, url in settings.openai_hosts.items():
        address = urlsplit(url)
        if address.scheme == "http" and not is_on_this_network(address.hostname or ""):
            problem = f"sends all conversations with the models of {name}, and its key if it has one, unencrypted."
            yield Finding(_outside(settings), "OPENAI_HOSTS", problem, "Use its address with https://.")


def _look_at_the_user(_settings: Settings) -> Iterator[Finding]:
    if os.geteuid() == 0:
        problem = "is root: a vulnerability in any part of RxChat would compromise this machine."
        remedy = "Create a user for RxChat (useradd --system --create-home rxchat), make it the owner of the data folder, and start RxChat as this user."
        yield Finding("warning", "The user", problem, remedy)


_CHECKS: tuple[tuple[str, str | Callable[[Settings], str], Callable[[Settings], Iterator[Finding]]], ...] = (
    ("Secrets", "random and different, or generated into the data folder.", _look_at_secrets),
    ("Public address", "written as browsers do, and https if other machines can reach it.", _look_at_the_address),
    ("Listening", _where_it_listens, _look_at_the_host),
    ("Origins", "only pages of RxChat and of the listed origins may open the websocket.", _look_at_origins),
    ("Proxies", "clients cannot forge their address.", _look_at_proxies),
    ("Password hashes", "take long enough to crack.", _look_at_passwords),
    ("Sessions", "end within a year.", _look_at_sessions),
    (
        "Database",
        "RxChat has no more rights than it needs, and its password is sent encrypted.",
        _look_at_the_database,
    ),
    ("Redis", "asks for a password.", _look_at_redis),
    ("Model providers", "keys are sent encrypted.", _look_at_providers),
    ("User", "RxChat does not run as root.", _look_at_the_user),
)
