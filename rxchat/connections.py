"""Where this process's servers are: those of the settings, and the embedded ones that are running for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.checks import HOW_TO_MAKE_A_SECRET, SECRET_BYTES, decoded_secret
from rxchat.domain.errors import RxChatError
from rxchat.embedded import endpoints
from rxchat.embedded.secrets import load_or_create
from rxchat.settings import Settings


class ConfigurationError(RxChatError):
    """RxChat cannot start with these settings."""


@dataclass(frozen=True, slots=True)
class Connections:
    """The addresses of this process's servers and the secrets it uses, set by the administrator or generated."""

    database_url: str
    database_owner_url: str
    redis_url: str | None
    ollama_hosts: tuple[str, ...]
    demo_hosts: tuple[str, ...]
    secret_key: bytes
    password_pepper: bytes
    previous_peppers: tuple[bytes, ...] = ()


def connections(settings: Settings) -> Connections:
    """Return where everything is: what is set, and for the rest the embedded servers that are running.

    Raises:
        ConfigurationError: when something is neither set nor running, or a secret is missing.
    """
    running = endpoints.read(settings.data) if needs_embedded(settings) else None
    if settings.database_url is not None:
        database_url = settings.database_url.get_secret_value()
        owner_url = (settings.database_owner_url or settings.database_url).get_secret_value()
    elif running is not None and running.database_url and running.database_owner_url:
        database_url, owner_url = running.database_url, running.database_owner_url
    else:
        raise ConfigurationError(
            "No database: set DATABASE_URL, or start RxChat's own with `make run` (python -m rxchat up)."
        )
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else running and running.redis_url
    demo_hosts = running.ollama_hosts if running and settings.needs_demo_model else ()
    secret_key, pepper = _secrets(settings)
    return Connections(
        database_url=database_url,
        database_owner_url=owner_url,
        redis_url=redis_url or None,
        ollama_hosts=settings.ollama_hosts or demo_hosts,
        demo_hosts=demo_hosts,
        secret_key=secret_key,
        password_pepper=pepper,
        previous_peppers=tuple(
            decoded_key("RXCHAT_PASSWORD_PEPPER_PREVIOUS", value) for value in settings.password_pepper_previous
        ),
    )


def needs_embedded(settings: Settings) -> bool:
    """Whether any of the servers is left for RxChat to start."""
    return settings.database_url is None or settings.redis_url is None or settings.needs_demo_model


def _secrets(settings: Settings) -> tuple[bytes, bytes]:
    given = settings.secret_key, settings.password_pepper
    if settings.database_url is None and None in given:
        # The data folder holds the database too: what is generated into it is lost with it, not before.
        made = load_or_create(settings.data)
        given = settings.secret_key or made.secret_key, settings.password_pepper or made.password_pepper
    named = zip(("RXCHAT_SECRET_KEY", "RXCHAT_PASSWORD_PEPPER"), given, strict=True)
    key, pepper = (decoded_key(name, value) for name, value in named)
    return key, pepper


def decoded_key(name: str, value: object) -> bytes:
    """Return a setting's key of 32 bytes.

    Raises:
        ConfigurationError: when there is none, or it is something else.
    """
    how = f"Generate one with: {HOW_TO_MAKE_A_SECRET}"
    if value is None:
        raise ConfigurationError(f"{name} is required with your own database. {how}")
    text = value if isinstance(value, str) else value.get_secret_value()  # pyright: ignore[reportAttributeAccessIssue]
    raw = decoded_secret(text)
    if raw is None:
        raise ConfigurationError(f"{name} must be {SECRET_BYTES} random bytes in base64. {how}")
    return raw
