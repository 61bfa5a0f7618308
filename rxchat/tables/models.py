"""Providers of models that administrators add."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from rxchat.domain.model_providers import ProviderKind
from rxchat.tables.base import Table, enum_column, moment


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
