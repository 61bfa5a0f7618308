"""The single container, as a newcomer starts it: everything inside, demo model included."""

from __future__ import annotations

import re
import time

from tests.containers.engine import PREFIX, Engine, Failed, until
from tests.containers.visitor import Visitor
from tests.ports import free_port

NAME = f"{PREFIX}-single"
_START_SECONDS = 240.0
_ANSWER_SECONDS = 240.0
# The README's command, and the restrictions under which it must work as well.
_RESTRICTED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all", "--security-opt", "no-new-privileges")


def try_single_container(engine: Engine, image: str, figures: dict[str, str]) -> str:
    """Start it, sign up, ask the demo model, restart it, and find the conversation again."""
    port = free_port()
    url = f"http://localhost:{port}"
    published = ("--publish", f"127.0.0.1:{port}:8000", "--env", f"RXCHAT_PUBLIC_URL={url}")
    engine.podman("run", "--detach", "--name", NAME, *_RESTRICTED, *published, "--volume", f"{NAME}:/data", image)
    try:
        figures["single container: start to set-up link, first time"] = (
            f"{_until_printed(engine, '/setup#token='):.1f} s"
        )
        visitor = Visitor(url)
        visitor.set_up(re.findall(r"\S+/setup#token=\S+", engine.podman("logs", NAME))[-1])
        conversation = visitor.ask("What is the capital of France?")
        began = time.monotonic()
        answer = visitor.finished(conversation, _ANSWER_SECONDS)
        if answer["state"] != "done" or not answer["text"].strip():
            raise Failed(f"the demo model's answer is {answer}")
        figures["single container: answer of the demo model"] = f"{time.monotonic() - began:.1f} s"
        figures["single container: memory"] = engine.podman(
            "stats", "--no-stream", "--format", "{{.MemUsage}}", NAME
        ).strip()
        began = time.monotonic()
        engine.podman("restart", "--time", "15", NAME)
        visitor.call("GET", "/readyz", seconds=_START_SECONDS)
        figures["single container: restart until it answers"] = f"{time.monotonic() - began:.1f} s"
        if visitor.answer(conversation)["text"] != answer["text"]:
            raise Failed("the answer is not there after a restart")
        size = engine.podman("exec", NAME, "du", "-sm", "/data").split()[0]
        return f"the demo model said {answer['text'].strip()[:40]!r}; /data has {size} MB"
    except Failed as error:
        raise Failed(f"{error}\n{engine.podman('logs', '--tail', '30', NAME, check=False)}") from error
    finally:
        engine.podman("rm", "--force", "--time", "10", "--volumes", NAME, check=False)
        engine.podman("volume", "rm", "--force", NAME, check=False)


def _until_printed(engine: Engine, words: str) -> float:
    def is_printed() -> bool:
        if engine.inspect(NAME)["State"]["Status"] == "exited":
            raise Failed("the container ended")
        return words in engine.podman("logs", NAME)

    return until(f"the container prints {words}", is_printed, _START_SECONDS)
