"""Commands for operators: the audit log, reset links, file keys, the file store, the projections of conversations."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from uuid import UUID

from rxchat.adapter_factories import master_keys, object_store
from rxchat.connections import ConfigurationError, connections
from rxchat.db.access import audit_log as audit_rows
from rxchat.db.accounts import accounts as account_rows
from rxchat.db.accounts import credentials
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.documents import files as file_rows
from rxchat.db.platform.database import Database
from rxchat.domain.audit import ChainInvalid, verify
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import parse_id
from rxchat.services.access.audit_log import AuditLog, signer_of
from rxchat.services.accounts.one_time_links import LinkKind, OneTimeLinks
from rxchat.services.chat.projection_replay import ProjectionReplay
from rxchat.services.documents.file_encryption import DecryptionFailed, WrappedKey
from rxchat.services.documents.storage_gc import StorageGarbageCollector
from rxchat.services.documents.storage_ownership import StorageOwnership
from rxchat.services.platform.encryption import SecretBox
from rxchat.settings import Settings

_FILES_AT_A_TIME = 500


def audit(settings: Settings, chosen: argparse.Namespace) -> int:
    """Export or verify the audit log, or print its public key."""
    match chosen.part:
        case "verify":
            return _verify(chosen.file, chosen.key)
        case "export":
            return asyncio.run(_export(settings, chosen.file))
        case _:
            print(signer_of(SecretBox(connections(settings).secret_key)).public_key)
            return 0


def _verify(file: Path, key: str) -> int:
    try:
        with file.open(encoding="utf-8") as lines:
            verdict = verify(lines, public_key=key.strip().lower())
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not an export of an audit log.") from error
    except ChainInvalid as error:
        print(f"NOT VALID, from row {error.seq} on. {error}", file=sys.stderr)
        return 1
    print(f"Whole: {verdict.rows:,} rows, {verdict.checkpoints:,} signatures, key {verdict.public_key}")
    if not key:
        print("Compare that key with `python -m rxchat audit key`, or give it with --key.")
    return 0


async def _export(settings: Settings, file: str) -> int:
    at = connections(settings)
    database = Database.as_owner(at.database_owner_url)
    try:
        lines = AuditLog(database, signer_of(SecretBox(at.secret_key))).lines(None)
        if file == "-":
            async for line in lines:
                print(line)
        else:
            with Path(file).open("w", encoding="utf-8") as out:  # noqa: ASYNC230 - nobody else waits for this loop
                async for line in lines:
                    out.write(line + "\n")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    finally:
        await database.aclose()
    return 0


def reset_link(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print a link with which a user sets a new password."""
    print(asyncio.run(_reset_link(settings, chosen.email, takes_factors=chosen.second_factor)))
    return 0


async def _reset_link(settings: Settings, email: str, *, takes_factors: bool) -> str:
    at = connections(settings)
    database = Database.as_owner(at.database_owner_url)
    links = OneTimeLinks(SecretBox(at.secret_key), settings.base_url)
    try:
        async with database.begin(None) as session:
            account = await account_rows.find_by_email(session, email.strip())
        if account is None:
            raise ConfigurationError("No account has this address.")
        async with database.begin(account.id) as session:
            link = await links.make(session, LinkKind.RESET, email=account.email, user_id=account.id, is_mailed=False)
            if takes_factors:
                await credentials.remove_totp(session, account.id)
                await credentials.replace_recovery_codes(session, account.id, [])
                for passkey in await credentials.passkeys(session, account.id):
                    await credentials.remove_passkey(session, account.id, passkey.id)
                await session_rows.end(session, account.id, reason="second factor reset by the operator")
            await audit_rows.append(
                session, None, "reset_link_made_by_operator", "", "",
                user=str(account.id), second_factor=takes_factors,
            )  # fmt: skip
        return link
    finally:
        await database.aclose()


def rotate_file_keys(settings: Settings, chosen: argparse.Namespace) -> int:
    """Wrap the keys of all files with the current master key, and print their number."""
    del chosen
    count = asyncio.run(_rotate_file_keys(settings))
    print(
        f"{count:,} file keys were encrypted with the current master key. Remove the earlier keys from the settings once every process uses the current one."
    )
    return 0


async def _rotate_file_keys(settings: Settings) -> int:
    at = connections(settings)
    keys, database = master_keys(settings, SecretBox(at.secret_key)), Database.as_owner(at.database_owner_url)
    count = 0
    try:
        while True:
            async with database.begin(None) as session:
                found = await file_rows.wrapped_by_other_keys(session, keys.key_id, _FILES_AT_A_TIME)
                for row in found:
                    old = WrappedKey(row.key_id, row.wrapped_key)
                    new = keys.rewrap(old, str(row.owner_id), str(row.id))
                    await file_rows.rewrap(session, row, new.key_id, new.sealed)
                count += len(found)
                if found:
                    await audit_rows.append(
                        session, None, "file_keys_rotated", "", "", files=len(found), key=keys.key_id
                    )
            if not found:
                return count
    except DecryptionFailed as error:
        raise ConfigurationError(
            "A file is encrypted with a key that is not set. Add earlier keys to RXCHAT_FILES_KEY_PREVIOUS."
        ) from error
    finally:
        await database.aclose()


def sweep_files(settings: Settings, chosen: argparse.Namespace) -> int:
    """Delete unreferenced objects from the file store, and print or delete those that no file ever had."""
    swept, unknown = asyncio.run(_sweep_files(settings, deletes=chosen.unknown))
    print(f"{swept:,} objects of deleted files were removed.")
    if chosen.unknown:
        print(f"{unknown:,} objects that belong to no file of this installation were deleted.")
    elif unknown:
        print(
            f"{unknown:,} objects belong to no file of this installation. If the database was restored from a backup, they may belong to files that were uploaded later, and cannot be decrypted without the later database. To delete them: python -m rxchat sweep-files --unknown"
        )
    return 0


async def _sweep_files(settings: Settings, *, deletes: bool) -> tuple[int, int]:
    database, store = Database.as_owner(connections(settings).database_owner_url), object_store(settings)
    sweeping = StorageGarbageCollector(database, store)
    try:
        swept = await sweeping.known()
        unknown = await sweeping.unknown()
        if deletes:
            await sweeping.delete(unknown)
            async with database.begin(None) as session:
                await audit_rows.append(session, None, "unknown_objects_deleted", "", "", objects=len(unknown))
        return swept, len(unknown)
    finally:
        await store.aclose()
        await database.aclose()


def claim_files(settings: Settings, chosen: argparse.Namespace) -> int:
    """Make this instance the owner of the configured file store, after its files were moved there by hand."""
    del chosen
    asyncio.run(_claim_files(settings))
    print("The file store now belongs to this installation. No other installation may use the same folder or bucket.")
    return 0


async def _claim_files(settings: Settings) -> None:
    database, store = Database.as_owner(connections(settings).database_owner_url), object_store(settings)
    try:
        await StorageOwnership(database, store).claim()
        async with database.begin(None) as session:
            await audit_rows.append(session, None, "file_store_claimed", "", "")
    finally:
        await store.aclose()
        await database.aclose()


def conversation(settings: Settings, chosen: argparse.Namespace) -> int:
    """Replay conversations from their events; exit code 1 if what is stored differs and is not repaired."""
    conversation_id = parse_id(chosen.id)
    if chosen.id and conversation_id is None:
        raise ConfigurationError(f"{chosen.id} is no ID of a conversation.")
    return asyncio.run(_replay(settings, conversation_id, repairs=chosen.repair))


async def _replay(settings: Settings, conversation_id: UUID | None, *, repairs: bool) -> int:
    database = Database.as_owner(connections(settings).database_owner_url)
    replay = ProjectionReplay(database)
    count = events = different = damaged = 0
    try:
        async for item in replay.all(conversation_id, repairs=repairs):
            count, events = count + 1, events + item.events
            different += bool(item.differences) and not item.is_damaged
            damaged += item.is_damaged
            for words in item.differences:
                print(f"conversation {item.conversation_id} of user {item.owner_id}: {words}")
    except NotFound as error:
        raise ConfigurationError("There is no conversation with this ID.") from error
    finally:
        await database.aclose()
    replayed = f"{count:,} conversations with {events:,} events were replayed"
    if damaged:
        print(f"{damaged:,} cannot be replayed. Restore their events from a backup.", file=sys.stderr)
    if different and repairs:
        print(f"{replayed}: {different:,} differed, and were repaired.")
    elif different:
        print(f"{replayed}: {different:,} differ. Store what their events say with --repair.", file=sys.stderr)
    elif not damaged:
        print(f"{replayed}: what is stored is equal.")
    return int(damaged > 0 or (different > 0 and not repairs))
