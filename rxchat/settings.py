"""Every setting: one class, read from the environment (and a .env file) once, at a process's start."""

from __future__ import annotations

from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rxchat.domain.accounts import RegistrationMode, SecondFactorPolicy
from rxchat.domain.sign_in_providers import is_private_line


def is_loopback(host: str) -> bool:
    """Whether a host's name or address means this machine and can be reached from no other."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Settings(BaseSettings):
    """What an operator can set; each one is described in the README's table."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True, env_ignore_empty=True)

    # Where it runs
    data_folder: Path = Field(default=Path("data"), alias="RXCHAT_DATA")
    host: str = Field(default="127.0.0.1", alias="RXCHAT_HOST")
    port: int = Field(default=8000, alias="RXCHAT_PORT", ge=1, le=65535)
    public_url: str = Field(default="", alias="RXCHAT_PUBLIC_URL")

    # The servers it uses; one that is not set is started by RxChat itself
    database_url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    database_owner_url: SecretStr | None = Field(default=None, alias="DATABASE_OWNER_URL")
    redis_url: SecretStr | None = Field(default=None, alias="REDIS_URL")
    ollama_hosts: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="OLLAMA_HOSTS")
    postgres_port: int = Field(default=0, alias="RXCHAT_POSTGRES_PORT", ge=0, le=65535)
    valkey_port: int = Field(default=0, alias="RXCHAT_VALKEY_PORT", ge=0, le=65535)
    models_port: int = Field(default=0, alias="RXCHAT_MODELS_PORT", ge=0, le=65535)
    database_pool_size: int = Field(default=10, alias="RXCHAT_DATABASE_POOL_SIZE", ge=2, le=200)

    # Which of its work a process does
    engine: bool = Field(default=True, alias="RXCHAT_ENGINE")
    answers_at_once: int = Field(default=256, alias="RXCHAT_ANSWERS_AT_ONCE", ge=1)
    answers_per_person: int = Field(default=4, alias="RXCHAT_ANSWERS_PER_PERSON", ge=1)
    answer_timeout_minutes: float = Field(default=60.0, alias="RXCHAT_ANSWER_TIMEOUT_MINUTES", gt=0)

    # Models
    default_model: str = Field(default="", alias="RXCHAT_DEFAULT_MODEL")
    context_tokens: int = Field(default=8_192, alias="RXCHAT_CONTEXT_TOKENS", ge=512)
    remote_models: bool = Field(default=False, alias="RXCHAT_REMOTE_MODELS")
    load_timeout_seconds: float = Field(default=600.0, alias="RXCHAT_LOAD_TIMEOUT_SECONDS", gt=0)
    first_token_timeout_seconds: float = Field(default=120.0, alias="RXCHAT_FIRST_TOKEN_TIMEOUT_SECONDS", gt=0)
    token_timeout_seconds: float = Field(default=60.0, alias="RXCHAT_TOKEN_TIMEOUT_SECONDS", gt=0)

    # Files: in the data folder, or in S3 when there is an endpoint
    file_megabytes: int = Field(default=100, alias="RXCHAT_FILE_MEGABYTES", ge=1, le=5_000)
    person_megabytes: int = Field(default=5_000, alias="RXCHAT_PERSON_MEGABYTES", ge=1)
    person_files: int = Field(default=10_000, alias="RXCHAT_PERSON_FILES", ge=1)
    files_key: SecretStr | None = Field(default=None, alias="RXCHAT_FILES_KEY")
    files_key_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_FILES_KEY_PREVIOUS"
    )
    s3_endpoint: str = Field(default="", alias="S3_ENDPOINT")
    s3_bucket: str = Field(default="rxchat", alias="S3_BUCKET")
    s3_prefix: str = Field(default="", alias="S3_PREFIX", max_length=500)
    s3_region: str = Field(default="us-east-1", alias="S3_REGION")
    s3_access_key: SecretStr | None = Field(default=None, alias="S3_ACCESS_KEY", validate_default=True)
    s3_secret_key: SecretStr | None = Field(default=None, alias="S3_SECRET_KEY", validate_default=True)

    # Finding passages in them
    embedding_model: str = Field(default="", alias="RXCHAT_EMBEDDING_MODEL")
    embedding_url: str = Field(default="", alias="RXCHAT_EMBEDDING_URL")
    embedding_key: SecretStr | None = Field(default=None, alias="RXCHAT_EMBEDDING_KEY")
    embedding_tokens: int = Field(default=512, alias="RXCHAT_EMBEDDING_TOKENS", ge=32)
    embedding_query_prefix: str | None = Field(default=None, alias="RXCHAT_EMBEDDING_QUERY_PREFIX")
    embedding_document_prefix: str | None = Field(default=None, alias="RXCHAT_EMBEDDING_DOCUMENT_PREFIX")
    reranker_model: str = Field(default="", alias="RXCHAT_RERANKER_MODEL")
    reranker_url: str = Field(default="", alias="RXCHAT_RERANKER_URL")
    reranker_key: SecretStr | None = Field(default=None, alias="RXCHAT_RERANKER_KEY")
    source_tokens: int = Field(default=1_600, alias="RXCHAT_SOURCE_TOKENS", ge=100)

    # Secrets: generated into the data folder with the embedded database, demanded with any other
    secret_key: SecretStr | None = Field(default=None, alias="RXCHAT_SECRET_KEY")
    password_pepper: SecretStr | None = Field(default=None, alias="RXCHAT_PASSWORD_PEPPER")

    # Sign-in
    session_idle_days: int = Field(default=7, alias="RXCHAT_SESSION_IDLE_DAYS", ge=1)
    session_absolute_days: int = Field(default=30, alias="RXCHAT_SESSION_ABSOLUTE_DAYS", ge=1)
    bcrypt_rounds: int = Field(default=12, alias="RXCHAT_BCRYPT_ROUNDS", ge=4, le=17)

    password_pepper_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_PASSWORD_PEPPER_PREVIOUS"
    )
    registration: RegistrationMode = Field(default=RegistrationMode.INVITATION, alias="RXCHAT_REGISTRATION")
    second_factor: SecondFactorPolicy = Field(default=SecondFactorPolicy.ADMINS, alias="RXCHAT_SECOND_FACTOR")
    deletion_grace_days: int = Field(default=7, alias="RXCHAT_DELETION_GRACE_DAYS", ge=0, le=365)

    # Mail: without a server, administrators hand links over themselves
    smtp_url: SecretStr | None = Field(default=None, alias="RXCHAT_SMTP_URL")
    mail_from: str = Field(default="RxChat <rxchat@localhost>", alias="RXCHAT_MAIL_FROM")

    # Who may connect, and for whom they may speak
    extra_origins: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="RXCHAT_EXTRA_ORIGINS")
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_TRUSTED_PROXIES"
    )

    # Sign-in elsewhere; a provider is offered when its client id is set, and then wants the rest
    github_client_id: str = Field(default="", alias="RXCHAT_GITHUB_CLIENT_ID")
    github_client_secret: SecretStr | None = Field(
        default=None, alias="RXCHAT_GITHUB_CLIENT_SECRET", validate_default=True
    )
    github_url: str = Field(default="https://github.com", alias="RXCHAT_GITHUB_URL")
    github_api_url: str = Field(default="", alias="RXCHAT_GITHUB_API_URL")
    apple_client_id: str = Field(default="", alias="RXCHAT_APPLE_CLIENT_ID")
    apple_team_id: str = Field(default="", alias="RXCHAT_APPLE_TEAM_ID", validate_default=True)
    apple_key_id: str = Field(default="", alias="RXCHAT_APPLE_KEY_ID", validate_default=True)
    apple_private_key: SecretStr | None = Field(default=None, alias="RXCHAT_APPLE_PRIVATE_KEY", validate_default=True)
    apple_url: str = Field(default="https://appleid.apple.com", alias="RXCHAT_APPLE_URL")
    oidc_client_id: str = Field(default="", alias="RXCHAT_OIDC_CLIENT_ID")
    oidc_client_secret: SecretStr | None = Field(default=None, alias="RXCHAT_OIDC_CLIENT_SECRET")
    oidc_issuer: str = Field(default="", alias="RXCHAT_OIDC_ISSUER", validate_default=True)
    oidc_name: str = Field(default="single sign-on", alias="RXCHAT_OIDC_NAME")
    oidc_trust_email: bool = Field(default=False, alias="RXCHAT_OIDC_TRUST_EMAIL")
    oidc_scopes: str = Field(default="openid email profile", alias="RXCHAT_OIDC_SCOPES")

    # What it tells its operator
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", alias="RXCHAT_LOG_LEVEL")
    metrics_token: SecretStr | None = Field(default=None, alias="RXCHAT_METRICS_TOKEN")
    log_format: Literal["auto", "json", "text"] = Field(default="auto", alias="RXCHAT_LOG_FORMAT")

    @field_validator("ollama_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        """Accept "host1:11434, http://host2:11434" as Ollama's own OLLAMA_HOST does."""
        if not isinstance(value, str):
            return value
        hosts = [part.strip().rstrip("/") for part in value.split(",") if part.strip()]
        return tuple(host if "://" in host else f"http://{host}" for host in hosts)

    @field_validator(
        "extra_origins", "trusted_proxies", "password_pepper_previous", "files_key_previous", mode="before"
    )
    @classmethod
    def _split_list(cls, value: object) -> object:
        """Accept "one, another"."""
        if not isinstance(value, str):
            return value
        return tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())

    @field_validator("github_client_secret", "apple_team_id", "apple_key_id", "apple_private_key", "oidc_issuer")
    @classmethod
    def _complete(cls, value: str | SecretStr | None, info: ValidationInfo) -> str | SecretStr | None:
        """Demand what the provider cannot do without."""
        name = str(info.field_name)
        client_id = f"{name.partition('_')[0]}_client_id"
        if info.data.get(client_id) and not value:
            raise ValueError(f"RXCHAT_{name.upper()} is needed with RXCHAT_{client_id.upper()}")
        return value

    @field_validator("s3_access_key", "s3_secret_key")
    @classmethod
    def _with_endpoint(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Demand what S3 cannot do without."""
        if info.data.get("s3_endpoint") and not value:
            raise ValueError(f"{str(info.field_name).upper()} is needed with S3_ENDPOINT")
        return value

    @field_validator("github_url", "github_api_url", "apple_url", "oidc_issuer")
    @classmethod
    def _private(cls, value: str) -> str:
        """Demand addresses of providers at which nobody else can answer."""
        if value and not is_private_line(value):
            raise ValueError("must begin with https:// (or http:// on this machine)")
        return value

    @field_validator("apple_private_key")
    @classmethod
    def _elliptic(cls, value: SecretStr | None) -> SecretStr | None:
        """Accept the .p8 file's text also on one line, as .env files have it."""
        if value is None:
            return None
        text = value.get_secret_value().replace("\\n", "\n")
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        curve = key.curve.name if isinstance(key, EllipticCurvePrivateKey) else ""
        if curve != "secp256r1":
            raise ValueError("must be the text of the .p8 file that Apple gave you")
        return SecretStr(text)

    @field_validator("oidc_scopes")
    @classmethod
    def _with_openid(cls, value: str) -> str:
        """Ask for the ID token in any case."""
        return " ".join(dict.fromkeys(["openid", *value.split()]))

    @cached_property
    def data(self) -> Path:
        """The data folder as an absolute path."""
        return self.data_folder.expanduser().resolve()

    @property
    def base_url(self) -> str:
        """The address people type: the public URL, or where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def own_origins(self) -> tuple[str, ...]:
        """The addresses under which browsers may reach it: what people type, or this machine by its names."""
        if self.public_url:
            return (self.base_url, *self.extra_origins)
        own = tuple(f"http://{name}:{self.port}" for name in ("localhost", "127.0.0.1"))
        is_elsewhere = self.host not in {"localhost", "127.0.0.1", "0.0.0.0", "::"}  # noqa: S104 - recognised, not bound
        return (*own, *((self.base_url,) if is_elsewhere else ()), *self.extra_origins)

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can connect to where it listens."""
        return not is_loopback(self.host)

    @property
    def is_for_others(self) -> bool:
        """Whether people on other machines use it, through a proxy or straight."""
        return self.is_exposed or not is_loopback(urlsplit(self.base_url).hostname or "")
