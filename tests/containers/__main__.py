"""Runs the image and the compose files for real and prints a table; see docs/containers.md.

    python -m tests.containers [--from COMMIT] [--only NAME ...] [--keep]

Needs root, Debian's podman, buildah, runc and debootstrap, and the packages of requirements-dev.txt. Base images are
made once (RXCHAT_CONTAINERS_CACHE, or the user's cache folder); everything else that it starts, it removes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.containers import bases, lint, report
from tests.containers.engine import ROOT, Engine, Failed, cache_folder, missing_programs
from tests.containers.scenarios import Journey
from tests.containers.single import try_single_container
from tests.containers.stack import Stack

IMAGE, BEFORE = "localhost/rxchat-test:now", "localhost/rxchat-test:before"
_TAIL = "40"
# Servers, demo model and embedder included; on a base of 128 MB.
_MOST_MEGABYTES = 600


def main() -> int:
    """Run every step, print what came of it, and return 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", default="HEAD~1", help="the commit whose image is upgraded from")
    parser.add_argument(
        "--before", default="", help="an image in the test's store to upgrade from, instead of a commit's"
    )
    parser.add_argument("--only", nargs="*", default=[], help="names of the stack's steps to run after sign_up_and_ask")
    parser.add_argument("--no-build", action="store_true", help="use the image of the run before")
    parser.add_argument("--no-single", action="store_true", help="leave the single container out")
    parser.add_argument("--keep", action="store_true", help="leave the stack running")
    chosen = parser.parse_args()
    if os.geteuid() or missing_programs():
        needed = "root" if os.geteuid() else ", ".join(missing_programs())
        print(f"make test-containers needs {needed} (Debian: apt install podman buildah runc debootstrap).")
        return 1
    engine = Engine(cache_folder())
    engine.remove_everything()
    steps = _Steps()
    try:
        _run(engine, steps, chosen)
    except Failed as error:
        print(f"\nFAILED: {error}", flush=True)
    finally:
        if not chosen.keep:
            engine.remove_everything()
    print("\n" + report.table(steps.rows))
    print(f"{steps.passed} passed, {len(steps.failures)} failed")
    return 1 if steps.failures else 0


class _Steps:
    """The steps that were run; one that fails does not keep the later ones from being tried."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []
        self.failures: list[str] = []
        self.passed = 0

    def run(self, name: str, step: Callable[[], str], *, must: bool = False) -> None:
        """Run one step and note what it says and how long it took."""
        began = time.monotonic()
        print(f"{name} ...", flush=True)
        try:
            result = step()
        except (Failed, AssertionError) as error:
            self.failures.append(name)
            result = f"FAILED: {str(error).splitlines()[0]}"
            print(f"  {error}", flush=True)
            if must:
                self.rows.append((name, result))
                raise Failed(name) from error
        else:
            self.passed += 1
        took = time.monotonic() - began
        print(f"  {result} ({took:.0f} s)", flush=True)
        self.rows.append((name, f"{result} ({took:.0f} s)"))


def _run(engine: Engine, steps: _Steps, chosen: argparse.Namespace) -> None:
    steps.run("lint: Dockerfile and compose files", lint.lint_all)
    steps.run("base images", lambda: _make_bases(engine), must=True)
    if not chosen.no_build:
        steps.run("build", lambda: _build(engine), must=True)
    if chosen.before:
        engine.podman("tag", chosen.before, BEFORE)
    else:
        steps.run(f"build {chosen.commit}", lambda: _build_commit(engine, chosen.commit), must=True)
    figures: dict[str, str] = {}
    with engine.health_checks(), tempfile.TemporaryDirectory(prefix="rxchat-stack-") as folder:
        if not chosen.no_single:
            steps.run("single container", lambda: try_single_container(engine, IMAGE, figures))
            steps.rows += figures.items()
        _try_stack(engine, steps, chosen, Path(folder))
    steps.rows += report.image_rows(engine, IMAGE)


def _try_stack(engine: Engine, steps: _Steps, chosen: argparse.Namespace, folder: Path) -> None:
    """Run the compose stack through everything that may happen to it."""
    stack = Stack(engine, _made(folder / "stack"), IMAGE)
    stack.use_image(BEFORE)
    journey = Journey(stack, _made(folder / "backups"))
    try:
        steps.run("compose: start", lambda: f"answers after {stack.up():.1f} s", must=True)
        steps.run("compose: sign up and ask", journey.sign_up_and_ask, must=True)
        later: list[Callable[[], str]] = [
            journey.upload_and_cite, journey.kill_the_worker, journey.remove_the_worker, journey.restart_postgres,
            journey.stop_valkey, journey.scale_workers, journey.look_at_what_is_locked, journey.operator_commands,
            journey.down_and_up, journey.back_up_and_restore, journey.scale_out,
        ]  # fmt: skip
        steps.run("compose: upgrade in mid-answer", lambda: journey.upgrade(IMAGE), must=True)
        for step in later:
            if not chosen.only or step.__name__ in chosen.only:
                steps.run(f"compose: {step.__name__.replace('_', ' ')}", step)
        steps.rows += report.memory_rows(engine, stack)
    finally:
        if steps.failures:
            for name in engine.containers():
                print(f"--- {name}\n{engine.podman('logs', '--tail', _TAIL, name, check=False)}", flush=True)


def _make_bases(engine: Engine) -> str:
    bases.make_bases(engine, lambda line: print(f"  {line}", flush=True))
    return ", ".join(bases.image_names().values())


def _build(engine: Engine) -> str:
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    labels = ("--build-arg", f"REVISION={revision.strip()}", "--volume", bases.CERTIFICATES)
    bases.build(engine, IMAGE, ROOT, *labels)
    megabytes = engine.inspect(IMAGE)["Size"] / 1_000_000
    if megabytes > _MOST_MEGABYTES:
        raise Failed(f"the image has {megabytes:,.0f} MB, and may have {_MOST_MEGABYTES}")
    return f"{megabytes:,.0f} MB"


def _build_commit(engine: Engine, commit: str) -> str:
    """Build the image of another commit from a clean copy of it."""
    with tempfile.TemporaryDirectory(prefix="rxchat-before-") as folder:
        archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        bases.build(engine, BEFORE, Path(folder), "--volume", bases.CERTIFICATES)
    return f"{engine.inspect(BEFORE)['Size'] / 1_000_000:,.0f} MB"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
