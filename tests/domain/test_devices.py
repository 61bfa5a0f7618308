"""The names of devices."""

from __future__ import annotations

import pytest

from rxchat.domain.devices import device_name, is_handheld

_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)"
AGENTS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 "
    "Safari/605.1.15": "Safari on a Mac",
    f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/138.0.0.0 Safari/537.36": "Chrome on Linux",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0": "Edge on Windows",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/138.0.0.0 Mobile Safari/537.36": "Chrome on Android",
    f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {_WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile "
    "Safari/537.36": "Samsung Internet on Android",
    f"{_IPHONE} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
    f"{_IPHONE} AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.0.0 Mobile/15E148 Safari/604.1": "Chrome on iPhone",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {_WEBKIT} Chrome/138.0.0.0 Safari/537.36": "Chrome on ChromeOS",
    "Mozilla/5.0 (X11; Linux x86_64)": "A browser on Linux",
    "python-httpx/0.28.1": "python-httpx",
    "curl/8.5.0": "curl",
    "": "An unknown browser",
    "<script>alert(1)</script>": "An unknown browser",
    "x" * 5000 + " Firefox/1": "An unknown browser",
}


@pytest.mark.parametrize(("user_agent", "name"), AGENTS.items())
def test_a_device_is_called_by_its_browser_and_its_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_phones_and_tablets_are_handheld() -> None:
    assert is_handheld(_IPHONE)
    assert not is_handheld("Mozilla/5.0 (X11; Linux x86_64)")
