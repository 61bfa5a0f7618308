"""Settings from the environment, and what a start is refused for."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from rxchat.__main__ import main
from rxchat.connections import ConfigurationError, connections, needs_embedded
from rxchat.settings import Settings

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()


def settings(**values: object) -> Settings:
    return Settings.model_validate(values)


def test_hosts_are_written_as_ollama_writes_them() -> None:
    assert settings(OLLAMA_HOSTS="gpu-1:11434, http://gpu-2:11434/ ,").ollama_hosts == (
        "http://gpu-1:11434",
        "http://gpu-2:11434",
    )


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("localhost:11434", "http://localhost:11434"),
        ("localhost", "http://localhost:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("gpu/", "http://gpu:11434"),
        ("[::1]", "http://[::1]:11434"),
        ("[::1]:5", "http://[::1]:5"),
        ("team:pass@gpu", "http://team:pass@gpu:11434"),
        ("gpu/ollama", "http://gpu:11434/ollama"),
        ("http://gpu", "http://gpu"),
        ("https://team:p%40ss@gpu:1/x/", "https://team:p%40ss@gpu:1/x"),
        ("srv+http://_ollama._tcp.example.org/", "srv+http://_ollama._tcp.example.org"),
    ],
)
def test_a_model_host_may_be_written_as_ollamas_client_takes_it(written: str, address: str) -> None:
    assert settings(OLLAMA_HOSTS=written).ollama_hosts == (address,)


def test_servers_with_openais_api_have_names_and_some_of_them_keys() -> None:
    found = settings(
        OPENAI_HOSTS="gpu=http://gpu-1:8000/v1/, open-router=https://openrouter.ai/api/v1?x=1 ,",
        OPENAI_KEYS="open-router=sk-a=b",
    )
    assert found.openai_hosts == {"gpu": "http://gpu-1:8000/v1", "open-router": "https://openrouter.ai/api/v1?x=1"}
    assert {name: key.get_secret_value() for name, key in found.openai_keys.items()} == {"open-router": "sk-a=b"}
    assert (
        not found.needs_demo_model and settings().needs_demo_model and not settings(OLLAMA_HOSTS="gpu").needs_demo_model
    )


@pytest.mark.parametrize(
    ("hosts", "keys", "problem"),
    [
        ("http://gpu:8000/v1", "", "must be pairs"),
        ("Gpu=http://gpu:8000/v1", "", "must be pairs"),
        ("a/b=http://gpu:8000/v1", "", "must be pairs"),
        ("gpu=http://one/v1, gpu=http://two/v1", "", "must be pairs"),
        ("gpu=", "", "must be pairs"),
        ("gpu=ftp://canary:x@gpu/v1", "", "must begin with http"),
        ("gpu=http://169.254.169.254/v1", "", "link-local"),
        ("gpu=http://[fe80::1]/v1", "", "link-local"),
        ("gpu=http://gpu/v1", "cpu=sk-canary", "which OPENAI_HOSTS does not name"),
        ("gpu=http://gpu/v1", "sk-canary", "must be pairs"),
    ],
)
def test_providers_that_are_none_are_refused_in_a_sentence_without_their_words(
    hosts: str, keys: str, problem: str
) -> None:
    with pytest.raises(ValidationError) as found:
        settings(OPENAI_HOSTS=hosts, OPENAI_KEYS=keys)
    assert [problem in str(error["msg"]) and "canary" not in error["msg"] for error in found.value.errors()] == [True]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("OLLAMA_HOSTS", value)
            for value in (
                "foo://bar", "ftp://bar", "srv+ftp://bar", "srv+http://", "srv+http://a:80", "srv+http://a?b", "://bar", "http://", "http://:80", "http://u:canary@h:99999999", "h:99999999", "h:0",
                "h:port", "::1", "http://[::1", "http://a b", "http://h/?canary=1", "http://h#canary", "good:1, foo://bar",
            )
        ),
        *((name, "foo://u:canary@bar") for name in (
            "RXCHAT_EMBEDDING_URL", "RXCHAT_RERANKER_URL", "S3_ENDPOINT", "REDIS_URL", "RXCHAT_SMTP_URL",
        )),
        ("REDIS_URL", "redis://h:99999999"),
        ("RXCHAT_SMTP_URL", "smtp://u:canary@h:port"),
        ("S3_ENDPOINT", "s3.example.org"),
    ],
)  # fmt: skip
def test_an_address_of_no_service_is_refused_in_a_sentence_without_its_words(name: str, value: str) -> None:
    with pytest.raises(ValidationError) as found:
        settings(**{name: value}, S3_ACCESS_KEY="a", S3_SECRET_KEY="b")
    (problem,) = found.value.errors()
    assert problem["loc"] == (name,) and "must" in problem["msg"] and "canary" not in problem["msg"]


def test_the_address_is_the_public_one_or_where_it_listens() -> None:
    assert settings(RXCHAT_PORT=9000).base_url == "http://127.0.0.1:9000"
    assert settings(RXCHAT_PUBLIC_URL="https://chat.example.org/").base_url == "https://chat.example.org"


def test_with_everything_set_nothing_embedded_is_needed(tmp_path: Path) -> None:
    everything = settings(
        DATABASE_URL="postgresql://a@b/c",
        REDIS_URL="redis://d",
        OLLAMA_HOSTS="e",
        RXCHAT_SECRET_KEY=KEY,
        RXCHAT_PASSWORD_PEPPER=KEY,
        RXCHAT_DATA=tmp_path,
    )
    assert not needs_embedded(everything)
    at = connections(everything)
    assert (at.database_url, at.database_owner_url, at.redis_url) == (
        "postgresql://a@b/c",
        "postgresql://a@b/c",
        "redis://d",
    )
    assert (at.ollama_hosts, at.demo_hosts, at.secret_key) == (("http://e:11434",), (), b"k" * 32)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "RXCHAT_SECRET_KEY is required"),
        ({"RXCHAT_SECRET_KEY": "short"}, "RXCHAT_SECRET_KEY must be 32 random bytes"),
        ({"RXCHAT_SECRET_KEY": KEY}, "RXCHAT_PASSWORD_PEPPER is required"),
        (
            {"RXCHAT_SECRET_KEY": KEY, "RXCHAT_PASSWORD_PEPPER": "!" * 44},
            "RXCHAT_PASSWORD_PEPPER must be 32 random bytes",
        ),
    ],
)
def test_a_database_of_ones_own_demands_secrets_of_ones_own(tmp_path: Path, values, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        connections(settings(DATABASE_URL="postgresql://a@b/c", RXCHAT_DATA=tmp_path, **values))


def test_without_a_database_the_way_to_get_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"DATABASE_URL.*make run"):
        connections(settings(RXCHAT_DATA=tmp_path))


def test_secrets_never_show_in_a_printed_setting() -> None:
    assert KEY not in repr(settings(RXCHAT_SECRET_KEY=KEY))


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment with a database that is away and nothing else wrong."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9",
        "OLLAMA_HOSTS": "127.0.0.1:9",
        "RXCHAT_SECRET_KEY": KEY,
        "RXCHAT_PASSWORD_PEPPER": KEY,
        "RXCHAT_DATA": str(tmp_path / "data"),
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize("command", ["web", "migrate"])
def test_a_database_that_is_away_at_the_start_is_one_clear_line(environment, capsys, command: str) -> None:
    assert environment
    assert main([command]) == 1
    printed = capsys.readouterr().err.strip()
    assert printed.startswith("rxchat: The database does not respond:") and "refused" in printed
    assert "\n" not in printed and "secret" not in printed


def test_a_setting_that_makes_no_sense_is_one_clear_line(environment, capsys) -> None:
    environment.setenv("RXCHAT_PORT", "70000")
    assert main(["web"]) == 1
    printed = capsys.readouterr().err.strip()
    assert printed == "rxchat: RXCHAT_PORT: Input should be less than or equal to 65535"
