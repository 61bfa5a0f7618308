"""What happens to a running stack, and what a user must find afterwards."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx

from tests.containers.engine import PREFIX, Failed, until
from tests.containers.stack import EDGE, PROJECT, Stack
from tests.containers.visitor import Visitor, counted

SHORT = ("scripted:count=1,tokens=30,rate=60", 30)
LONG = ("scripted:count=1,tokens=240,rate=20", 240)
CITING = "scripted:tokens=3,text=Yes [1]. "
_FACT = "The lighthouse of Vardholm was rebuilt in 1907 by the engineer Signe Aaberg."
_ANSWER_SECONDS = 90.0
_SECRETS_OF_OTHERS = (
    "POSTGRES_PASSWORD",
    "RXCHAT_DB_OWNER_PASSWORD",
    "RXCHAT_DB_REPLICA_PASSWORD",
    "MINIO_ROOT_PASSWORD",
)


@dataclass
class Kept:
    """What the user has made so far, all of which must be there after whatever happens."""

    answers: dict[UUID, str] = field(default_factory=dict)
    collection: str = ""
    document: str = ""
    content: bytes = b""


class Journey:
    """One user and one stack, from the first sign-up to the restored backup."""

    def __init__(self, stack: Stack, backups: Path) -> None:
        self.stack = stack
        self.engine = stack.engine
        self.visitor = Visitor(stack.url)
        self.kept = Kept()
        self.backups = backups

    def sign_up_and_ask(self) -> str:
        """Sign up by the set-up link and ask a first question."""
        self.visitor.set_up(self.stack.setup_link())
        self._ask_and_finish(*SHORT)
        return "an administrator, one answer"

    def upload_and_cite(self) -> str:
        """Upload a document, find it, and get an answer that cites it."""
        visitor, kept = self.visitor, self.kept
        filler = "\n\n".join(f"Paragraph {number} says nothing of importance." for number in range(40))
        kept.content = f"# Vardholm\n\n{_FACT}\n\n{filler}\n".encode() + random.Random(1).randbytes(8).hex().encode()
        kept.collection = visitor.collection("Lighthouses")
        began = time.monotonic()
        kept.document = visitor.upload(kept.collection, "vardholm.md", kept.content)
        took = time.monotonic() - began
        question = "Who rebuilt the lighthouse of Vardholm?"
        conversation = visitor.ask(question, model=CITING, collections=(kept.collection,))
        answer = visitor.finished(conversation, _ANSWER_SECONDS)
        cited = [source for source in visitor.sources(conversation) if source["is_cited"]]
        if not cited or "Aaberg" not in cited[0]["text"]:
            raise Failed(f"no citation of the document: {answer} {visitor.sources(conversation)}")
        kept.answers[conversation] = answer["text"]
        return f"indexed in {took:.1f} s, cited “{cited[0]['name']}”"

    def kill_the_worker(self) -> str:
        """Kill the worker's process in mid-answer: podman restarts it, and the answer is completed."""
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        name = self.stack.name("worker")
        self.engine.kill_process(name)
        self._finish(conversation, LONG[1])
        restarts = until("the worker runs again", lambda: name in self.stack.names("worker"), 30)
        return f"no word lost; the container ran again after {restarts:.0f} s more"

    def remove_the_worker(self) -> str:
        """Remove the worker's container in mid-answer and start another one."""
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        self.engine.podman("kill", "--signal", "KILL", self.stack.name("worker"))
        self.stack.up()
        self._finish(conversation, LONG[1])
        return "no word lost"

    def restart_postgres(self) -> str:
        """Restart Postgres' container in mid-answer."""
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        began = time.monotonic()
        self.engine.podman("restart", self.stack.name("postgres"))
        until("the stack answers", self.stack.is_ready, 60)
        took = time.monotonic() - began
        self._finish(conversation, LONG[1])
        return f"away for {took:.1f} s, no word lost"

    def stop_valkey(self) -> str:
        """Stop Valkey during an answer; the answer continues, and a new one is written without it."""
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 20)
        name = self.stack.name("valkey")
        self.engine.podman("stop", "--time", "2", name)
        self._finish(conversation, LONG[1])
        self._ask_and_finish(*SHORT)
        self.engine.podman("start", name)
        return "two answers were completed without it"

    def scale_workers(self) -> str:
        """Run three workers, and kill two of them in mid-answer."""
        self.stack.up("--scale", "worker=3")
        until("three workers run", lambda: len(self.stack.names("worker")) == 3, 60)
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        for name in self.stack.names("worker")[:2]:
            self.engine.podman("kill", "--signal", "KILL", name)
        self._finish(conversation, LONG[1])
        self.engine.podman("rm", "--force", *self.stack.names("worker", only_running=False)[1:])
        self.stack.up()
        return "3 workers, two killed, no word lost"

    def upgrade(self, image: str) -> str:
        """Replace the image by another one while an answer is written."""
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        before = self.engine.inspect(self.stack.name("web"))["Image"]
        self.stack.use_image(image)
        began = time.monotonic()
        self.stack.up()
        took = time.monotonic() - began
        if self.engine.inspect(self.stack.name("web"))["Image"] == before:
            raise Failed("web still runs the image of before")
        self._finish(conversation, LONG[1])
        return f"new containers answered after {took:.0f} s; the session stayed signed in, no word lost"

    def down_and_up(self) -> str:
        """Take the stack down and up again."""
        self.stack.down()
        took = self.stack.up()
        self._all_is_there()
        self.visitor.sign_in()
        self._ask_and_finish(*SHORT)
        return f"everything is there after {took:.0f} s"

    def back_up_and_restore(self) -> str:
        """Back up by docs/operations.md's three commands, destroy the volumes, and restore by its three."""
        stack, folder = self.stack, self.backups
        dump, files, settings = folder / "database.dump", folder / "files.tar", folder / "env"
        with dump.open("wb") as out:
            stack.compose("exec", "-T", "postgres", "pg_dump", "-U", "postgres", "-Fc", "rxchat", stdout=out)
        with files.open("wb") as out:
            stack.compose("exec", "-T", "web", "tar", "-C", "/data/files", "-cf", "-", ".", stdout=out)
        settings.write_bytes((stack.folder / ".env").read_bytes())
        stack.down("--volumes")
        left = [name for name in self.engine.podman("volume", "ls", "--quiet").split() if name.startswith(PREFIX)]
        if left:
            raise Failed(f"volumes are left: {left}")
        (stack.folder / ".env").unlink()
        (stack.folder / ".env").write_bytes(settings.read_bytes())
        stack.compose("up", "-d", "--no-build", "postgres", "valkey", "ollama")
        until("Postgres is healthy", stack.is_database_ready, 120)
        with dump.open("rb") as given:
            restore = ("pg_restore", "-U", "postgres", "-d", "rxchat", "--clean", "--if-exists", "--exit-on-error")
            stack.compose("exec", "-T", "postgres", *restore, stdin=given)
        with files.open("rb") as given:
            extract = ("--no-deps", "-T", "--entrypoint", "tar", "web", "-C", "/data/files", "-xf", "-")
            stack.compose("run", "--rm", *extract, stdin=given)
        took = stack.up()
        self._all_is_there()
        self._ask_and_finish(*SHORT)
        return f"dump {dump.stat().st_size:,} bytes; everything is there, signed in still, after {took:.0f} s"

    def operator_commands(self) -> str:
        """Run the commands that need the owner's role, where docs/operations.md says."""
        run = ("run", "--rm", "--no-deps", "-T", "migrate", "python", "-m", "rxchat")
        link = self.stack.compose(*run, "reset-link", "ada@example.org")
        doctor = self.stack.compose("exec", "-T", "web", "python", "-m", "rxchat", "doctor")
        if "/reset#token=" not in link:
            raise Failed(f"reset-link printed {link}")
        return f"reset-link; doctor ({len(doctor.splitlines())} lines)"

    def look_at_what_is_locked(self) -> str:
        """Look at what serving processes know and may do, and at who reaches them."""
        engine, web = self.engine, self.stack.name("web")
        lines = engine.podman("exec", web, "env").splitlines()
        told = {name: value for name, _, value in (line.partition("=") for line in lines)}
        known = [name for name in _SECRETS_OF_OTHERS if self.stack.setting(name) in str(told)]
        if known or told.get("DATABASE_OWNER_URL"):
            raise Failed(f"the web process knows {known or 'the owner of the database'}")
        if (
            engine.podman("exec", web, "sh", "-c", "touch /app/rxchat/x 2>/dev/null || echo refused").strip()
            != "refused"
        ):
            raise Failed("the web process may change its own code")
        for service in ("proxy", "web", "worker", "postgres", "valkey", "ollama"):
            about = engine.inspect(self.stack.name(service))["HostConfig"]
            if not about["ReadonlyRootfs"] or not about["Memory"] or not about["PidsLimit"]:
                raise Failed(f"{service} has no limits: {about['ReadonlyRootfs'], about['Memory'], about['PidsLimit']}")
        self._a_neighbor_is_refused()
        try:
            forged = {"x-forwarded-for": "203.0.113.7", "origin": self.stack.url}
            httpx.post(
                f"{self.stack.url}/api/auth/sign-in", json={"email": "eve@x.org", "password": "x"}, headers=forged
            )
        except httpx.TransportError as error:
            raise Failed("the proxy does not answer") from error
        seen = self.stack.sql("postgres", "SELECT count(*) FROM audit_event WHERE address = '203.0.113.7'")
        unreal = f"'', '203.0.113.7', '{EDGE}.10'"
        real = self.stack.sql("postgres", f"SELECT count(*) FROM audit_event WHERE address NOT IN ({unreal})")
        if seen != "0" or real == "0":
            raise Failed(f"the audit log has {seen} made-up addresses and {real} of those that the proxy saw")
        return "no secrets of others, read-only, limits, only the proxy is believed"

    def scale_out(self) -> str:
        """Run compose.scale.yaml: two web containers behind the proxy, two workers, a standby that follows."""
        stack = self.stack
        # podman-compose does not run `migrate` again when a service that it depends on is replaced.
        stack.down()
        stack.files.append("compose.scale.yaml")
        stack.up()
        counts = {service: len(stack.names(service)) for service in ("web", "worker", "standby")}
        if counts != {"web": 2, "worker": 2, "standby": 1}:
            raise Failed(f"started {counts}")
        conversation = self._ask(LONG[0])
        self._until_written(conversation, 40)
        # Half of the web processes go away under the reader.
        self.engine.podman("kill", "--signal", "KILL", stack.name("web"))
        self._finish(conversation, LONG[1])
        messages = stack.sql("postgres", "SELECT count(*) FROM message")
        count = "SELECT count(*) FROM message"
        until("the standby has all messages", lambda: stack.sql("standby", count) == messages, 30)
        if stack.sql("standby", "SELECT pg_is_in_recovery()") != "t":
            raise Failed("the standby is no standby")
        self._all_is_there()
        return f"{counts}; one web killed, no word lost; the standby has all {messages} messages"

    def _a_neighbor_is_refused(self) -> None:
        """Ask a web process from another container of the proxy's network."""
        program = (
            "import sys, urllib.request, urllib.error\n"
            "request = urllib.request.Request('http://web:8000/api/auth/offer', headers={'X-Forwarded-For': '203.0.113.7'})\n"
            "try: print(urllib.request.urlopen(request, timeout=5).status)\n"
            "except urllib.error.HTTPError as error: print(error.code)\n"
            "except OSError as error: print('refused')\n"
        )
        image = self.engine.inspect(self.stack.name("ollama"))["Image"]
        name, network = f"{PREFIX}-neighbor", f"{PROJECT}_edge"
        said = self.engine.podman("run", "--rm", "--name", name, "--network", network, image, "python3", "-c", program)
        if said.strip() == "200":
            raise Failed("a container beside the proxy is answered")

    def _ask(self, model: str) -> UUID:
        return self.visitor.ask("Please count.", model=model)

    def _ask_and_finish(self, model: str, last: int) -> None:
        self._finish(self._ask(model), last)

    def _finish(self, conversation: UUID, last: int) -> None:
        """Wait for an answer's end; every word of it must be there, once."""
        answer = self.visitor.finished(conversation, _ANSWER_SECONDS)
        if (answer["state"], answer["text"].strip()) != ("done", counted(last).strip()):
            raise Failed(f"the answer is {answer['state']}: {answer['text'][:80]!r} ... {answer['text'][-80:]!r}")
        self.kept.answers[conversation] = answer["text"]

    def _until_written(self, conversation: UUID, number: int) -> None:
        """Wait until a counting answer has come so far."""
        until("the answer begins", lambda: f" {number} " in self.visitor.answer(conversation)["text"], 60, every=0.1)

    def _all_is_there(self) -> None:
        """Read everything again that the user has made."""
        visitor, kept = self.visitor, self.kept
        for conversation, text in kept.answers.items():
            if visitor.answer(conversation)["text"] != text:
                raise Failed(f"an answer has changed: {conversation}")
        if visitor.download(kept.document) != kept.content:
            raise Failed("the document is not what was uploaded")
        if not any("Aaberg" in text for text in visitor.search("Who rebuilt the lighthouse?", kept.collection)):
            raise Failed("the document is not found")
