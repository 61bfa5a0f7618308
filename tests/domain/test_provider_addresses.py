"""Addresses of providers: one, or several hosts of Ollama with the same models."""

from __future__ import annotations

import pytest

from rxchat.domain.errors import InvalidInput
from rxchat.domain.model_providers import ProviderDraft, checked_connection
from rxchat.domain.provider_addresses import MOST_HOSTS, checked_urls, origin_of, where_it_is


def test_several_addresses_are_kept_in_order_and_once() -> None:
    assert checked_urls(" http://b:1/, http://a:2\nhttp://b:1 ") == "http://b:1, http://a:2"
    assert checked_urls("srv+https://_ollama._tcp.example.org/") == "srv+https://_ollama._tcp.example.org"
    assert origin_of("http://b:1/x, https://a") == origin_of("https://a/y http://b:1") == "http://b:1 https://a:443"
    assert origin_of("http://a/v1") == "http://a:80"


@pytest.mark.parametrize(
    "text",
    [
        "", "http://a, ftp://b", "http://a, http://169.254.169.254", "srv+http://metadata.google.internal", "srv+http://a:80",
        "http://user:pass@a", ",".join(f"http://h{number}" for number in range(MOST_HOSTS + 1)),
    ],
)  # fmt: skip
def test_one_wrong_address_refuses_all(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked_urls(text)
    assert refusal.value.field == "url"


def test_only_ollama_has_several_hosts() -> None:
    several = "http://a:1, http://b:1"
    assert checked_connection(ProviderDraft("gpu", "ollama", several), "", {}).url == several
    for kind, url in (("openai", several), ("anthropic", "srv+http://_x._tcp.example.org")):
        with pytest.raises(InvalidInput, match="Only Ollama"):
            checked_connection(ProviderDraft("gpu", kind, url), "", {})


def test_what_is_said_is_about_the_farthest_host() -> None:
    assert where_it_is("http://localhost:1, http://gpu-1:1") == "In a private network"
    assert where_it_is("http://localhost:1") == "On RxChat’s own machine"
    assert where_it_is("https://api.example.org, http://gpu-1").startswith("Outside of this network")
    assert where_it_is("srv+http://_ollama._tcp.example.org").endswith("unencrypted")
