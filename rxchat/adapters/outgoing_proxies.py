"""Chooses the proxy of the environment (HTTP_PROXY, ALL_PROXY, NO_PROXY) for an address; none on this network.

An external proxy cannot reach a loopback or private address, or reaches another machine with that address.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

_PRIVATE_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def proxy_for(url: str) -> str | None:
    """Return the environment's proxy for an address; None without one, and for addresses on this network."""
    address = urlsplit(url)
    if not address.hostname or is_on_this_network(address.hostname) or proxy_bypass(address.hostname):
        return None
    proxies = getproxies()
    return proxies.get(address.scheme) or proxies.get("all")


def is_on_this_network(hostname: str) -> bool:
    """Whether a host is this machine or in its private network, by its address or name."""
    name = hostname.strip("[]").rstrip(".").lower()
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        # Names without a dot, such as those of containers, exist on this network only.
        return "." not in name or name.endswith(_PRIVATE_ENDINGS)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_loopback or mapped.is_private or mapped.is_link_local


def without_credentials(url: str) -> str:
    """Return an address without the user name and password in it, which users must not see."""
    address = urlsplit(url)
    return urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))
