"""What can be said of the container files without running them; `make test-containers` runs them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rxchat.settings import Settings
from tests.containers import lint

ROOT = Path(__file__).resolve().parents[1]
OURS = {"migrate", "web", "worker"}
# They do one thing and end.
ONCE = {"migrate", "minio-init"}
# What another service's container must never be told.
OTHERS_SECRETS = {"POSTGRES_PASSWORD", "RXCHAT_DB_OWNER_PASSWORD", "RXCHAT_DB_REPLICA_PASSWORD", "MINIO_ROOT_PASSWORD"}


def services() -> dict[str, dict[str, Any]]:
    """Every service of both files, merged as compose merges them."""
    base, scaled = (
        yaml.safe_load((ROOT / name).read_text())["services"] for name in ("compose.yaml", "compose.scale.yaml")
    )
    return {name: base.get(name, {}) | scaled.get(name, {}) for name in base | scaled}


def test_every_service_is_limited_and_watched() -> None:
    offenders = [
        f"{name}: {what}"
        for name, service in services().items()
        for what, is_there in {
            "cap_drop": service.get("cap_drop") == ["ALL"],
            "no-new-privileges": "no-new-privileges:true" in service.get("security_opt", []),
            "read_only": service.get("read_only") is True,
            "mem_limit": bool(service.get("mem_limit")),
            "cpu_shares": bool(service.get("cpu_shares")),
            "pids_limit": bool(service.get("pids_limit")),
            "restart": service.get("restart") == ("no" if name in ONCE else "unless-stopped"),
            "log rotation": service.get("logging", {}).get("options", {}).keys() >= {"max-size", "max-file"},
            "networks": bool(service.get("networks")),
            # web's is in the image; what ends, or listens nowhere, has none.
            "healthcheck": "healthcheck" in service or name == "web",
        }.items()
        if not is_there
    ]
    assert offenders == []


def test_every_setting_reaches_the_containers() -> None:
    fixed = {
        "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "OLLAMA_HOSTS", "RXCHAT_TRUSTED_PROXIES",
    }  # fmt: skip
    aliases = {str(field.alias) for field in Settings.model_fields.values()}
    for name in OURS:
        service = services()[name]
        assert service["env_file"] == [".env"]
        assert (service["environment"].keys() & aliases) <= fixed, name
        # What the files set can still be set by the operator, other than addresses inside the stack.
        for setting in ("OLLAMA_HOSTS", "RXCHAT_TRUSTED_PROXIES"):
            assert service["environment"][setting].startswith(f"${{{setting}:-")
    image = set(re.findall(r"(RXCHAT_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    assert image <= aliases


def test_serving_processes_get_no_secret_of_another_service() -> None:
    for name in OURS:
        given = services()[name]["environment"]
        assert {given[secret] for secret in OTHERS_SECRETS} == {""}, name
        assert bool(given["DATABASE_OWNER_URL"]) == (name == "migrate")
    for name, service in services().items():
        if name not in OURS:
            assert "env_file" not in service, name


def test_only_the_proxy_is_published_and_only_its_address_is_believed() -> None:
    found = services()
    assert [name for name, service in found.items() if "ports" in service] == ["proxy"]
    assert all("127.0.0.1" in port for port in found["proxy"]["ports"])
    address = found["proxy"]["networks"]["edge"]["ipv4_address"]
    (given,) = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"]["edge"]["ipam"]["config"]
    assert given["ip_range"].endswith(".128/25") and address.endswith(".10")
    trusted = found["web"]["environment"]["RXCHAT_TRUSTED_PROXIES"]
    assert trusted == f"${{RXCHAT_TRUSTED_PROXIES:-{address}/32}}"
    assert [name for name, service in found.items() if "edge" in service["networks"]] == ["proxy", "web"]
    # By any other network that both are in, the proxy would come from another address, now and then.
    assert set(found["proxy"]["networks"]) & set(found["web"]["networks"]) == {"edge"}
    assert [name for name, service in found.items() if "public" in service["networks"]] == ["proxy"]


def test_what_holds_data_reaches_nothing_outside() -> None:
    networks = yaml.safe_load((ROOT / "compose.yaml").read_text())["networks"]
    assert networks["data"] == {"internal": True}
    for name in ("postgres", "standby", "valkey", "minio", "minio-init", "migrate"):
        assert services()[name]["networks"] == ["data"], name


def test_images_are_pinned() -> None:
    for name, service in services().items():
        image = service.get("image", "")
        assert name in OURS or re.fullmatch(r"[a-z/]+:[\w.-]*\d[\w.-]*", image), (name, image)


def test_the_builder_gets_what_the_image_needs_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = {source.split("/")[0] for line in copied for source in line.split()[:-1]}
    allowed = {
        line[1:].split("/")[0] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert sources == allowed


def test_the_dockerfile_passes_hadolint() -> None:
    lint.lint_dockerfile()


@pytest.mark.parametrize("files", lint.COMPOSE_FILES, ids="+".join)
def test_podman_compose_reads_the_files(files: tuple[str, ...]) -> None:
    found = yaml.safe_load(lint.composed(files))
    assert found["services"].keys() >= {"proxy", "web", "worker", "postgres", "valkey", "minio", "ollama"}


@pytest.mark.parametrize("name", ["compose.yaml", "compose.scale.yaml"])
def test_the_files_follow_the_compose_specification(name: str) -> None:
    assert lint.parse_by_the_specification(name) > 0


def test_the_standby_takes_as_many_connections_as_the_primary() -> None:
    """Postgres refuses to follow a primary that takes more."""
    command = services()["postgres"]["command"]
    (connections,) = [part for part in command if part.startswith("max_connections=")]
    assert f"-c {connections} " in (ROOT / "docker" / "postgres-standby.sh").read_text()
