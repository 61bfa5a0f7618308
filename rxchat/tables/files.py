"""This instance's ID, objects to delete from the object store, and claims of jobs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from rxchat.tables.base import Table, moment


class ObjectDeletion(Table, table=True):
    """An object that is to be deleted from the object store."""

    __table_args__ = (Index("ix_object_deletion_enqueued_at", "enqueued_at"),)

    object_key: str = Field(primary_key=True)
    enqueued_at: datetime = moment(default_now=True)


class Instance(Table, table=True):
    """One row with this instance's ID, which its object store contains as well."""

    id: UUID = Field(primary_key=True, sa_column_kwargs={"server_default": text("gen_random_uuid()")})


class QueueClaim(Table, table=True):
    """The number of an owner's last claim of a job in a queue; deleted after an hour.

    Only `claim_job` writes it. It has no foreign key to the account, since jobs of deleted users can be claimed.
    """

    # An expression, since a plan could otherwise use this index for one owner's claim, and read those of all owners.
    __table_args__ = (Index("ix_queue_claim_number", text("('of ' || queue_name)"), "number"),)

    queue_name: str = Field(primary_key=True)
    owner_id: UUID = Field(primary_key=True)
    number: int = Field(sa_type=BigInteger)
    claimed_at: datetime = moment()
