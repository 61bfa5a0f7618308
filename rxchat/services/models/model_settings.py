"""Use cases for what administrators set for models: names, order, defaults, fallbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from rxchat.db.models import model_settings as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.authorization import require
from rxchat.domain.errors import NotFound
from rxchat.domain.model_parameters import Configuration, options_of
from rxchat.domain.model_settings import ModelSetting, ModelSettingDraft, checked_model, moved
from rxchat.domain.permissions import Permission
from rxchat.domain.ports import ChatModel
from rxchat.services.models.parameters import require_taken
from rxchat.services.platform.audit import record
from rxchat.services.platform.pg_listener import PgListener
from rxchat.services.platform.reloads import Reloads


class KnownModelSettings:
    """What is set for models, kept in this process and read again whenever any process changes it."""

    def __init__(self, database: Database, pg_listener: PgListener) -> None:
        self._database = database
        self._settings: Mapping[str, ModelSetting] = {}
        self._hearers: list[Callable[[], None]] = []
        self._loading = asyncio.Lock()
        self._reloads = Reloads(pg_listener, "model_settings", self.load)

    def on_change(self, hear: Callable[[], None]) -> None:
        """Call it after each change."""
        self._hearers.append(hear)

    async def start(self) -> None:
        """Read them, and follow changes."""
        await self._reloads.start()

    async def stop(self) -> None:
        """Follow no more changes."""
        await self._reloads.stop()

    async def load(self) -> None:
        """Read all of them.

        Raises:
            DatabaseUnavailable: if Postgres does not respond.
        """
        # One after the other: what an earlier read found must not replace what a later one did.
        async with self._loading:
            async with self._database.begin(None) as session:
                self._settings = {item.model: item for item in await rows.all_settings(session)}
            for hear in self._hearers:
                hear()

    def all(self) -> Mapping[str, ModelSetting]:
        """Return what is set, by the models' names."""
        return self._settings

    def of(self, model: str) -> ModelSetting:
        """Return what is set for a model."""
        return self._settings.get(model) or ModelSetting(model)

    async def configuration(self, model: str) -> Configuration:
        """Return the system prompt and the parameters of a model's answers."""
        return self.of(model).configuration


class ModelSettings:
    """Use cases for administrators. A change applies in all processes at once, to answers that begin after it."""

    def __init__(self, database: Database, known: KnownModelSettings, model: ChatModel) -> None:
        self._database, self._known, self._model = database, known, model

    async def get(self, current_user: CurrentUser, model: str) -> ModelSetting:
        """Return what is set for a model.

        Raises:
            NotAllowed: without the permission.
        """
        return (await self.all(current_user)).get(model) or ModelSetting(model)

    async def all(self, current_user: CurrentUser) -> dict[str, ModelSetting]:
        """Return what is set for models, by their names.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            return {item.model: item for item in await rows.all_settings(session)}

    async def change(
        self,
        current_user: CurrentUser,
        draft: ModelSettingDraft,
        client_info: ClientInfo,
        *,
        expected_version: int | None = None,
    ) -> ModelSetting:
        """Set everything for a model except its position.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: for the field that is wrong, or a parameter that the model does not take.
            VersionMismatch: when it was changed since `expected_version`.
        """
        require(current_user, Permission.MODELS_MANAGE)
        wanted = draft.checked()
        await require_taken(self._model, wanted.model, options_of(wanted.configuration.parameters), current_user)
        async with self._database.begin(current_user.user_id) as session:
            await rows.take_turns(session)
            before = {item.model: item for item in await rows.all_settings(session)}.get(wanted.model)
            before = before or ModelSetting(wanted.model)
            if expected_version not in {None, before.version}:
                raise VersionMismatch
            wanted = replace(wanted, position=before.position, version=before.version)
            if wanted != before:
                wanted = replace(wanted, version=before.version + 1)
                await rows.save(session, wanted)
                await record(session, current_user.user_id, "model_changed", client_info, model=wanted.model)
        await self._known.load()
        return wanted

    async def move(self, current_user: CurrentUser, model: str, step: int, client_info: ClientInfo) -> None:
        """Move a model by some positions in the list of those that are offered now, without the hidden ones.

        Raises:
            NotAllowed: without the permission.
            InvalidInput: when it is not offered.
        """
        require(current_user, Permission.MODELS_MANAGE)
        offered = [item.name for item in await self._model.models() if item.can_chat]
        async with self._database.begin(current_user.user_id) as session:
            await rows.take_turns(session)
            settings = {item.model: item for item in await rows.all_settings(session)}
            positions = {item.model: item.position for item in settings.values() if item.position is not None}
            hidden = {item.model for item in settings.values() if item.is_hidden}
            offered.sort(key=lambda name: (name not in positions, positions.get(name, 0)))
            shown = [name for name in offered if name not in hidden]
            order = moved(shown, model, step)
            if order != shown:
                # Only as many have a position as need one: new models of a provider come after them.
                last = max((number for number, name in enumerate(shown) if name in positions), default=-1)
                changed = [
                    number for number, (before, now) in enumerate(zip(shown, order, strict=True)) if before != now
                ]
                kept = order[: max(last, *changed) + 1]
                await rows.set_positions(session, {name: number for number, name in enumerate(kept, 1)})
                await record(session, current_user.user_id, "models_ordered", client_info, model=model)
        await self._known.load()

    async def reset(self, current_user: CurrentUser, model: str, client_info: ClientInfo) -> None:
        """Forget everything that is set for a model, its position included.

        Raises:
            NotAllowed: without the permission.
            NotFound: when nothing is set for it.
        """
        require(current_user, Permission.MODELS_MANAGE)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove(session, checked_model(model)):
                raise NotFound
            await record(session, current_user.user_id, "model_reset", client_info, model=model)
        await self._known.load()
