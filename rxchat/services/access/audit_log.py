"""The audit log: pages of entries, signed exports, and the checkpoints that make them verifiable."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import audit_log as rows
from rxchat.db.access.audit_log import EventView
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit import CHECKPOINT_ROWS, START, Signer, checkpoint_line, entry_line, head_line
from rxchat.domain.authorization import require
from rxchat.domain.permissions import Permission
from rxchat.domain.text import sanitize
from rxchat.observability import correlation_id
from rxchat.services.platform.encryption import SecretBox

PAGE = 50
_CHECKPOINT_AGE = timedelta(days=1)
_BATCH = 1_000


def signer_of(secret_box: SecretBox) -> Signer:
    """Return the signer of this installation's audit log."""
    return Signer(secret_box.key("audit signatures"))


class AuditLog:
    """Use cases for reading, exporting and signing the audit log."""

    def __init__(self, database: Database, signer: Signer) -> None:
        self._database = database
        self._signer = signer

    async def page(
        self, current_user: CurrentUser, *, words: str = "", action: str = "", before: int | None = None
    ) -> list[EventView]:
        """Return the newest entries, or those before a position, that contain the words.

        Raises:
            NotAllowed: without the permission to read the audit.
        """
        require(current_user, Permission.AUDIT_READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.page(
                session, words=sanitize(words).strip()[:100], action=sanitize(action), before=before, limit=PAGE
            )

    async def export(self, current_user: CurrentUser, client_info: ClientInfo) -> AsyncGenerator[str]:
        """Yield the lines of an export; the last entry records the export itself.

        Raises:
            NotAllowed: without the permission to read the audit.
        """
        require(current_user, Permission.AUDIT_READ)
        async with self._database.begin(current_user.user_id) as session:
            await rows.append(session, current_user.user_id, "audit_exported", client_info.address, correlation_id())
        return self.lines(current_user.user_id)

    async def lines(self, user_id: UUID | None) -> AsyncGenerator[str]:
        """Yield the lines of an export of what the user may see; None exports everything, as the database's owner."""
        # Pages instead of one transaction, which would stay open for the whole download: entries are only ever added.
        # Every thousandth entry has its signature before the export ends.
        await self.sign()
        async with self._database.begin(user_id) as session:
            signed = {item.seq: item for item in await rows.checkpoints(session)}
        yield head_line(self._signer.public_key)
        last, row_hash = 0, START
        while True:
            async with self._database.begin(user_id) as session:
                batch = await rows.entries(session, last, _BATCH)
            for entry in batch:
                yield entry_line(entry)
                if entry.seq in signed:
                    yield checkpoint_line(signed[entry.seq])
                last, row_hash = entry.seq, entry.hash
            if len(batch) < _BATCH:
                break
        yield checkpoint_line(self._signer.sign(last, row_hash, rows.format_timestamp(datetime.now(UTC))), is_end=True)

    async def sign(self) -> int:
        """Sign the entries that are due: every thousandth one, and the newest once a day. Returns how many."""
        async with self._database.begin(None) as session:
            return await self._sign(session)

    async def _sign(self, session: AsyncSession) -> int:
        wanting = await rows.rows_to_sign(session, CHECKPOINT_ROWS, _CHECKPOINT_AGE)
        signed = [
            self._signer.sign(seq, row_hash, rows.format_timestamp(datetime.now(UTC))) for seq, row_hash in wanting
        ]
        return sum([await rows.add_checkpoint(session, item, self._signer.public_key[:16]) for item in signed])
