"""Addresses of services in the settings, validated at the start instead of at the first request."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

OLLAMA_PORT = 11_434
HTTP = ("http", "https")
SRV_PREFIX = "srv+"
"""Before the scheme of an address whose name has an SRV record with the hosts."""
_MODEL_HOSTS = (*HTTP, *(f"{SRV_PREFIX}{scheme}" for scheme in HTTP))


def service_url(text: str, schemes: Collection[str] = HTTP) -> str:
    """Return a service's address without its trailing slash.

    Raises:
        ValueError: when it is invalid; the message does not contain the address, since it may contain a password.
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
    # Clients of other schemes use this machine if the host is missing.
    if not found.hostname and found.scheme in HTTP:
        raise ValueError(f"must name a host, as in {example}")
    return text.rstrip("/")


def model_host(text: str) -> str:
    """Return the address of a model host, which may be written like OLLAMA_HOST: "gpu-1" is http://gpu-1:11434.

    Raises:
        ValueError: when it is invalid.
    """
    if text.startswith(SRV_PREFIX):
        return srv_url(text)
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


def srv_url(text: str) -> str:
    """Return an address like srv+http://_ollama._tcp.example.org, whose SRV record has the hosts and their ports.

    Raises:
        ValueError: when it is invalid.
    """
    found = urlsplit(service_url(text, _MODEL_HOSTS))
    if not found.hostname:
        raise ValueError("must name an SRV record, as in srv+http://_ollama._tcp.example.org")
    if found.port is not None:
        raise ValueError("must have no port: the SRV record has the ports")
    if found.query or found.fragment:
        raise ValueError("must be addresses without ? and #")
    return found.geturl()
