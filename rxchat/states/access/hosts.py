"""The page of model hosts: their state, their models, and what they download and load."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import DatabaseUnavailable, InvalidInput, RxChatError
from rxchat.domain.model_hosts import BreakerState, HostJob, HostJobKind, HostJobState, HostStatus
from rxchat.services.app import container
from rxchat.services.models.hosts import Hosts
from rxchat.states.access.admin import AdminPage, administering, id_of
from rxchat.states.platform.auth_guard import current_path, current_user_of, requires_user_in_background
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.field_views import milliseconds
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

PAGE = "/admin/hosts"
_WAIT_SECONDS = 1.0
_MOST_MODELS = 500
_MOST_JOBS = 10
_MOST_LOADED = 3
"""How many loaded models the row of a host names; the rows of models show all of them."""
_GONE = "This no longer exists. Reload the page."
_WORDS = {
    (HostJobKind.PULL, HostJobState.DONE): "Downloaded",
    (HostJobKind.PULL, HostJobState.FAILED): "Download failed",
    (HostJobKind.PULL, HostJobState.RUNNING): "Downloading",
    (HostJobKind.LOAD, HostJobState.DONE): "Loaded",
    (HostJobKind.LOAD, HostJobState.FAILED): "Loading failed",
    (HostJobKind.LOAD, HostJobState.RUNNING): "Loading",
}
_LOOKS = {HostJobState.DONE: "works", HostJobState.FAILED: "suspended", HostJobState.RUNNING: ""}


@dataclass
class HostView:
    """A host as a row of the table."""

    key: str
    name: str
    provider: str
    badge: str
    look: str
    problem: str
    loaded: list[str]
    answers: str
    first_token: str
    resting: list[str]
    """The models that it is not asked for, and why."""


@dataclass
class HostModelView:
    """A model of a host as a row of the table."""

    key: str
    name: str
    host: str
    detail: str
    size: str
    context: str
    is_loaded: bool
    memory: str
    unloads_at: int
    """When the host unloads it, in milliseconds since 1970; 0 if it is not loaded, or stays."""


@dataclass
class JobView:
    """What a host does, or has done."""

    id: str
    title: str
    host: str
    badge: str
    look: str
    status: str
    error: str
    is_running: bool
    done: int = 0
    """In thousandths of the whole; -1 while that is unknown."""
    amount: str = ""
    at: int = 0


@dataclass
class DetailsView:
    """What a host says about a model."""

    facts: list[list[str]] = field(default_factory=list)
    template: str = ""
    parameters: str = ""
    system_prompt: str = ""
    license: str = ""


class HostsState(AdminPage, rx.State):
    """The hosts, their models and jobs."""

    hosts: list[HostView] = []
    models: list[HostModelView] = []
    more_models: int = 0
    jobs: list[JobView] = []
    looked_at: str = ""
    """The model of which `details` speaks."""
    details: DetailsView = DetailsView()
    _times_shown: int = 0

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> Any:
        """Show all hosts as they answer now, and follow what they do."""
        self.flash = ""
        await self._read(current_user, is_fresh=True)
        self._done()
        self.loaded = True
        return HostsState.follow

    async def _read(self, current_user: CurrentUser, *, is_fresh: bool = False) -> None:
        hosts, jobs = await _service().all(current_user, is_fresh=is_fresh), await _service().jobs(current_user)
        self._show(hosts, jobs)

    def _show(self, hosts: list[HostStatus], jobs: list[HostJob]) -> None:
        self._times_shown += 1
        models = [_model_view(host, model) for host in hosts for model in host.models]
        set_changed(
            self,
            hosts=[_host_view(host) for host in hosts],
            models=models[:_MOST_MODELS],
            more_models=max(0, len(models) - _MOST_MODELS),
            jobs=[_job_view(job) for job in jobs[:_MOST_JOBS]],
        )

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Show the progress of jobs until they have ended."""
        async with self:
            token = self.router.session.client_token
        feed = container.get_services().platform.conversation_feed
        with feed.watching(current_user.user_id, None) as watch, tabs.on_disconnect(token, watch.notify):
            while tabs.is_open(token):
                async with self:
                    if current_path(self) != PAGE or not any(job.is_running for job in self.jobs):
                        return
                await watch.wait(_WAIT_SECONDS)
                if not await self._look_again():
                    return
                await asyncio.sleep(_WAIT_SECONDS / 4)

    async def _look_again(self) -> bool:
        """Show what has changed; False if the user may not see it any more."""
        try:
            # The session is checked each time: it may have ended.
            async with self:
                current_user, times_shown = await current_user_of(self), self._times_shown
            hosts, jobs = await _service().all(current_user), await _service().jobs(current_user)
        except DatabaseUnavailable:
            return True
        except RxChatError:
            return False
        async with self:
            # An action may have shown what is newer meanwhile.
            if self._times_shown == times_shown:
                self._show(hosts, jobs)
        return True

    @rx.event
    @administering
    async def pull(self, current_user: CurrentUser, form: dict) -> Any:
        """Begin to download the model of the form to its host."""
        provider, host = _parts(text_in(form, "host"), 2)
        model = text_in(form, "model")
        await _service().pull(current_user, provider, host, model, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Downloading {model.strip()}.", form)
        return HostsState.follow

    @rx.event
    @administering
    async def load_model(self, current_user: CurrentUser, key: str) -> Any:
        """Begin to load a model into its host's memory."""
        provider, host, model = _parts(key, 3)
        await _service().load(current_user, provider, host, model, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Loading {model}.")
        return HostsState.follow

    @rx.event
    @administering
    async def unload(self, current_user: CurrentUser, key: str) -> None:
        """Remove a model from its host's memory."""
        provider, host, model = _parts(key, 3)
        await _service().unload(current_user, provider, host, model, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Unloaded {model}.")

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the model of the form from its host."""
        provider, host, model = _parts(text_in(form, "key"), 3)
        await _service().delete(current_user, provider, host, model, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Deleted {model} from {host}.", form)

    @rx.event
    @administering
    async def cancel(self, current_user: CurrentUser, job_id: str) -> Any:
        """Cancel a job; the page shows when it has ended."""
        await _service().cancel(current_user, id_of(job_id), client_info_of(self))
        await self._read(current_user)
        self._confirm("Cancelling. What is downloaded already is kept.")
        return HostsState.follow

    @rx.event
    @administering
    async def look_at(self, current_user: CurrentUser, key: str) -> None:
        """Show what a host says about a model."""
        self.looked_at, self.details = "", DetailsView()
        provider, host, model = _parts(key, 3)
        found = await _service().details(current_user, provider, host, model)
        facts = [list(item) for item in found.facts]
        if found.capabilities:
            facts.append(["Capabilities", ", ".join(found.capabilities)])
        self.details = DetailsView(facts, found.template, found.parameters, found.system_prompt, found.license)
        self.looked_at = key


def _service() -> Hosts:
    return container.get_services().models.hosts


def _key(*parts: str) -> str:
    return json.dumps(parts, ensure_ascii=False)


def _parts(key: str, count: int) -> Sequence[str]:
    try:
        found = json.loads(key)
    except ValueError:
        found = None
    if not isinstance(found, list) or len(found) != count or not all(isinstance(part, str) for part in found):
        raise InvalidInput(_GONE)
    return found


def _host_view(host: HostStatus) -> HostView:
    badge, look = ("Works", "works") if not host.problem else ("Does not respond", "suspended")
    resting = [
        f"{item.model}: {item.failures} {'failure' if item.failures == 1 else 'failures'}, "
        + (
            "the next answer is a trial"
            if item.state is BreakerState.HALF_OPEN
            else f"not asked for {item.retry_seconds:.0f} s"
        )
        + f". {item.reason}"
        for item in host.breakers
    ]
    if resting and not host.problem:
        badge, look = "Rests some models", "leaving"
    loaded = [item.name for item in host.loaded[:_MOST_LOADED]]
    if len(host.loaded) > _MOST_LOADED:
        loaded.append(f"and {len(host.loaded) - _MOST_LOADED} more")
    seconds = host.first_token_seconds
    return HostView(
        key=_key(host.provider, host.name),
        name=host.name,
        provider=host.provider,
        badge=badge,
        look=look,
        problem=host.problem,
        loaded=loaded,
        answers=f"{host.in_flight:,}",
        first_token="–" if seconds is None else f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms",
        resting=resting,
    )


def _model_view(host: HostStatus, model: ModelInfo) -> HostModelView:
    loaded = next((item for item in host.loaded if item.name == model.name), None)
    skills = ", ".join(sorted(model.capabilities - {"completion"}))
    expires = loaded.expires_at if loaded else None
    memory = ""
    if loaded is not None and loaded.size_bytes:
        share = loaded.vram_bytes / loaded.size_bytes
        memory = f"{_bytes(loaded.size_bytes)}, {share:.0%} on the graphics card"
    return HostModelView(
        key=_key(host.provider, host.name, model.name),
        name=model.name,
        host=host.name,
        detail=" · ".join(part for part in (model.family, model.parameters, model.quantization, skills) if part),
        size=_bytes(model.size_bytes) if model.size_bytes else "–",
        context=f"{model.context_tokens:,} tokens" if model.context_tokens else "–",
        is_loaded=loaded is not None,
        memory=memory,
        unloads_at=milliseconds(expires) if expires is not None and expires.year < 2200 else 0,
    )


def _job_view(job: HostJob) -> JobView:
    is_running = job.state is HostJobState.RUNNING
    whole = job.total_bytes
    amount = f"{_bytes(job.completed_bytes)} of {_bytes(whole)}" if whole and job.kind is HostJobKind.PULL else ""
    return JobView(
        id=str(job.id),
        title=job.model,
        host=job.host,
        badge=_WORDS.get((job.kind, job.state), job.state.value.capitalize()),
        look=_LOOKS.get(job.state, "leaving"),
        status=job.status if is_running else "",
        error=job.error,
        is_running=is_running,
        done=round(1_000 * job.completed_bytes / whole) if whole else -1,
        amount=amount,
        at=milliseconds(job.created_at),
    )


def _bytes(number: int) -> str:
    unit, name = next(((unit, name) for unit, name in ((1e9, "GB"), (1e6, "MB")) if number >= unit / 10), (1e3, "kB"))
    return f"{number / unit:.1f} {name}"
