"""Providers of models that administrators add, what they set for models, and what hosts do for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from rxchat.domain.model_hosts import HostJobKind, HostJobState
from rxchat.domain.model_providers import ProviderKind
from rxchat.tables.base import Table, enum_column, moment, strings


class ModelProviderRow(Table, table=True):
    """A provider of models, by the name with which its models' names begin."""

    name: str = Field(primary_key=True)
    kind: ProviderKind = enum_column(ProviderKind)
    url: str
    encrypted_key: bytes | None = None
    """Its API key, encrypted for its name and origin; None if it has none."""
    encrypted_headers: bytes | None = None
    """JSON of the other headers, encrypted in the same way."""
    timeout_seconds: int
    is_enabled: bool = True
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)


class ModelSettingRow(Table, table=True):
    """What administrators set for a model, by its full name; see `ModelSetting` (domain/model_settings.py)."""

    __table_args__ = (
        CheckConstraint("position > 0", name="position"),
        Index("uq_model_setting_default", "is_default", unique=True, postgresql_where=text("is_default")),
    )

    model: str = Field(primary_key=True)
    label: str = Field(default="", sa_column_kwargs={"server_default": ""})
    description: str = Field(default="", sa_column_kwargs={"server_default": ""})
    position: int | None = None
    """Its position in the list, from 1; models without one follow in their providers' order."""
    is_hidden: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    is_default: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    is_cached: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether answers to equal questions at temperature 0 are kept and given again."""
    system_prompt: str = Field(default="", sa_column_kwargs={"server_default": ""})
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB, sa_column_kwargs={"server_default": "{}"})
    fallbacks: list[str] = strings(default_factory=list, sa_column_kwargs={"server_default": "{}"})
    """The models that answer in its place, first one first, while it does not respond."""
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    updated_at: datetime = moment(default_now=True)


class HostJobRow(Table, table=True):
    """A model that a host downloads or loads for an administrator."""

    __table_args__ = (
        Index(
            "ix_host_job_running", "provider", "host", "model", "kind", unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )  # fmt: skip
    id: UUID = Field(primary_key=True)
    kind: HostJobKind = enum_column(HostJobKind)
    provider: str
    """The provider's name; "" for the hosts of OLLAMA_HOSTS."""
    host: str
    model: str
    state: HostJobState = enum_column(
        HostJobState, default=HostJobState.RUNNING, sa_column_kwargs={"server_default": "running"}
    )
    status: str = Field(default="", sa_column_kwargs={"server_default": ""})
    completed_bytes: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    total_bytes: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    error: str = Field(default="", sa_column_kwargs={"server_default": ""})
    cancel_requested: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)
    """The process that watches it writes it every second or so."""
