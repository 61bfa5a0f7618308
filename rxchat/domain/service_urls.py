"""Addresses of services that an operator sets: what they consist of, checked at the start and not at the first request."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

OLLAMA_PORT = 11_434
HTTP = ("http", "https")


def service_url(text: str, schemes: Collection[str] = HTTP) -> str:
    """Return an address without its last slash, if it is one of a service.

    Raises:
        ValueError: when it is not; the sentence quotes nothing of it, since it may hold a password.
    """
    allowed, example = " or ".join(f"{scheme}://" for scheme in schemes), f"{next(iter(schemes))}://host:port"
    try:
        found = urlsplit(text)
        port = found.port
    except ValueError:
        raise ValueError(f"must be an address like {example}, with a port from 1 to 65535") from None
    if found.scheme not in schemes:
        raise ValueError(f"must begin with {allowed}")
    if port == 0 or any(sign.isspace() or not sign.isprintable() for sign in text):
        raise ValueError(f"must be an address like {example}, with a port from 1 to 65535")
    # Clients of the others take one without a host for this machine.
    if not found.hostname and found.scheme in HTTP:
        raise ValueError(f"must name a host, as in {example}")
    return text.rstrip("/")


def model_host(text: str) -> str:
    """Return the address of a model host, which may be written as OLLAMA_HOST is: "gpu-1" is http://gpu-1:11434.

    Raises:
        ValueError: when it is none.
    """
    if "://" in text:
        found = service_url(text)
    else:
        found = service_url(f"http://{text}" if not text.startswith(":") else f"http://127.0.0.1{text}")
        parts = urlsplit(found)
        if parts.port is None:
            found = parts._replace(netloc=f"{parts.netloc.rstrip(':')}:{OLLAMA_PORT}").geturl()
    if urlsplit(found).query or urlsplit(found).fragment:
        raise ValueError("must be addresses without ? and #")
    return found
