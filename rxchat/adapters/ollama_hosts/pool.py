"""The hosts of a provider as one set: it follows DNS, watches the hosts in the background, and chooses one for an answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager

import structlog

from rxchat import observability
from rxchat.adapters import ollama_errors
from rxchat.adapters.ollama_hosts.addresses import HostAddress
from rxchat.adapters.ollama_hosts.discovery import SYSTEM_RESOLVER, Found, Resolver, found_at
from rxchat.adapters.ollama_hosts.host import HostOptions, OllamaHost
from rxchat.adapters.outgoing_proxies import without_credentials
from rxchat.background import BackgroundTask
from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import ModelError, ModelHostUnavailable, ModelRefused

log = structlog.get_logger(__name__)

WATCH_SECONDS = 5.0
_LIST_SECONDS = 30.0
_BUSY = 4
"""So many answers at once keep a host busy: further ones may go to a host that has to load the model first."""


class HostPool:
    """The hosts of the addresses that an operator wrote, each of which may be several hosts."""

    def __init__(
        self,
        sources: Sequence[str],
        options: HostOptions,
        resolver: Resolver = SYSTEM_RESOLVER,
        *,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        """Ask nothing yet: names are resolved, and hosts watched, from the first use on."""
        self._sources, self._options, self._resolver = tuple(sources), options, resolver
        self._watch_seconds = watch_seconds
        self._found: dict[str, Found] = {}
        self._resolve_at: dict[str, float] = {}
        self._refused: dict[str, OSError] = {}
        self._hosts: dict[str, OllamaHost] = {}
        self._leaving: dict[str, OllamaHost] = {}
        self._resolving = asyncio.Lock()
        self._listing = asyncio.Lock()
        self._watching = BackgroundTask("model hosts")

    @property
    def hosts(self) -> list[OllamaHost]:
        """The hosts that are known now."""
        return list(self._hosts.values())

    @property
    def is_empty(self) -> bool:
        """Whether no host is configured."""
        return not self._sources

    async def ready(self) -> list[OllamaHost]:
        """Return the hosts; at the first call, names are resolved.

        Raises:
            ModelHostUnavailable: when no name can be resolved.
        """
        if not self._watching.is_running:
            await self._follow_dns()
            if not self._watching.is_running:
                self._watching.start(self._watch())
        if not self._hosts and (source := next(iter(self._refused), None)) is not None:
            raise ollama_errors.away(without_credentials(source), self._refused[source]) from self._refused[source]
        return self.hosts

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._watch_seconds)
            await self._follow_dns()
            await asyncio.gather(*(host.check(_LIST_SECONDS) for host in self.hosts))

    async def _follow_dns(self) -> None:
        """Resolve the names whose time is over. What cannot be resolved stays as it was."""
        async with self._resolving:
            due = [source for source in self._sources if time.monotonic() >= self._resolve_at.get(source, 0.0)]
            if not due:
                return
            await asyncio.gather(*map(self._resolve, due))
            wanted = {host.name: host for source in self._sources for host in self._hosts_of(source)}
            for name in set(self._hosts) - set(wanted):
                host = self._leaving[name] = self._hosts.pop(name)
                log.info("a model host left", host=name)
                await host.leave()
            self._leaving = {name: host for name, host in self._leaving.items() if host.in_flight}
            come = [self._added(address) for name, address in wanted.items() if name not in self._hosts]
            # In the order of the settings.
            self._hosts = {name: self._hosts[name] for name in wanted}
            if self._watching.is_running:
                await asyncio.gather(*(host.check(_LIST_SECONDS) for host in come))

    def _added(self, address: HostAddress) -> OllamaHost:
        host = self._hosts[address.name] = OllamaHost(address, self._options)
        return host

    def _hosts_of(self, source: str) -> Sequence[HostAddress]:
        return self._found[source].hosts if source in self._found else ()

    async def _resolve(self, source: str) -> None:
        try:
            found = await found_at(source, self._resolver, is_guarded=self._options.is_guarded)
        except OSError as error:
            if source not in self._found:
                log.warning("a model host cannot be resolved", host=without_credentials(source), reason=str(error))
            self._refused[source] = error
            self._resolve_at[source] = time.monotonic() + self._watch_seconds
            return
        self._refused.pop(source, None)
        self._found[source] = found
        self._resolve_at[source] = (
            float("inf") if found.valid_seconds is None else time.monotonic() + found.valid_seconds
        )

    async def list_models(self) -> list[ModelInfo]:
        """Ask all hosts which models they have, and return each model once, with its hosts.

        Raises:
            ModelHostUnavailable: if no host answers.
        """
        hosts = await self.ready()
        answers = await asyncio.gather(*map(_listed, hosts), return_exceptions=True)
        offered: dict[str, ModelInfo] = {}
        failures: list[ModelError] = []
        for answer in answers:
            if isinstance(answer, ModelError):
                failures.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                for model in answer:
                    offered.setdefault(model.name, model)
        if failures and len(failures) == len(answers):
            raise failures[0]
        return list(offered.values())

    async def having(self, model: str) -> list[OllamaHost]:
        """Return the hosts that have a model; if none is known to, they are asked."""
        found = [host for host in await self.ready() if host.model_of(model)]
        if not found:
            async with self._listing:
                if not any(host.model_of(model) for host in self.hosts):
                    await self.list_models()
            found = [host for host in self.hosts if host.model_of(model)]
        return found

    def ranked(self, hosts: Sequence[OllamaHost], model: str, digest: str = "") -> list[OllamaHost]:
        """Return hosts as they are to be asked for an answer, the best one first. It asks nothing.

        Those that respond before others, those with the model that the prompt was made for, those with a lower rank, those that
        have it loaded and are not busy; then the one at which the answer is expected to begin first.
        """

        def order(host: OllamaHost) -> tuple[bool, bool, int, bool, float]:
            info = host.model_of(model)
            is_other = bool(digest and info and info.digest and info.digest != digest)
            has_place = bool(host.has_loaded(model)) and host.in_flight < _BUSY
            return host.problem is not None, is_other, host.address.rank, not has_place, host.wait_seconds()

        return sorted(hosts, key=order)

    def choose(
        self, hosts: Sequence[OllamaHost], model: str, tried: Collection[OllamaHost], digest: str = ""
    ) -> OllamaHost | None:
        """Return the host to ask next, or None if none is left that may be asked."""
        left = [host for host in hosts if host not in tried]
        return next((host for host in self.ranked(left, model, digest) if host.admits(model)), None)

    @asynccontextmanager
    async def calling(self, host: OllamaHost, model: str) -> AsyncGenerator[Call]:
        """Count an answer of a host, and learn from how it begins."""
        call = Call(host, model)
        host.in_flight += 1
        host.waiting[model] += 1
        observability.MODEL_HOST_ANSWERS.labels(host.name).inc()
        try:
            yield call
        except ModelError as error:
            if not call.has_begun and not isinstance(error, ModelRefused):
                call.has_failed = True
                host.failed(model, error)
                observability.MODEL_HOST_FAILURES.labels(host.name, error.code).inc()
                if isinstance(error, ModelHostUnavailable):
                    host.note_health(error)
            raise
        finally:
            host.in_flight -= 1
            observability.MODEL_HOST_ANSWERS.labels(host.name).dec()
            if not call.has_begun:
                host.waiting[model] -= 1
                if not call.has_failed:
                    host.released(model)
            await host.close_if_left()

    def find(self, name: str) -> OllamaHost | None:
        """Return a host by its name."""
        return self._hosts.get(name)

    def everyone(self) -> Iterator[OllamaHost]:
        """Return all hosts, and those that left but still write answers."""
        yield from self._hosts.values()
        yield from self._leaving.values()

    async def aclose(self) -> None:
        """Watch no more, and close all connections."""
        await self._watching.stop()
        for host in list(self.everyone()):
            await host.aclose()


class Call:
    """A request for an answer at a host."""

    def __init__(self, host: OllamaHost, model: str) -> None:
        self.host, self.model = host, model
        self.was_loaded = host.has_loaded(model)
        self.has_begun = self.has_failed = False
        self._began = time.monotonic()

    def heard(self) -> None:
        """Note a part of the answer."""
        self.host.note_answering(self.model)
        if self.has_begun:
            return
        self.has_begun = True
        self.host.waiting[self.model] -= 1
        self.host.succeeded(self.model)
        seconds = time.monotonic() - self._began
        observability.MODEL_HOST_FIRST_TOKEN.labels(self.host.name).observe(seconds)
        if self.was_loaded:
            # The time of loading says nothing about the next answer.
            self.host.latency.observe(seconds)


async def _listed(host: OllamaHost) -> list[ModelInfo]:
    # Beside the list, since it decides which host is asked.
    looking = asyncio.ensure_future(host.look())
    try:
        return await host.list_models()
    finally:
        await looking
