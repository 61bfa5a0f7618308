"""What this installation knows of its file store: whose it is, and what is still to be deleted there; and of its queues."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from rxchat.tables.base import Table, moment


class ObjectDeletion(Table, table=True):
    """A piece that is forgotten already, and still in the store."""

    __table_args__ = (Index("ix_object_deletion_enqueued_at", "enqueued_at"),)

    object_key: str = Field(primary_key=True)
    enqueued_at: datetime = moment(default_now=True)


class Instance(Table, table=True):
    """One row with this instance's ID, which its object store holds as well."""

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})


class QueueClaim(Table, table=True):
    """An owner's last claim of a place in a queue of jobs, by its number; an hour later it is forgotten.

    Written by `claim_job` alone. It refers to no account: a job may be claimed when its owner is gone.
    """

    # An expression, or a plan may take this index for an owner's last claim, and read those of all.
    __table_args__ = (Index("ix_queue_claim_number", text("('of ' || queue_name)"), "number"),)

    queue_name: str = Field(primary_key=True)
    owner_id: UUID = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    claimed_at: datetime = moment()
