"""What each route needs: a credential and a scope, checked before the route runs and stated in the API's description."""

from __future__ import annotations

from typing import Any

from fastapi import Depends
from fastapi.security import HTTPBearer

from rxchat.api.request_quota import count_request
from rxchat.api.requests import SignedIn
from rxchat.domain.authorization import require_scope
from rxchat.domain.permissions import SCOPE_WORDS, Scope

_BEARER = HTTPBearer(
    scheme_name="key",
    bearerFormat="API key or access token",
    description="An API key of the account page, or an access token of `/api/auth/token`.",
    auto_error=False,
)


def needs(scope: Scope, *others: Any) -> dict[str, Any]:
    """Return the arguments of a route that needs a scope, with its other dependencies: `@router.get("/x", **needs(Scope.READ))`."""

    async def in_scope(current_user: SignedIn) -> None:
        require_scope(current_user, scope)

    return {
        "dependencies": [Depends(_BEARER), Depends(count_request), Depends(in_scope), *others],
        "openapi_extra": {"x-scope": scope.value},
        "responses": {
            "4XX": {
                "description": f"A problem (RFC 9457). The key needs the scope `{scope.value}`: {SCOPE_WORDS[scope]}."
            }
        },
    }
