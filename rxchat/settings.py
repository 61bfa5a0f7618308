"""Every setting: one class, read from the environment (and a .env file) once, at a process's start."""

from __future__ import annotations

import re
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rxchat.domain.accounts import RegistrationMode, SecondFactorPolicy
from rxchat.domain.model_fallbacks import parsed_fallbacks
from rxchat.domain.service_urls import model_host, service_url
from rxchat.domain.sign_in_providers import is_private_line

_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is loopback."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_link_local(host: str) -> bool:
    """Whether a host is a link-local address, at which clouds offer secrets of the machine."""
    try:
        return ip_address(host.strip("[]")).is_link_local
    except ValueError:
        return False


class Settings(BaseSettings):
    """What an operator can set. `make settings` writes docs/settings.md from the comments and docstrings of this class."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", populate_by_name=True, env_ignore_empty=True)

    # Address and data
    data_folder: Path = Field(default=Path("data"), alias="RXCHAT_DATA")
    """The folder for everything that RxChat stores itself: databases, model weights, secrets, logs."""
    host: str = Field(default="127.0.0.1", alias="RXCHAT_HOST")
    """The address to listen on. Use `0.0.0.0` in a container, or when the proxy runs on another machine."""
    port: int = Field(default=8000, alias="RXCHAT_PORT", ge=1, le=65535)
    """The port to listen on."""
    public_url: str = Field(default="", alias="RXCHAT_PUBLIC_URL")
    """The address that users type, if it differs (behind a proxy with https). A host name of its own, without a path."""

    # Servers; RxChat starts those that are not set
    database_url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    """A Postgres (15 or newer) with pgvector 0.8, unaccent and pg_trgm, reached directly and not through a transaction pooler. Empty: RxChat runs its own."""
    database_owner_url: SecretStr | None = Field(default=None, alias="DATABASE_OWNER_URL")
    """The same database as the role that may migrate it; RxChat itself needs fewer rights. If it may not create a role or an extension, `migrate` prints the SQL for an administrator. Empty: `DATABASE_URL`."""
    redis_url: SecretStr | None = Field(default=None, alias="REDIS_URL")
    """A Redis or Valkey. Empty: RxChat runs its own."""
    ollama_hosts: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="OLLAMA_HOSTS")
    """Addresses of Ollama hosts, separated by commas, as `OLLAMA_HOST` has them: `gpu-1` is `http://gpu-1:11434`. A name with several addresses, or `srv+http://NAME` with an SRV record, is several hosts. Empty, and no `OPENAI_HOSTS`: the demo model."""
    openai_hosts: Annotated[dict[str, str], NoDecode] = Field(default={}, alias="OPENAI_HOSTS")
    """Servers with OpenAI's API, by names of your choice, separated by commas: `gpu=http://gpu-1:8000/v1, openrouter=https://openrouter.ai/api/v1`. Their models are shown as `gpu/...`."""
    openai_keys: Annotated[dict[str, SecretStr], NoDecode] = Field(default={}, alias="OPENAI_KEYS")
    """The keys of those that need one, by the same names: `openrouter=sk-...`."""
    postgres_port: int = Field(default=0, alias="RXCHAT_POSTGRES_PORT", ge=0, le=65535)
    """The port of RxChat's own Postgres. 0: a free one."""
    valkey_port: int = Field(default=0, alias="RXCHAT_VALKEY_PORT", ge=0, le=65535)
    """The port of RxChat's own Valkey. 0: a free one."""
    models_port: int = Field(default=0, alias="RXCHAT_MODELS_PORT", ge=0, le=65535)
    """The port of RxChat's own model host. 0: a free one."""
    database_pool_size: int = Field(default=10, alias="RXCHAT_DATABASE_POOL_SIZE", ge=2, le=200)
    """Connections to Postgres that one process keeps."""

    # Answers
    engine: bool = Field(default=True, alias="RXCHAT_ENGINE")
    """Whether a web process writes answers and ingests documents itself. Set it to `false` beside `worker` processes."""
    answers_at_once: int = Field(default=256, alias="RXCHAT_ANSWERS_AT_ONCE", ge=1)
    """How many answers are written at the same time. Further questions wait in a fair queue. Set it to what your model hosts do at once; the demo model: at most 2."""
    answers_per_user: int = Field(default=4, alias="RXCHAT_ANSWERS_PER_USER", ge=1)
    """How many of those answers may be for one user."""
    answer_timeout_minutes: float = Field(default=60.0, alias="RXCHAT_ANSWER_TIMEOUT_MINUTES", gt=0)
    """How long writing one answer may take."""
    api_requests_per_minute: int = Field(default=600, alias="RXCHAT_API_REQUESTS_PER_MINUTE", ge=1)
    """How many requests the programs of one user may make in a minute, at each web process. Streams count once."""

    currency: str = Field(default="USD", alias="RXCHAT_CURRENCY", pattern=r"^[A-Z]{3}$")
    """The currency of the prices that administrators enter for models, and of quotas for costs. Amounts are never converted."""

    # Models
    default_model: str = Field(default="", alias="RXCHAT_DEFAULT_MODEL")
    """The model that answers new chats. Empty: the first one in the list."""
    model_fallbacks: Annotated[dict[str, tuple[str, ...]], NoDecode, BeforeValidator(parsed_fallbacks)] = Field(
        default={}, alias="RXCHAT_MODEL_FALLBACKS"
    )
    """The models that answer when one is not available, as JSON: `{"llama3.3:70b": ["gpu/llama-3.3", "llama3.2"]}`; `"*"` stands for every model. An answer says which model wrote it. Models outside of the network never answer for one inside."""
    context_tokens: int = Field(default=8_192, alias="RXCHAT_CONTEXT_TOKENS", ge=512)
    """How many tokens a model reads at once (Ollama's `num_ctx`), its answer included. More needs more memory on the host."""
    remote_models: bool = Field(default=False, alias="RXCHAT_REMOTE_MODELS")
    """Whether to offer models that a host forwards to another service (Ollama's cloud models)."""
    load_timeout_seconds: float = Field(default=600.0, alias="RXCHAT_LOAD_TIMEOUT_SECONDS", gt=0)
    """How long loading a model may take."""
    first_token_timeout_seconds: float = Field(default=120.0, alias="RXCHAT_FIRST_TOKEN_TIMEOUT_SECONDS", gt=0)
    """How long a loaded model may take until its first token."""
    token_timeout_seconds: float = Field(default=60.0, alias="RXCHAT_TOKEN_TIMEOUT_SECONDS", gt=0)
    """How long a model may pause between two tokens."""

    # Files
    file_megabytes: int = Field(default=100, alias="RXCHAT_FILE_MEGABYTES", ge=1, le=5_000)
    """The largest file that can be uploaded, in MB."""
    user_megabytes: int = Field(default=5_000, alias="RXCHAT_USER_MEGABYTES", ge=1)
    """How much one user may store, in MB."""
    user_files: int = Field(default=10_000, alias="RXCHAT_USER_FILES", ge=1)
    """How many files one user may store."""
    files_key: SecretStr | None = Field(default=None, alias="RXCHAT_FILES_KEY")
    """The master key that encrypts the files' keys: 32 random bytes in base64. Empty: derived from the secret key."""
    files_key_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_FILES_KEY_PREVIOUS"
    )
    """Earlier master keys, separated by commas, until `rotate-file-keys` has run."""
    s3_endpoint: str = Field(default="", alias="S3_ENDPOINT")
    """S3 or MinIO for files, such as `https://s3.example.org`. Empty: a folder in the data folder."""
    s3_bucket: str = Field(default="rxchat", alias="S3_BUCKET")
    """The bucket. RxChat creates it if it does not exist and the key allows it."""
    s3_prefix: str = Field(default="", alias="S3_PREFIX", max_length=500)
    """A prefix for object keys in a bucket that is shared with other programs, such as `rxchat/`."""
    s3_region: str = Field(default="us-east-1", alias="S3_REGION")
    """The bucket's region."""
    s3_access_key: SecretStr | None = Field(default=None, alias="S3_ACCESS_KEY", validate_default=True)
    """The access key."""
    s3_secret_key: SecretStr | None = Field(default=None, alias="S3_SECRET_KEY", validate_default=True)
    """The secret key."""

    # Search in documents
    embedding_model: str = Field(default="", alias="RXCHAT_EMBEDDING_MODEL")
    """An embedding model of your Ollama hosts. Empty: the embedder that comes with RxChat."""
    embedding_url: str = Field(default="", alias="RXCHAT_EMBEDDING_URL")
    """A service with OpenAI's embeddings API to use instead, such as `https://host/v1`."""
    embedding_key: SecretStr | None = Field(default=None, alias="RXCHAT_EMBEDDING_KEY")
    """Its API key."""
    embedding_tokens: int = Field(default=512, alias="RXCHAT_EMBEDDING_TOKENS", ge=32)
    """The longest text that it accepts, in tokens."""
    embedding_query_prefix: str | None = Field(default=None, alias="RXCHAT_EMBEDDING_QUERY_PREFIX")
    """A prefix for queries, such as `"query: "`; `none` for no prefix. Empty: the one that the model wants, if RxChat knows it."""
    embedding_document_prefix: str | None = Field(default=None, alias="RXCHAT_EMBEDDING_DOCUMENT_PREFIX")
    """A prefix for passages, in the same way. Changing it embeds all documents again."""
    reranker_model: str = Field(default="", alias="RXCHAT_RERANKER_MODEL")
    """The model of the reranker."""
    reranker_url: str = Field(default="", alias="RXCHAT_RERANKER_URL")
    """A service with a `/rerank` endpoint (a cross-encoder) that sorts search results, such as `https://host/v1`."""
    reranker_key: SecretStr | None = Field(default=None, alias="RXCHAT_RERANKER_KEY")
    """Its API key."""
    source_tokens: int = Field(default=1_600, alias="RXCHAT_SOURCE_TOKENS", ge=100)
    """How many tokens of a prompt sources may take. Increase it for models with a larger context."""

    # Secrets
    secret_key: SecretStr | None = Field(default=None, alias="RXCHAT_SECRET_KEY")
    """32 random bytes in base64 that encrypt sessions. Generated for RxChat's own database; required with `DATABASE_URL`."""
    password_pepper: SecretStr | None = Field(default=None, alias="RXCHAT_PASSWORD_PEPPER")
    """32 random bytes in base64 that are part of password hashes. Generated or required like the secret key."""

    # Accounts and sessions
    session_idle_days: int = Field(default=7, alias="RXCHAT_SESSION_IDLE_DAYS", ge=1)
    """After how many days without use a session ends."""
    session_absolute_days: int = Field(default=30, alias="RXCHAT_SESSION_ABSOLUTE_DAYS", ge=1)
    """After how many days a session ends in any case."""
    bcrypt_rounds: int = Field(default=12, alias="RXCHAT_BCRYPT_ROUNDS", ge=4, le=17)
    """The cost of a password hash, as a power of two."""

    password_pepper_previous: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_PASSWORD_PEPPER_PREVIOUS"
    )
    """Earlier peppers, separated by commas. Each password is hashed with the new one at its next sign-in."""
    registration: RegistrationMode = Field(default=RegistrationMode.INVITATION, alias="RXCHAT_REGISTRATION")
    """Who can create an account at first: `open`, `invitation` or `closed`. Administrators can change it later."""
    second_factor: SecondFactorPolicy = Field(default=SecondFactorPolicy.ADMINS, alias="RXCHAT_SECOND_FACTOR")
    """Who needs two-factor authentication at first: `nobody`, `admins` (for administration) or `everybody`. Administrators can change it later."""
    deletion_grace_days: int = Field(default=7, alias="RXCHAT_DELETION_GRACE_DAYS", ge=0, le=365)
    """For how many days after its owner asked for deletion an account can be restored."""

    public_links: bool = Field(default=True, alias="RXCHAT_PUBLIC_LINKS")
    """Whether users can make links that show a snapshot of a conversation to everyone who has one. `false` ends those that exist, too."""

    # E-mail
    smtp_url: SecretStr | None = Field(default=None, alias="RXCHAT_SMTP_URL")
    """The mail server: `smtp://user:password@host:587` or `smtps://...`. Empty: administrators pass links on themselves."""
    mail_from: str = Field(default="RxChat <rxchat@localhost>", alias="RXCHAT_MAIL_FROM")
    """The sender of e-mails."""

    # Proxies and origins
    extra_origins: Annotated[tuple[str, ...], NoDecode] = Field(default=(), alias="RXCHAT_EXTRA_ORIGINS")
    """Further addresses whose pages may open the websocket, such as `https://chat.internal`, separated by commas."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        default=(), alias="RXCHAT_TRUSTED_PROXIES"
    )
    """Addresses or networks of the proxies whose `X-Forwarded-For` is trusted, separated by commas."""

    # Sign-in with GitHub, Apple or single sign-on
    github_client_id: str = Field(default="", alias="RXCHAT_GITHUB_CLIENT_ID")
    """The client ID of the OAuth app for sign-in with GitHub. Empty: not offered."""
    github_client_secret: SecretStr | None = Field(
        default=None, alias="RXCHAT_GITHUB_CLIENT_SECRET", validate_default=True
    )
    """Its client secret."""
    github_url: str = Field(default="https://github.com", alias="RXCHAT_GITHUB_URL")
    """The address of another GitHub (Enterprise)."""
    github_api_url: str = Field(default="", alias="RXCHAT_GITHUB_API_URL")
    """The address of its API. Empty: `https://api.github.com`, or `/api/v3` of another GitHub."""
    apple_client_id: str = Field(default="", alias="RXCHAT_APPLE_CLIENT_ID")
    """The Services ID for sign-in with Apple. Empty: not offered."""
    apple_team_id: str = Field(default="", alias="RXCHAT_APPLE_TEAM_ID", validate_default=True)
    """The team that it belongs to."""
    apple_key_id: str = Field(default="", alias="RXCHAT_APPLE_KEY_ID", validate_default=True)
    """The ID of its key."""
    apple_private_key: SecretStr | None = Field(default=None, alias="RXCHAT_APPLE_PRIVATE_KEY", validate_default=True)
    r"""The text of that key's .p8 file. `\n` stands for a line break."""
    apple_url: str = Field(default="https://appleid.apple.com", alias="RXCHAT_APPLE_URL")
    """Apple's address. Change it only in tests."""
    oidc_client_id: str = Field(default="", alias="RXCHAT_OIDC_CLIENT_ID")
    """The client ID at your OpenID Connect provider. Empty: not offered."""
    oidc_client_secret: SecretStr | None = Field(default=None, alias="RXCHAT_OIDC_CLIENT_SECRET")
    """Its client secret. Empty: PKCE alone."""
    oidc_issuer: str = Field(default="", alias="RXCHAT_OIDC_ISSUER", validate_default=True)
    """The provider's issuer address, as in its own metadata."""
    oidc_name: str = Field(default="single sign-on", alias="RXCHAT_OIDC_NAME")
    """What the button says: Sign in with ..."""
    oidc_trust_email: bool = Field(default=False, alias="RXCHAT_OIDC_TRUST_EMAIL")
    """Whether to trust e-mail addresses for which the provider does not send `email_verified` (Entra). Only for a provider whose users cannot choose each other's address."""
    oidc_scopes: str = Field(default="openid email profile", alias="RXCHAT_OIDC_SCOPES")
    """The scopes to request."""

    # The commands `ask` and `chat`
    api_url: str = Field(default="", alias="RXCHAT_URL")
    """The address of the RxChat that they talk to. Empty: this one's own."""
    api_key: SecretStr | None = Field(default=None, alias="RXCHAT_KEY")
    """An API key with the scopes `read` and `chat`."""

    # Logs and metrics
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", alias="RXCHAT_LOG_LEVEL")
    """`debug`, `info`, `warning` or `error`."""
    metrics_token: SecretStr | None = Field(default=None, alias="RXCHAT_METRICS_TOKEN")
    """The bearer token for reading `/metrics` and the details of `/readyz` from other machines. Empty: only this machine may, and only while no others use RxChat."""
    log_format: Literal["auto", "json", "text"] = Field(default="auto", alias="RXCHAT_LOG_FORMAT")
    """`json`, `text`, or `auto`: text on a terminal, else JSON."""

    @field_validator("ollama_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: object) -> object:
        """Accept "host1, host2:11434, http://host3:11434" as Ollama's own OLLAMA_HOST does."""
        if not isinstance(value, str):
            return value
        return tuple(model_host(part.strip()) for part in value.split(",") if part.strip())

    @field_validator("openai_hosts", "openai_keys", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        """Accept "one=..., another=...". The message of an error does not contain the values, which may be secrets."""
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        found = {name.strip(): rest.strip() for name, _, rest in pairs}
        if len(found) != len(pairs) or not all(_PROVIDER_NAME.fullmatch(name) and found[name] for name in found):
            raise ValueError("must be pairs like name=value, with names of small letters, digits and hyphens")
        return found

    @field_validator("openai_hosts")
    @classmethod
    def _of_providers(cls, value: dict[str, str]) -> dict[str, str]:
        """Require addresses of services, and none of a cloud's own (metadata, link-local)."""
        for url in value.values():
            if is_link_local(urlsplit(service_url(url)).hostname or ""):
                raise ValueError("must not be link-local addresses")
        return {name: service_url(url) for name, url in value.items()}

    @field_validator("openai_keys")
    @classmethod
    def _of_hosts(cls, value: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        """Require that a key belongs to a host."""
        if unknown := sorted(set(value) - set(info.data.get("openai_hosts") or {})):
            raise ValueError(f"has a key for {unknown[0]}, which OPENAI_HOSTS does not name")
        return value

    @field_validator("embedding_url", "reranker_url", "s3_endpoint")
    @classmethod
    def _http(cls, value: str) -> str:
        """Require an http or https URL."""
        if value:
            service_url(value)
        return value

    @field_validator("redis_url", "smtp_url")
    @classmethod
    def _of_its_kind(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Require a URL with the service's scheme."""
        if value is not None:
            service_url(
                value.get_secret_value(),
                ("redis", "rediss", "unix") if info.field_name == "redis_url" else ("smtp", "smtps"),
            )
        return value

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
        """Require the settings that a sign-in provider needs."""
        name = str(info.field_name)
        client_id = f"{name.partition('_')[0]}_client_id"
        if info.data.get(client_id) and not value:
            raise ValueError(f"RXCHAT_{name.upper()} is needed with RXCHAT_{client_id.upper()}")
        return value

    @field_validator("s3_access_key", "s3_secret_key")
    @classmethod
    def _with_endpoint(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Require the settings that S3 needs."""
        if info.data.get("s3_endpoint") and not value:
            raise ValueError(f"{str(info.field_name).upper()} is needed with S3_ENDPOINT")
        return value

    @field_validator("github_url", "github_api_url", "apple_url", "oidc_issuer")
    @classmethod
    def _private(cls, value: str) -> str:
        """Require https for addresses of providers, except on this machine."""
        if value and not is_private_line(value):
            raise ValueError("must begin with https:// (or http:// on this machine)")
        return value

    @field_validator("apple_private_key")
    @classmethod
    def _elliptic(cls, value: SecretStr | None) -> SecretStr | None:
        """Accept the text of a .p8 file on one line, as .env files contain it."""
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
        """Add the scope `openid`, without which a provider sends no ID token."""
        return " ".join(dict.fromkeys(["openid", *value.split()]))

    @cached_property
    def data(self) -> Path:
        """The data folder as an absolute path."""
        return self.data_folder.expanduser().resolve()

    @property
    def base_url(self) -> str:
        """The address that users type: the public URL, or the address on which RxChat listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def own_origins(self) -> tuple[str, ...]:
        """The origins of this instance: the public URL's, or this machine's names."""
        if self.public_url:
            return (self.base_url, *self.extra_origins)
        own = tuple(f"http://{name}:{self.port}" for name in ("localhost", "127.0.0.1"))
        is_elsewhere = self.host not in {"localhost", "127.0.0.1", "0.0.0.0", "::"}  # noqa: S104 - recognized, not bound
        return (*own, *((self.base_url,) if is_elsewhere else ()), *self.extra_origins)

    @property
    def needs_demo_model(self) -> bool:
        """Whether no model host is set, so that the demo model answers."""
        return not self.ollama_hosts and not self.openai_hosts

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can connect to the address on which RxChat listens."""
        return not is_loopback(self.host)

    @property
    def is_for_others(self) -> bool:
        """Whether users of other machines can use RxChat, directly or through a proxy."""
        return self.is_exposed or not is_loopback(urlsplit(self.base_url).hostname or "")
