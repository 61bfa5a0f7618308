"""The hosts of models, for administrators' programs: their state, and the models that they pull, load, unload and delete."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.api.v1.scopes import needs
from rxchat.domain.authorization import require
from rxchat.domain.model_hosts import LONGEST_HOST_NAME, LONGEST_MODEL_NAME, HostJob, HostStatus
from rxchat.domain.permissions import Permission, Scope

router = APIRouter(prefix="/api/v1/admin/hosts", tags=["admin"])


async def _manages_models(current_user: SignedIn) -> None:
    """Refuse others before their requests are read."""
    require(current_user, Permission.MODELS_MANAGE)


_NEEDS = needs(Scope.ADMIN, Depends(_manages_models))


class ModelAtHost(BaseModel):
    """A model at a host. `provider` is empty for the hosts of OLLAMA_HOSTS, and `host` a name from the list of hosts."""

    provider: str = Field(default="", max_length=30)
    host: str = Field(max_length=LONGEST_HOST_NAME)
    model: str = Field(max_length=LONGEST_MODEL_NAME)


class HostModelOut(BaseModel):
    """A model that a host has."""

    name: str
    size_bytes: int
    family: str
    parameters: str
    quantization: str
    context_tokens: int
    capabilities: list[str]
    digest: str


class LoadedModelOut(BaseModel):
    """A model in a host's memory, and until when."""

    name: str
    size_bytes: int
    vram_bytes: int
    expires_at: datetime | None


class BreakerOut(BaseModel):
    """A circuit breaker that is not closed: `open` or `half-open`."""

    model: str
    state: str
    failures: int
    retry_seconds: float
    reason: str


class HostOut(BaseModel):
    """A host. `problem` is "" while it responds; times and numbers of answers are those of the process that was asked."""

    name: str
    provider: str
    problem: str
    in_flight: int
    first_token_seconds: float | None
    models: list[HostModelOut]
    loaded: list[LoadedModelOut]
    breakers: list[BreakerOut]

    @classmethod
    def of(cls, status: HostStatus) -> HostOut:
        """Return a host as programs see it."""
        return cls(
            name=status.name,
            provider=status.provider,
            problem=status.problem,
            in_flight=status.in_flight,
            first_token_seconds=status.first_token_seconds,
            models=[
                HostModelOut(
                    name=item.name,
                    size_bytes=item.size_bytes,
                    family=item.family,
                    parameters=item.parameters,
                    quantization=item.quantization,
                    context_tokens=item.context_tokens,
                    capabilities=sorted(item.capabilities),
                    digest=item.digest,
                )
                for item in status.models
            ],
            loaded=[LoadedModelOut.model_validate(item, from_attributes=True) for item in status.loaded],
            breakers=[
                BreakerOut(
                    model=item.model,
                    state=item.state.value,
                    failures=item.failures,
                    retry_seconds=item.retry_seconds,
                    reason=item.reason,
                )
                for item in status.breakers
            ],
        )


class HostsOut(BaseModel):
    """All hosts, those of the settings first."""

    hosts: list[HostOut]


class JobOut(BaseModel):
    """A model that a host downloads (`pull`) or loads (`load`): `running`, `done`, `failed`, `cancelled` or `interrupted`."""

    id: UUID
    kind: str
    provider: str
    host: str
    model: str
    state: str
    status: str
    completed_bytes: int
    total_bytes: int
    error: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, job: HostJob) -> JobOut:
        """Return a job as programs see it."""
        return cls(
            id=job.id,
            kind=job.kind.value,
            provider=job.provider,
            host=job.host,
            model=job.model,
            state=job.state.value,
            status=job.status,
            completed_bytes=job.completed_bytes,
            total_bytes=job.total_bytes,
            error=job.error,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobsOut(BaseModel):
    """What hosts do now, and what they did in the last week, the newest first."""

    jobs: list[JobOut]


class BegunJob(BaseModel):
    """A job that has begun."""

    id: UUID


class FactOut(BaseModel):
    """What a host says about a model."""

    label: str
    value: str


class ModelDetailsOut(BaseModel):
    """A model as its host describes it."""

    name: str
    facts: list[FactOut]
    capabilities: list[str]
    template: str
    parameters: str
    system_prompt: str
    license: str


@router.get("", **_NEEDS)
async def list_hosts(current_user: SignedIn, services: ServicesDep) -> HostsOut:
    """List all hosts as they answer now. Needs the permission `models.manage`, like all routes of hosts."""
    found = await services.models.hosts.all(current_user, is_fresh=True)
    return HostsOut(hosts=[HostOut.of(item) for item in found])


@router.get("/jobs", **_NEEDS)
async def list_jobs(current_user: SignedIn, services: ServicesDep) -> JobsOut:
    """List what hosts do, and have done."""
    return JobsOut(jobs=[JobOut.of(job) for job in await services.models.hosts.jobs(current_user)])


@router.get("/jobs/{job_id}", **_NEEDS)
async def get_job(job_id: UUID, current_user: SignedIn, services: ServicesDep) -> JobOut:
    """Return the progress of a job."""
    return JobOut.of(await services.models.hosts.job(current_user, job_id))


@router.delete("/jobs/{job_id}", status_code=204, **_NEEDS)
async def cancel_job(job_id: UUID, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Cancel a job that is running; a host keeps the parts of a model that it has."""
    await services.models.hosts.cancel(current_user, job_id, client_info_of(request))


@router.post("/pull", status_code=202, **_NEEDS)
async def pull_model(body: ModelAtHost, current_user: SignedIn, request: Request, services: ServicesDep) -> BegunJob:
    """Begin to download a model to a host."""
    hosts = services.models.hosts
    return BegunJob(id=await hosts.pull(current_user, body.provider, body.host, body.model, client_info_of(request)))


@router.post("/load", status_code=202, **_NEEDS)
async def load_model(body: ModelAtHost, current_user: SignedIn, request: Request, services: ServicesDep) -> BegunJob:
    """Begin to load a model into a host's memory."""
    hosts = services.models.hosts
    return BegunJob(id=await hosts.load(current_user, body.provider, body.host, body.model, client_info_of(request)))


@router.post("/unload", status_code=204, **_NEEDS)
async def unload_model(body: ModelAtHost, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Remove a model from a host's memory."""
    await services.models.hosts.unload(current_user, body.provider, body.host, body.model, client_info_of(request))


@router.post("/delete", status_code=204, **_NEEDS)
async def delete_model(body: ModelAtHost, current_user: SignedIn, request: Request, services: ServicesDep) -> None:
    """Delete a model from a host."""
    await services.models.hosts.delete(current_user, body.provider, body.host, body.model, client_info_of(request))


@router.post("/details", **_NEEDS)
async def model_details(body: ModelAtHost, current_user: SignedIn, services: ServicesDep) -> ModelDetailsOut:
    """Return what a host says about a model."""
    found = await services.models.hosts.details(current_user, body.provider, body.host, body.model)
    return ModelDetailsOut(
        name=found.name,
        facts=[FactOut(label=label, value=value) for label, value in found.facts],
        capabilities=list(found.capabilities),
        template=found.template,
        parameters=found.parameters,
        system_prompt=found.system_prompt,
        license=found.license,
    )
