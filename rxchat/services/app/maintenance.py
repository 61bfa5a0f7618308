"""Periodic maintenance: sign the audit log, purge deleted accounts, delete orphaned files."""

from __future__ import annotations

import asyncio

import structlog

from rxchat.background import BackgroundTask
from rxchat.db.accounts import accounts as rows
from rxchat.db.platform.database import Database
from rxchat.domain.errors import DatabaseUnavailable
from rxchat.services.access.audit_log import AuditLog
from rxchat.services.access.denial_log import AccessDenials
from rxchat.services.accounts.idempotency import IdempotencyKeys
from rxchat.services.chat.assistants import Assistants
from rxchat.services.chat.conversation_trash import ConversationTrash
from rxchat.services.chat.prompts import Prompts
from rxchat.services.documents.storage_gc import StorageGarbageCollector, swept
from rxchat.services.models.metering import Metering

log = structlog.get_logger(__name__)

_FIRST_AFTER_SECONDS = 3.0
"""Starting processes serve users first."""
_EVERY_SECONDS = 60.0
_SWEEP_EVERY = 60
"""The file store is garbage-collected every so many rounds."""
_FIRST_SWEEP = 10
"""Not at the start, since an administrator may be restoring a backup."""


class Maintenance:
    """Runs once a minute in each process; the steps are idempotent."""

    def __init__(
        self,
        database: Database,
        audit_log: AuditLog,
        denials: AccessDenials,
        storage_gc: StorageGarbageCollector,
        conversation_trash: ConversationTrash,
        prompts: Prompts,
        assistants: Assistants,
        idempotency_keys: IdempotencyKeys,
        metering: Metering,
    ) -> None:
        self._database = database
        self._audit_log = audit_log
        self._denials = denials
        self._storage_gc = storage_gc
        self._conversation_trash = conversation_trash
        self._prompts = prompts
        self._assistants = assistants
        self._idempotency_keys = idempotency_keys
        self._metering = metering
        self._rounds = 0
        self._task = BackgroundTask("maintenance")

    async def start(self) -> None:
        """Begin."""
        self._task.start(self._forever())

    async def stop(self) -> None:
        """End."""
        if self._task.is_running:
            await self._task.stop()
            await self._denials.write_sums()

    async def once(self) -> None:
        """Run all steps; a failed one is retried in a minute and does not stop the others."""
        self._rounds += 1
        steps = [self._delete_accounts, self._denials.write_sums, self._sign]
        if self._rounds % _SWEEP_EVERY == _FIRST_SWEEP:
            # First conversations: the files that were attached to them belong to nothing afterwards.
            steps += [
                self._conversation_trash.purge,
                self._prompts.purge,
                self._assistants.purge,
                self._idempotency_keys.purge,
                self._metering.purge,
                self._storage_gc.purge_trash,
                self._storage_gc.count_words,
                self._sweep,
            ]
        for step in steps:
            try:
                await step()
            except DatabaseUnavailable:
                log.warning("maintenance waits for the database", step=step.__name__)
            except Exception:
                # The next round may succeed.
                log.exception("maintenance failed", step=step.__name__)

    async def _delete_accounts(self) -> None:
        async with self._database.begin(None) as session:
            deleted = await rows.purge(session)
        if deleted:
            log.info("accounts were deleted", count=deleted)

    async def _sign(self) -> None:
        signed = await self._audit_log.sign()
        if signed:
            log.info("the audit was signed", checkpoints=signed)

    async def _sweep(self) -> None:
        await swept(self._storage_gc)

    async def _forever(self) -> None:
        await asyncio.sleep(_FIRST_AFTER_SECONDS)
        while True:
            await self.once()
            await asyncio.sleep(_EVERY_SECONDS)
