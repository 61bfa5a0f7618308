"""Secure or it does not start: what outside loopback is refused, in words, and what is fine."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rxchat import checks
from rxchat.__main__ import main
from rxchat.checks import Finding
from rxchat.settings import Settings
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def made(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


# Chosen once at random, so that no run is different from another.
KEY = "OWL0QxkiVvXcJgh8qyDe-LsPZ6IzPFS3aiRmuFCjHw8="
PEPPER = "t9BVTGW2XrQk0s3_A6nPyBvYxtc4vH1ZZqLdKNmwgUo="
PUBLIC: dict[str, Any] = {
    "RXCHAT_PUBLIC_URL": "https://chat.example.org",
    "RXCHAT_TRUSTED_PROXIES": "127.0.0.1",
    "DATABASE_URL": "postgresql://web@db/rxchat?sslmode=verify-full",
    "DATABASE_OWNER_URL": "postgresql://owner@db/rxchat?sslmode=verify-full",
    "RXCHAT_SECRET_KEY": KEY,
    "RXCHAT_PASSWORD_PEPPER": PEPPER,
}
CONTAINER = PUBLIC | {
    "RXCHAT_HOST": "0.0.0.0",
    "RXCHAT_PUBLIC_URL": "http://localhost:8000",
    "RXCHAT_TRUSTED_PROXIES": "172.16.0.0/12",
}


@pytest.fixture(autouse=True)
def as_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests, RxChat has a user of its own here."""
    monkeypatch.setattr("rxchat.checks.os.geteuid", lambda: 10_001)


def settings(values: dict[str, Any]) -> Settings:
    return Settings.model_validate(values)


def found(values: dict[str, Any]) -> list[Finding]:
    return checks.findings(settings(values))


def errors(values: dict[str, Any]) -> set[str]:
    return {finding.setting for finding in found(values) if finding.severity == "error"}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"RXCHAT_HOST": "::1"},
        {"RXCHAT_HOST": "localhost"},
        {"RXCHAT_PUBLIC_URL": "http://localhost:8000"},
        {"RXCHAT_PUBLIC_URL": "http://[::1]:8000/"},
        {"RXCHAT_EXTRA_ORIGINS": "http://localhost:3000"},
        PUBLIC,
        PUBLIC | {"RXCHAT_HOST": "0.0.0.0", "RXCHAT_TRUSTED_PROXIES": "192.0.2.7, 2001:db8::7"},
        PUBLIC | {"RXCHAT_HOST": "::"},
        PUBLIC | {"RXCHAT_PUBLIC_URL": "https://chat.example.org:8443/"},
        PUBLIC | {"RXCHAT_EXTRA_ORIGINS": "https://chat.internal, https://chat.example.net:8443/"},
        PUBLIC | {"RXCHAT_SECRET_KEY": "b2f7dd2e178f41c95c46110997dcad5e7d0a4c1bb80f6f0e2f3a9d6c5e4b7a18"},
        CONTAINER,
        CONTAINER | {"RXCHAT_PUBLIC_URL": "http://127.0.0.1:9000"},
        # What is generated into the data folder is random.
        {**PUBLIC, "DATABASE_URL": None, "RXCHAT_SECRET_KEY": None, "RXCHAT_PASSWORD_PEPPER": None},
    ],
    ids=str,
)
def test_what_is_secure_is_fine(values: dict[str, Any]) -> None:
    assert found(values) == []


WEAK = {
    "one byte": made(b"k" * 32),
    "zeros": made(bytes(32)),
    "few bytes": made(b"\x00\xff\x80\x7f" * 8),
    "said twice": made(base64.urlsafe_b64decode(KEY)[:16] * 2),
    "counted": made(bytes(range(100, 132))),
    "counted in steps": made(bytes(number * 7 % 256 for number in range(32))),
    "a text": made(b"The quick brown fox jumps over the lazy dog"),
    "an example": made(b"\xffchangeme" + base64.urlsafe_b64decode(KEY)),
    "typed": "correct-horse-battery-staple-correct-horse-bat",
    "typed aloud": "CORRECT-HORSE-BATTERY-STAPLE-CORRECT-HORSE-BAT",
    "known": "example" + KEY[7:],
    "hex of one byte": "ab" * 32,
}


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize("setting", ["RXCHAT_SECRET_KEY", "RXCHAT_PASSWORD_PEPPER"])
@pytest.mark.parametrize("of", [PUBLIC, CONTAINER], ids=["proxy", "container"])
def test_a_secret_that_can_be_guessed_is_refused_outside_loopback_and_noted_inside(
    of: dict[str, Any], setting: str, weak: str
) -> None:
    assert errors(of | {setting: WEAK[weak]}) == {setting}
    inside = found({"RXCHAT_SECRET_KEY": KEY, "RXCHAT_PASSWORD_PEPPER": PEPPER} | {setting: WEAK[weak]})
    assert [(finding.severity, finding.setting) for finding in inside] == [("warning", setting)]


@pytest.mark.parametrize("secret", [None, "short", made(b"x" * 31), "!" * 44, made(bytes(32))[:20], "é" * 44])
@pytest.mark.parametrize("setting", ["RXCHAT_SECRET_KEY", "RXCHAT_PASSWORD_PEPPER"])
def test_a_secret_that_is_missing_or_short_is_refused_everywhere(setting: str, secret: str | None) -> None:
    for values in (PUBLIC, CONTAINER, PUBLIC | {"RXCHAT_PUBLIC_URL": ""}):
        assert errors(values | {setting: secret}) == {setting}


def test_secrets_of_real_randomness_are_taken_for_weak_next_to_never() -> None:
    texts = [made(os.urandom(32)) for _ in range(200)] + [os.urandom(32).hex() for _ in range(20)]
    refused = [text for text in texts if errors(PUBLIC | {"RXCHAT_SECRET_KEY": text})]
    assert len(refused) <= 1


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "the same secret twice": ({"RXCHAT_PASSWORD_PEPPER": KEY}, "RXCHAT_PASSWORD_PEPPER"),
    "the same secret, unpadded": ({"RXCHAT_PASSWORD_PEPPER": KEY.rstrip("=")}, "RXCHAT_PASSWORD_PEPPER"),
    "http": ({"RXCHAT_PUBLIC_URL": "http://chat.example.org"}, "RXCHAT_PUBLIC_URL"),
    "http in capitals": ({"RXCHAT_PUBLIC_URL": "HTTP://chat.example.org"}, "RXCHAT_PUBLIC_URL"),
    "http to nearly localhost": ({"RXCHAT_PUBLIC_URL": "http://localhost.example.org"}, "RXCHAT_PUBLIC_URL"),
    "http to a neighbour": ({"RXCHAT_PUBLIC_URL": "http://192.168.1.5:8000"}, "RXCHAT_PUBLIC_URL"),
    "no scheme": ({"RXCHAT_PUBLIC_URL": "chat.example.org"}, "RXCHAT_PUBLIC_URL"),
    "a path": ({"RXCHAT_PUBLIC_URL": "https://chat.example.org/chat"}, "RXCHAT_PUBLIC_URL"),
    "a person in it": ({"RXCHAT_PUBLIC_URL": "https://me@chat.example.org"}, "RXCHAT_PUBLIC_URL"),
    "a port that is none": ({"RXCHAT_PUBLIC_URL": "https://chat.example.org:port"}, "RXCHAT_PUBLIC_URL"),
    "no address at all": ({"RXCHAT_HOST": "0.0.0.0", "RXCHAT_PUBLIC_URL": ""}, "RXCHAT_PUBLIC_URL"),
    "listening at a name": ({"RXCHAT_HOST": "chat-box"}, "RXCHAT_HOST"),
    "every origin": ({"RXCHAT_EXTRA_ORIGINS": "*"}, "RXCHAT_EXTRA_ORIGINS"),
    "every origin among others": ({"RXCHAT_EXTRA_ORIGINS": "https://a.example, *"}, "RXCHAT_EXTRA_ORIGINS"),
    "an origin over http": ({"RXCHAT_EXTRA_ORIGINS": "http://chat.internal"}, "RXCHAT_EXTRA_ORIGINS"),
    "loopback's pages": ({"RXCHAT_EXTRA_ORIGINS": "http://localhost:3000"}, "RXCHAT_EXTRA_ORIGINS"),
    "the origin of files": ({"RXCHAT_EXTRA_ORIGINS": "null"}, "RXCHAT_EXTRA_ORIGINS"),
    "a family of origins": ({"RXCHAT_EXTRA_ORIGINS": "https://*.example.org/x"}, "RXCHAT_EXTRA_ORIGINS"),
    "an origin and a policy": (
        {"RXCHAT_EXTRA_ORIGINS": "https://a.example; script-src data:"},
        "RXCHAT_EXTRA_ORIGINS",
    ),
    "no proxy": ({"RXCHAT_TRUSTED_PROXIES": ""}, "RXCHAT_TRUSTED_PROXIES"),
    "all of the world": ({"RXCHAT_TRUSTED_PROXIES": "0.0.0.0/0"}, "RXCHAT_TRUSTED_PROXIES"),
    "all of the new world": ({"RXCHAT_TRUSTED_PROXIES": "::/0"}, "RXCHAT_TRUSTED_PROXIES"),
    "half of the world, twice": ({"RXCHAT_TRUSTED_PROXIES": "0.0.0.0/1, 128.0.0.0/1"}, "RXCHAT_TRUSTED_PROXIES"),
    "a cheap hash": ({"RXCHAT_BCRYPT_ROUNDS": 9}, "RXCHAT_BCRYPT_ROUNDS"),
}


@pytest.mark.parametrize("name", BAD)
def test_outside_loopback_each_of_these_is_refused(name: str) -> None:
    changed, setting = BAD[name]
    values = PUBLIC | changed
    assert errors(values) == {setting}
    with pytest.raises(checks.InsecureSettings) as refused:
        checks.require_secure(settings(values))
    assert {finding.setting for finding in refused.value.findings} == {setting}


@pytest.mark.parametrize("name", ["no proxy", "all of the world", "a cheap hash", "http to a neighbour"])
def test_a_container_that_listens_everywhere_is_outside_too(name: str) -> None:
    changed, setting = BAD[name]
    assert errors(CONTAINER | changed) == {setting}


@pytest.mark.parametrize("origins", ["*", "null", "chat.internal", "https://chat.internal/x"])
def test_an_origin_that_is_none_is_refused_on_this_machine_too(origins: str) -> None:
    assert errors({"RXCHAT_EXTRA_ORIGINS": origins}) == {"RXCHAT_EXTRA_ORIGINS"}


@pytest.mark.parametrize("name", ["an origin over http", "all of the world", "a cheap hash"])
def test_on_this_machine_alone_they_are_advice(name: str) -> None:
    changed, setting = BAD[name]
    assert [(finding.severity, finding.setting) for finding in found(changed)] == [("warning", setting)]
    assert checks.require_secure(settings(changed)) == found(changed)


@pytest.mark.parametrize(
    ("changed", "setting"),
    [
        ({"RXCHAT_SESSION_ABSOLUTE_DAYS": 366}, "RXCHAT_SESSION_ABSOLUTE_DAYS"),
        ({"RXCHAT_SESSION_IDLE_DAYS": 366}, "RXCHAT_SESSION_IDLE_DAYS"),
    ],
)
def test_some_things_are_only_advice(changed: dict[str, Any], setting: str) -> None:
    assert [(finding.severity, finding.setting) for finding in found(PUBLIC | changed)] == [("warning", setting)]


def test_every_finding_says_what_is_wrong_and_what_to_do_without_a_secret() -> None:
    cases = [PUBLIC | changed for changed, _ in BAD.values()]
    cases += [PUBLIC | {"RXCHAT_SECRET_KEY": weak} for weak in WEAK.values()]
    for finding in (finding for values in cases for finding in found(values)):
        line = str(finding)
        assert re.fullmatch(r"[A-Z_]+ \w[^\n]*\. [A-Z][^\n]*", line), line
        assert not any(secret in line for secret in (KEY, PEPPER, *WEAK.values()))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with nothing set but a data folder."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    monkeypatch.setenv("RXCHAT_DATA", str(tmp_path / "data"))
    return monkeypatch


@pytest.mark.parametrize("command", ["up", "web"])
def test_it_does_not_start_and_says_every_reason_on_a_line(environment, capsys, tmp_path: Path, command: str) -> None:
    for name, value in {"RXCHAT_HOST": "0.0.0.0", "RXCHAT_EXTRA_ORIGINS": "*", "RXCHAT_BCRYPT_ROUNDS": "4"}.items():
        environment.setenv(name, value)
    assert main([command]) == 1
    printed = capsys.readouterr()
    said = [line.split()[:2] for line in printed.err.strip().splitlines()]
    settings = ["RXCHAT_PUBLIC_URL", "RXCHAT_EXTRA_ORIGINS", "RXCHAT_TRUSTED_PROXIES", "RXCHAT_BCRYPT_ROUNDS"]
    assert said == [["rxchat:", setting] for setting in settings]
    assert printed.out == "" and not (tmp_path / "data").exists()


@pytest.mark.parametrize("is_public", [False, True])
def test_a_key_that_would_be_sent_unencrypted_is_found(is_public: bool) -> None:
    hosts = "far=http://models.example.com/v1, safe=https://models.example.com/v1, near=http://gpu-1:8000/v1"
    values = (PUBLIC if is_public else {}) | {"OPENAI_HOSTS": hosts, "OPENAI_KEYS": "far=a, safe=b, near=c"}
    (finding,) = [item for item in found(values) if item.setting == "OPENAI_HOSTS"]
    assert "models of far," in finding.problem and finding.severity == ("error" if is_public else "warning")


def test_checking_says_what_is_wrong_and_what_is_fine(environment, capsys) -> None:
    assert main(["check"]) == 0
    printed = capsys.readouterr().out
    assert "Only this machine can reach it." in printed and printed.rstrip().endswith(
        "RxChat can start with these settings."
    )
    subjects = {checked.subject for checked in checks.run_checks(settings({}))}
    assert {line.split(":")[0] for line in printed.splitlines() if line.startswith("fine")} == {
        f"fine     {subject}" for subject in subjects
    }
    for name, value in PUBLIC.items():
        environment.setenv(name, value)
    environment.setenv("RXCHAT_SESSION_ABSOLUTE_DAYS", "400")
    assert main(["check"]) == 0
    assert "warning  Sessions: RXCHAT_SESSION_ABSOLUTE_DAYS is 400" in capsys.readouterr().out
    environment.setenv("RXCHAT_TRUSTED_PROXIES", "0.0.0.0/0")
    assert main(["check"]) == 1
    printed = capsys.readouterr().out
    assert "error    Proxies: RXCHAT_TRUSTED_PROXIES contains 0.0.0.0/0" in printed
    assert "fine     Secrets" in printed and printed.rstrip().endswith("1 of the findings are errors.")


@pytest.mark.parametrize("path", ["/chat", "/chat/", "/tools/chat"])
def test_an_address_below_a_path_is_refused_and_a_name_of_its_own_is_asked_for(environment, capsys, path: str) -> None:
    for name, value in (PUBLIC | {"RXCHAT_PUBLIC_URL": f"https://example.org{path}"}).items():
        environment.setenv(name, value)
    assert main(["check"]) == 1
    printed = capsys.readouterr().out
    assert "cannot be served below a path of https://example.org." in printed
    assert "Use a separate host name" in printed


@pytest.mark.parametrize("proxies", ["10.0.0.1/8", "nonsense", "10.0.0.0/33", "proxy.example.org"])
def test_a_proxy_that_is_no_network_is_one_clear_line(environment, capsys, proxies: str) -> None:
    environment.setenv("RXCHAT_TRUSTED_PROXIES", proxies)
    assert main(["check"]) == 1
    assert {line.split()[1] for line in capsys.readouterr().err.splitlines()} == {"RXCHAT_TRUSTED_PROXIES:"}


@pytest.fixture
def insecure(tmp_path: Path) -> dict[str, str]:
    """The environment of a process that must not serve."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RXCHAT_")}
    return environment | {"RXCHAT_DATA": str(tmp_path), "RXCHAT_PUBLIC_URL": "http://chat.example.org"}


def ended(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_whoever_starts_the_app_in_another_way_is_refused_too(insecure: dict[str, str]) -> None:
    serving = ["-m", "uvicorn", "rxchat.rxchat:app", "--factory", "--port", str(free_port())]
    refused = ended(insecure | {"REFLEX_ENV_MODE": "prod", "__REFLEX_SKIP_COMPILE": "true"}, *serving)
    assert refused.returncode != 0
    assert "RXCHAT_PUBLIC_URL is http://chat.example.org" in refused.stdout + refused.stderr


def test_reflex_run_ends_before_it_starts_anything(insecure: dict[str, str]) -> None:
    refused = ended(insecure | {"REFLEX_ENV_MODE": "dev"}, "-c", "import rxchat.rxchat")
    assert refused.returncode == 1
    said = [line.split()[:2] for line in refused.stderr.strip().splitlines()]
    assert said == [["rxchat:", "RXCHAT_PUBLIC_URL"], ["rxchat:", "RXCHAT_TRUSTED_PROXIES"]]


def test_the_containers_pass_their_own_check() -> None:
    image = dict(re.findall(r"(RXCHAT_[A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text()))
    assert image["RXCHAT_HOST"] == "0.0.0.0"
    compose = (ROOT / "compose.yaml").read_text()
    shared = compose.partition("services:\n")[0]
    given = dict(re.findall(r"^ +([A-Z][A-Z_]+): (.+)$", shared, re.MULTILINE))
    printed = subprocess.run(
        [sys.executable, "-m", "rxchat", "secrets"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    env_file = dict(re.findall(r"^([A-Z_]+)=(\S+)$", printed, re.MULTILINE))
    composed = {name: value.strip('"') for name, value in given.items()}
    for _ in range(2):
        # The innermost first: a default may name another variable.
        composed = {
            name: re.sub(r"\$\{(\w+):[-?]([^{}]*)\}", lambda found: env_file.get(found[1], found[2]), value)
            for name, value in composed.items()
        }
    assert errors(image) == errors(image | env_file | composed) == set()
    assert "${RXCHAT_HTTP_PORT:-127.0.0.1:8000}:80" in compose
    # Every setting comes through the file; the rights to migrate do not come to what serves.
    assert "env_file: [.env]" in shared and "rxchat_owner" not in shared
    withheld = ("POSTGRES_PASSWORD", "RXCHAT_DB_OWNER_PASSWORD", "DATABASE_OWNER_URL")
    assert {composed[name] for name in withheld} == {""}


def test_secrets_are_new_each_time_and_pass_the_check(capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for _ in range(2):
        assert main(["secrets"]) == 0
        made.append(dict(re.findall(r"^([A-Z_]+)=(\S+)$", capsys.readouterr().out, re.MULTILINE)))
    assert made[0].keys() == made[1].keys() and len(set(made[0].values()) & set(made[1].values())) == 1
    assert errors(PUBLIC | made[0] | {"RXCHAT_PUBLIC_URL": "https://chat.example.org"}) == set()


@pytest.mark.parametrize(
    ("host", "is_reached"),
    [("127.0.0.1", False), ("localhost", False), ("::1", False), ("0.0.0.0", True), ("::", True), ("192.0.2.7", True)],
)
def test_it_says_whether_other_machines_reach_where_it_listens(host: str, is_reached: bool) -> None:
    (listening,) = [
        item
        for item in checks.run_checks(Settings.model_validate({"RXCHAT_HOST": host}))
        if item.subject == "Listening"
    ]
    assert host in listening.fine and listening.findings == ()
    assert ("other machines can reach" in listening.fine) == is_reached


def test_root_is_told_to_make_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rxchat.checks.os.geteuid", lambda: 0)
    (finding,) = found({})
    assert (finding.severity, finding.setting) == ("warning", "The user") and "useradd" in finding.remedy


WITH_SCRAM = "postgresql://web@db/rxchat?require_auth=scram-sha-256"


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        ("postgresql://web@db/rxchat", "error"),
        ("postgresql://web@db/rxchat?sslmode=require", "error"),
        ("postgresql://web@db/rxchat?sslmode=verify-ca", "error"),
        ("postgresql://web@db,localhost/rxchat", "error"),
        ("host=db dbname=rxchat", "error"),
        ("no address at all", "error"),
        (WITH_SCRAM, "warning"),
        ("postgresql://web@127.0.0.1/rxchat", "warning"),
        ("postgresql://web@127.0.0.1/rxchat?require_auth=scram-sha-256", ""),
        ("postgresql://web@/rxchat?host=/run/postgresql", ""),
        ("postgresql+psycopg://web@db/rxchat?sslmode=verify-full", ""),
    ],
)
def test_a_databases_password_goes_to_the_database_alone(url: str, severity: str) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        said = [finding.severity for finding in found(PUBLIC | {name: url}) if finding.setting == name]
        assert said == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("url", "severities"),
    [
        ("redis://cache:6379/0", ["error", "warning"]),
        ("redis://:secret@cache:6379/0", ["warning"]),
        ("rediss://:secret@cache:6379/0", []),
        ("redis://127.0.0.1:6379/0", ["warning"]),
        ("redis://:secret@127.0.0.1:6379/0", []),
        ("unix:///run/valkey.sock", []),
    ],
)
def test_redis_asks_for_a_password_and_is_reached_by_tls(url: str, severities: list[str]) -> None:
    said = [finding.severity for finding in found(PUBLIC | {"REDIS_URL": url}) if finding.setting == "REDIS_URL"]
    assert said == severities
