"""Use cases for the hosts of models: administrators see their state, and pull, load, unload and delete models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any
from uuid import UUID

import structlog

from rxchat.db.models import host_jobs as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.audit_actions import AuditAction
from rxchat.domain.authorization import require
from rxchat.domain.errors import Conflict, DatabaseUnavailable, InvalidInput, ModelError, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.model_hosts import (
    HostJob,
    HostJobKind,
    HostJobState,
    HostStatus,
    ModelDetails,
    valid_model_name,
)
from rxchat.domain.permissions import Permission
from rxchat.domain.ports import ModelHosts
from rxchat.services.platform.audit import record

log = structlog.get_logger(__name__)

_WRITE_SECONDS = 1.0
_UNWATCHED = "RxChat was stopped during it. Pull the model again: the host has kept what it had."


class Hosts:
    """Manages the hosts. Jobs are rows, so that every process shows their progress; the process that began one watches it."""

    def __init__(self, database: Database, hosts: ModelHosts, on_change: Callable[[], None]) -> None:
        """`on_change` is called when a model has come or gone."""
        self._database, self._hosts, self._on_change = database, hosts, on_change
        self._tasks: dict[UUID, asyncio.Task[None]] = {}

    async def all(self, current_user: CurrentUser, *, is_fresh: bool = False) -> list[HostStatus]:
        """Return the state of all hosts; with `is_fresh`, as they answer now.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.MODELS_MANAGE)
        if is_fresh:
            await self._hosts.check_hosts()
        return self._hosts.host_status()

    async def jobs(self, current_user: CurrentUser) -> list[HostJob]:
        """Return what hosts do now, and what they did lately, the newest first.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.latest(session)

    async def job(self, current_user: CurrentUser, job_id: UUID) -> HostJob:
        """Return one of them.

        Raises:
            NotAllowed: without the permission.
            NotFound: when there is none.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.get(session, job_id)
        if found is None:
            raise NotFound
        return found

    async def pull(
        self, current_user: CurrentUser, provider: str, host: str, model: str, client_info: ClientInfo
    ) -> UUID:
        """Begin to download a model to a host, and return the job.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: when it is no name of a model, or the name is that of a provider's models.
            NotFound: when there is no such host.
            Conflict: when it is being downloaded there.
        """
        require(current_user, Permission.MODELS_MANAGE)
        name = valid_model_name(model)
        taken = {status.provider for status in self._hosts.host_status()} - {""}
        if not provider and name.partition("/")[0] in taken and "/" in name:
            raise InvalidInput(
                f"Models called {name.partition('/')[0]}/… are those of a provider of this name.", field="model"
            )
        return await self._begin(current_user, HostJobKind.PULL, provider, host, name, client_info)

    async def load(
        self, current_user: CurrentUser, provider: str, host: str, model: str, client_info: ClientInfo
    ) -> UUID:
        """Begin to load a model into a host's memory, and return the job.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: when it is no name of a model.
            NotFound: when there is no such host.
            Conflict: when it is being loaded there.
        """
        require(current_user, Permission.MODELS_MANAGE)
        name = valid_model_name(model)
        return await self._begin(current_user, HostJobKind.LOAD, provider, host, name, client_info)

    async def _begin(
        self,
        current_user: CurrentUser,
        kind: HostJobKind,
        provider: str,
        host: str,
        model: str,
        client_info: ClientInfo,
    ) -> UUID:
        self._require_host(provider, host)
        job_id = new_id()
        values = {"id": job_id, "kind": kind, "provider": provider, "host": host, "model": model}
        action: AuditAction = "model_pulled" if kind is HostJobKind.PULL else "model_loaded"
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.add(session, values):
                verb = "downloaded to" if kind is HostJobKind.PULL else "loaded at"
                raise Conflict(f"{model} is being {verb} this host.")
            await record(session, current_user.user_id, action, client_info, model=model, host=host)
        work = self._pulling if kind is HostJobKind.PULL else self._loading
        watching = self._watch(job_id, current_user.user_id, lambda job: work(job, provider, host, model))
        self._tasks[job_id] = task = asyncio.create_task(watching, name=f"host job {job_id}")
        task.add_done_callback(lambda _: self._tasks.pop(job_id, None))
        return job_id

    def _require_host(self, provider: str, host: str) -> None:
        if not any((item.provider, item.name) == (provider, host) for item in self._hosts.host_status()):
            raise NotFound("There is no such host any more. Reload the page.")

    async def _pulling(self, values: dict[str, Any], provider: str, host: str, model: str) -> None:
        async with aclosing(self._hosts.pull(provider, host, model)) as progress:
            async for item in progress:
                values.update(status=item.status, completed_bytes=item.completed_bytes, total_bytes=item.total_bytes)
        self._on_change()

    async def _loading(self, values: dict[str, Any], provider: str, host: str, model: str) -> None:
        values.update(status="loading into memory")
        await self._hosts.load_model(provider, host, model)

    async def _watch(
        self, job_id: UUID, user_id: UUID, work: Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
    ) -> None:
        """Write the progress of a job every second until it ends, and what has come of it."""
        values: dict[str, Any] = {}
        working = asyncio.create_task(work(values))
        ending: dict[str, Any] = {"state": HostJobState.INTERRUPTED, "error": _UNWATCHED}
        try:
            while not working.done():
                await asyncio.wait({working}, timeout=_WRITE_SECONDS)
                if not working.done() and not await self._write(job_id, user_id, values):
                    ending = {"state": HostJobState.CANCELLED}
                    return
            working.result()
            ending = {"state": HostJobState.DONE}
        except (ModelError, NotFound) as error:
            log.warning("a host could not do what an administrator asked", code=error.code, reason=error.detail)
            ending = {"state": HostJobState.FAILED, "error": error.message}
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError, ModelError, NotFound):
                await working
            await self._write(job_id, user_id, values | ending)

    async def _write(self, job_id: UUID, user_id: UUID, values: dict[str, Any]) -> bool:
        """Write a job; True if it is to continue. While Postgres does not respond, it does."""
        try:
            async with self._database.begin(user_id) as session:
                return await rows.write(session, job_id, values)
        except DatabaseUnavailable:
            return True

    async def cancel(self, current_user: CurrentUser, job_id: UUID, client_info: ClientInfo) -> None:
        """End a job; a host keeps the parts of a model that it has.

        Raises:
            NotAllowed: without the permission.
            NotFound: when it is not running.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.get(session, job_id)
            if found is None or not await rows.cancel(session, job_id):
                raise NotFound("It has ended already.")
            await record(
                session, current_user.user_id, "model_pull_cancelled", client_info, model=found.model, host=found.host
            )

    async def unload(
        self, current_user: CurrentUser, provider: str, host: str, model: str, client_info: ClientInfo
    ) -> None:
        """Remove a model from a host's memory; answers that it writes end first.

        Raises:
            NotAllowed: without the permission.
            NotFound: when there is no such host.
            ModelError: when it fails.
        """
        require(current_user, Permission.MODELS_MANAGE)
        self._require_host(provider, host)
        await self._hosts.unload_model(provider, host, valid_model_name(model))
        await self._record(current_user, "model_unloaded", model, host, client_info)

    async def delete(
        self, current_user: CurrentUser, provider: str, host: str, model: str, client_info: ClientInfo
    ) -> None:
        """Delete a model from a host.

        Raises:
            NotAllowed: without the permission.
            NotFound: when there is no such host.
            ModelError: when it fails.
        """
        require(current_user, Permission.MODELS_MANAGE)
        self._require_host(provider, host)
        await self._hosts.delete_model(provider, host, valid_model_name(model))
        await self._record(current_user, "model_deleted", model, host, client_info)
        self._on_change()

    async def details(self, current_user: CurrentUser, provider: str, host: str, model: str) -> ModelDetails:
        """Return what a host says about a model.

        Raises:
            NotAllowed: without the permission.
            NotFound: when there is no such host.
            ModelError: when it fails.
        """
        require(current_user, Permission.MODELS_MANAGE)
        self._require_host(provider, host)
        return await self._hosts.model_details(provider, host, valid_model_name(model))

    async def _record(
        self, current_user: CurrentUser, action: AuditAction, model: str, host: str, client_info: ClientInfo
    ) -> None:
        async with self._database.begin(current_user.user_id) as session:
            await record(session, current_user.user_id, action, client_info, model=model, host=host)

    async def stop(self) -> None:
        """Watch no more jobs; they are shown as interrupted."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
