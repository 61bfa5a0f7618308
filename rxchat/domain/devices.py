"""The names of devices, from what their browsers say about themselves (User-Agent)."""

from __future__ import annotations

import re

_LONGEST = 300
_BROWSERS = (
    (r"\bEdg(?:e|A|iOS)?/", "Edge"),
    (r"\bOPR/|\bOpera\b", "Opera"),
    (r"\bVivaldi/", "Vivaldi"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\bFirefox/|\bFxiOS/", "Firefox"),
    (r"\bHeadlessChrome/|\bChrom(?:e|ium)/|\bCriOS/", "Chrome"),
    (r"\bVersion/[\d.]+.*\bSafari/", "Safari"),
)
_SYSTEMS = (
    (r"\biPhone\b", "iPhone"),
    (r"\biPad\b", "iPad"),
    (r"\bAndroid\b", "Android"),
    (r"\bCrOS\b", "ChromeOS"),
    (r"\bWindows\b", "Windows"),
    (r"\bMacintosh\b|\bMac OS X\b", "a Mac"),
    (r"\bLinux\b|\bX11\b", "Linux"),
)
_HANDHELD = {"iPhone", "iPad", "Android"}
_PROGRAM = re.compile(r"[\w.-]{2,40}(?=/|$)", re.ASCII)


def device_name(user_agent: str) -> str:
    """Return the name of a device: "Firefox on Windows", "python-httpx", "An unknown browser"."""
    text = user_agent[:_LONGEST]
    browser, system = _first(_BROWSERS, text), _first(_SYSTEMS, text)
    if browser and system:
        return f"{browser} on {system}"
    if browser or system:
        return browser or f"A browser on {system}"
    program = _PROGRAM.match(text)
    return program[0] if program else "An unknown browser"


def is_handheld(user_agent: str) -> bool:
    """Whether a device is a phone or a tablet."""
    return _first(_SYSTEMS, user_agent[:_LONGEST]) in _HANDHELD


def _first(names: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, text, re.ASCII)), "")
