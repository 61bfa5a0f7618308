"""Calls to a sign-in provider, with timeouts and size limits; maps each failure to a ProviderError."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc.errors import JoseError

from rxchat import __version__
from rxchat.adapters.tls import trusted
from rxchat.domain.errors import InvalidProviderResponse, ProviderError, ProviderRefused, ProviderUnavailable
from rxchat.domain.sign_in_providers import AuthorizationRequest

log = structlog.get_logger(__name__)

CALL_SECONDS = 10.0
LARGEST_ANSWER = 512 * 1024
_LONGEST_CODE = 4096

# Error codes for temporary failures of the provider; and those for an expired, used or invalid authorization code.
_PASSING = frozenset({"server_error", "temporarily_unavailable", "slow_down"})
_STALE = frozenset({"invalid_grant", "bad_verification_code", "access_denied"})


class UntrustedResponse(ValueError):
    """An answer that cannot be trusted; the reason is for the log only."""


class Calls:
    """Calls one provider as one OAuth client."""

    def __init__(self, client_id: str, *, seconds: float = CALL_SECONDS) -> None:
        self.client_id = client_id
        self._seconds = seconds

    def departure(
        self, provider: str, endpoint: str, redirect_uri: str, *, scope: str, has_pkce: bool = True, **more: str
    ) -> AuthorizationRequest:
        """Create an authorization request, with new secrets that bind the answer to this browser."""
        state, nonce = generate_token(43), more.pop("nonce", "")
        code_verifier = generate_token(64) if has_pkce else ""
        url, _ = self._client().create_authorization_url(
            endpoint,
            state=state,
            code_verifier=code_verifier or None,
            redirect_uri=redirect_uri,
            scope=scope,
            nonce=nonce or None,
            **more,
        )
        return AuthorizationRequest(provider, url, state, nonce, code_verifier, redirect_uri)

    async def tokens(
        self, endpoint: str, departure: AuthorizationRequest, code: str, *, secret: str, method: str
    ) -> Mapping[str, Any]:
        """Exchange an authorization code for tokens."""
        more = {"code_verifier": departure.code_verifier} if departure.code_verifier else {}
        async with asyncio.timeout(self._seconds), self._client(secret, method) as client:
            client.register_compliance_hook("access_token_response", _checked)
            return await client.fetch_token(
                endpoint,
                grant_type="authorization_code",
                code=code,
                redirect_uri=departure.redirect_uri,
                **more,
            )

    async def read(self, url: str, *, bearer: str = "", accept: str = "application/json") -> Any:
        """Return the JSON at a URL."""
        headers = {"Accept": accept} | ({"Authorization": f"Bearer {bearer}"} if bearer else {})
        async with asyncio.timeout(self._seconds), self._client() as client:
            response = await client.request("GET", url, withhold_token=True, headers=headers)
            response.raise_for_status()
            return response.json()

    def _client(self, secret: str = "", method: str = "none") -> Any:
        # A client for each call: it stores tokens and cookies, and those of two users must not mix.
        # (Any: its types are incomplete.)
        return AsyncOAuth2Client(
            self.client_id,
            secret,
            token_endpoint_auth_method=method,
            code_challenge_method="S256",
            verify=trusted(),
            timeout=self._seconds,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity", "User-Agent": f"RxChat/{__version__}"},
            event_hooks={"response": [_limit]},
        )


def check_state(provider: str, departure: AuthorizationRequest, answer: Mapping[str, str]) -> None:
    """Check the `state` of an answer. Call before any other field is read.

    Raises:
        UntrustedResponse: if it is not that of this authorization request.
    """
    is_ours = hmac.compare_digest(answer.get("state", "").encode(), departure.state.encode())
    if not is_ours or not departure.state or departure.provider != provider:
        raise UntrustedResponse("the state does not match this authorization request")


def code_of(
    departure: AuthorizationRequest, answer: Mapping[str, str], issuers: Collection[str], *, names_issuer: bool = False
) -> str:
    """Return the authorization code of an answer whose state has been checked.

    Raises:
        ProviderError: if the provider refused the sign-in.
        UntrustedResponse: if it is another issuer's (RFC 9207), or has no code.
    """
    if (names_issuer or "iss" in answer) and answer.get("iss") not in issuers:
        raise UntrustedResponse("the response is from another issuer")
    if error := answer.get("error"):
        log.info("a sign-in provider refused the sign-in", provider=departure.provider, error=_printable(error))
        raise ProviderUnavailable if error in _PASSING else ProviderRefused
    code = answer.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE:
        raise UntrustedResponse("there is no code in the answer")
    return code


def text_of(values: Mapping[str, Any], name: str) -> str:
    """Return an optional field; "" if it is not text."""
    value = values.get(name)
    return value if isinstance(value, str) else ""


def needed(values: Mapping[str, Any], name: str) -> str:
    """Return a required field.

    Raises:
        UntrustedResponse: if it is missing or not text.
    """
    if not (value := text_of(values, name)):
        raise UntrustedResponse(f"there is no {name} in the answer")
    return value


@contextmanager
def translated(provider: str) -> Iterator[None]:
    """Map each error that Authlib, httpx2, joserfc or an invalid answer raises to a ProviderError."""
    try:
        yield
    except ProviderError:
        raise
    except OAuthError as error:
        raise _token_error(provider, error) from error
    except httpx2.HTTPStatusError as error:
        status = error.response.status_code
        log.warning("a sign-in provider failed", provider=provider, status=status)
        is_passing = status >= httpx2.codes.INTERNAL_SERVER_ERROR or status == httpx2.codes.TOO_MANY_REQUESTS
        raise (ProviderUnavailable if is_passing else InvalidProviderResponse) from error
    except (httpx2.LocalProtocolError, httpx2.UnsupportedProtocol) as error:
        # The provider's own answer made the request invalid.
        raise _broke(provider, error) from error
    except (httpx2.TransportError, OSError) as error:
        # A TimeoutError is an OSError.
        log.warning(
            "a sign-in provider does not respond", provider=provider, error=_printable(error) or type(error).__name__
        )
        raise ProviderUnavailable from error
    except (AuthlibBaseError, JoseError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
        raise _broke(provider, error) from error
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        # Well-formed but invalid answers, and UntrustedResponse.
        raise _broke(provider, error) from error


def _broke(provider: str, error: Exception) -> InvalidProviderResponse:
    log.warning(
        "a sign-in provider sent an invalid response",
        provider=provider,
        error=_printable(error) or type(error).__name__,
    )
    return InvalidProviderResponse()


def _token_error(provider: str, error: AuthlibBaseError) -> ProviderError:
    code = error.error if isinstance(error.error, str) else ""
    log.warning("a sign-in provider sent no token", provider=provider, error=_printable(error))
    if code in _PASSING:
        return ProviderUnavailable()
    # All others mean that the provider has another client ID, secret or callback URL than the settings.
    return ProviderRefused() if code in _STALE else InvalidProviderResponse()


def _printable(said: object) -> str:
    return re.sub(r"[^ -~]+", " ", str(said)).strip()[:200]


def _checked(response: httpx2.Response) -> httpx2.Response:
    """Return the response if Authlib can read it: tokens with status 200, errors also with other ones."""
    if response.is_client_error and response.status_code != httpx2.codes.TOO_MANY_REQUESTS:
        try:
            said = response.json()
        except ValueError:
            said = None
        if isinstance(said, dict) and "error" in said:
            return response
    return response.raise_for_status()


async def _limit(response: httpx2.Response) -> None:
    """Limit the size of a response; refuses compressed ones, which were not requested and could have any size."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UntrustedResponse("the response is compressed")
    stream = response.stream
    if not isinstance(stream, httpx2.AsyncByteStream):
        raise TypeError("the response is not a stream")
    response.stream = _Limited(stream)


class _Limited(httpx2.AsyncByteStream):
    """A stream that fails at a size limit."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for part in self._stream:
            seen += len(part)
            if seen > LARGEST_ANSWER:
                raise UntrustedResponse("the response is too long")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
