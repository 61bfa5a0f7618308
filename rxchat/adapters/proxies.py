"""Which proxy of the environment (HTTP_PROXY, ALL_PROXY, NO_PROXY) is used for an address: never for one on this network.

A proxy out there cannot reach the loopback or a private address, or reaches another machine's.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def proxy_for(url: str) -> str | None:
    """Return the proxy that the environment names for an address; None for none, and on this network."""
    address = urlsplit(url)
    if not address.hostname or is_on_this_network(address.hostname) or proxy_bypass(address.hostname):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")


def is_on_this_network(hostname: str) -> bool:
    """Whether a host is this machine or one of its private network, by its address or its name."""
    name = hostname.strip("[]").rstrip(".").lower()
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # A name without a dot is known to this network alone, as those of containers are.
        return "." not in name or name.endswith(_PRIVATE_ENDINGS)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or mapped.is_private or mapped.is_link_local


def without_credentials(url: str) -> str:
    """Return an address as users may see it: a user and a password in it are for the server alone."""
    address = urlsplit(url)
    return urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))
