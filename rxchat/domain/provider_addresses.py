"""Which addresses of model providers administrators may enter: none at which clouds keep the secrets of their machines."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from rxchat.domain.errors import InvalidInput
from rxchat.domain.service_urls import SRV_PREFIX, service_url, srv_url

LONGEST_URL = 500
LONGEST_URLS = 2_000
"""The maximum length of the addresses of several hosts together."""
MOST_HOSTS = 32
_PLACES_OF_SECRETS = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254"))
)
"""Metadata services that are not link-local: Alibaba, Azure, Oracle, Amazon and Google over IPv6."""
_NAMES_OF_SECRETS = frozenset({"metadata", "metadata.google.internal", "metadata.goog", "instance-data"})
_EMBEDDED_IPV4 = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96")))
"""Networks of IPv6 whose last 32 bits are an address of IPv4 (NAT64, and the old compatible form)."""

_OWN = "On RxChat’s own machine"
_OUTSIDE = "Outside of this network: conversations with its models leave it"
_REFUSED = "This address belongs to the machine's cloud or to no server, so RxChat does not connect to it. Enter the address of a model server."


def checked_url(text: str) -> str:
    """Return the base URL of a provider, without its trailing slash; for Ollama, it may name an SRV record (srv+http://).

    Raises:
        InvalidInput: when it is none, contains a password, or is an address to which RxChat does not connect.
    """
    url = text.strip()
    if len(url) > LONGEST_URL:
        raise InvalidInput(f"The address may have at most {LONGEST_URL} characters.", field="url")
    try:
        url = srv_url(url) if url.startswith(SRV_PREFIX) else service_url(url)
    except ValueError as error:
        raise InvalidInput(f"The address {error}.", field="url") from error
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise InvalidInput(
            "Enter the address without a user name and password: there is a field for the key.", field="url"
        )
    if parts.fragment or parts.query:
        raise InvalidInput("Enter the address without “?” and “#”.", field="url")
    if is_refused(parts.hostname or ""):
        raise InvalidInput(_REFUSED, field="url")
    return url


def urls_of(text: str) -> list[str]:
    """Return the addresses in a text, which are separated by commas or spaces."""
    return list(dict.fromkeys(re.split(r"[,\s]+", text.strip(", \t\r\n"))))


def checked_urls(text: str) -> str:
    """Return the base URLs of several hosts with one set of models, separated by commas; an SRV record is one of them.

    Raises:
        InvalidInput: when one is none, or there are too many.
    """
    given = urls_of(text)
    if len(given) > MOST_HOSTS or len(text) > LONGEST_URLS:
        raise InvalidInput(
            f"Enter at most {MOST_HOSTS} addresses, with {LONGEST_URLS:,} characters in all.", field="url"
        )
    return ", ".join(dict.fromkeys(map(checked_url, given)))


def is_refused(host: str) -> bool:
    """Whether RxChat does not connect to a host, by its name or its address; a name may also lead to a refused address."""
    name = host.strip("[]").rstrip(".").lower().partition("%")[0]
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return name in _NAMES_OF_SECRETS
    return any(map(_is_refused, _meanings(found)))


def origin_of(url: str) -> str:
    """Return the scheme, host and port of an address, or of several ones in any order: where a key is sent."""
    return " ".join(sorted({_origin_of(item) for item in urls_of(url)}))


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _meanings(address: _Address) -> list[_Address]:
    """Return an address, and the ones of IPv4 that it stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    others = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if any(address in network for network in _EMBEDDED_IPV4) and not (address.is_loopback or address.is_unspecified):
        others.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(item for item in others if item is not None)]


def _is_refused(address: _Address) -> bool:
    return address in _PLACES_OF_SECRETS or address.is_link_local or address.is_multicast or address.is_unspecified


def where_it_is(url: str) -> str:
    """Return where a provider's models run, and whether what users write is sent unencrypted, in words.

    Of several addresses, it is what is said about the one that is farthest away.
    """
    return max(map(_where_it_is, urls_of(url)), key=lambda words: (words.startswith(_OUTSIDE), words != _OWN, words))


def _where_it_is(url: str) -> str:
    parts = urlsplit(url)
    name = (parts.hostname or "").rstrip(".").lower()
    try:
        found = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        is_own = name == "localhost" or name.endswith(".localhost")
        is_private = "." not in name or name.endswith((".local", ".internal", ".lan", ".home.arpa"))
    else:
        is_own, is_private = found.is_loopback, found.is_private
    if is_own:
        return _OWN
    if is_private:
        return "In a private network"
    return f"{_OUTSIDE}, unencrypted" if parts.scheme.removeprefix(SRV_PREFIX) == "http" else _OUTSIDE
