"""The expected failures that only programs get, who send headers and parameters that RxChat's pages do not send.

InvalidInput
├── InvalidJson                  400  the request's body is not JSON
└── UnsupportedParameter         400  a parameter of another API that RxChat does not have
Conflict
├── VersionMismatch              412  it was changed since the version that If-Match names
├── IdempotencyMismatch          409  an Idempotency-Key was used for another request
└── StillInProgress              409  the first request with this Idempotency-Key has not ended
"""

from __future__ import annotations

from rxchat.domain.errors import Conflict, InvalidInput


class InvalidJson(InvalidInput):
    """The body of the request is not valid JSON."""

    status = 400
    code = "invalid_json"


class UnsupportedParameter(InvalidInput):
    """This parameter is not supported."""

    status = 400
    code = "unsupported_parameter"


class VersionMismatch(Conflict):
    """It was changed since you read it. Read it again, and send the new ETag in If-Match."""

    status = 412
    code = "version_mismatch"


class IdempotencyMismatch(Conflict):
    """This Idempotency-Key was used for another request. Send a new key with a new request."""

    code = "idempotency_mismatch"


class StillInProgress(Conflict):
    """The first request with this Idempotency-Key is still in progress. Send it again in some seconds."""

    code = "still_in_progress"
