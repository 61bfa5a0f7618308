"""Maps failures of an S3 server or its client to StorageErrors; no other module does."""

from __future__ import annotations

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, MaxRetryError, SSLError

from rxchat.domain.errors import ObjectMissing, StorageError, StorageFull, StorageUnavailable
from rxchat.domain.text import sanitize

_ASK = "The file store refused access. An administrator has to check "
_CREDENTIALS = f"{_ASK}S3_ACCESS_KEY and S3_SECRET_KEY, and the permissions of this key."
_BUCKET = f"{_ASK}S3_BUCKET, which does not exist or belongs to another account."
_REGION = f"{_ASK}S3_ENDPOINT and S3_REGION."
_CLOCK = f"{_ASK}the clock of this machine, which differs from the store's."
_CERTIFICATE = "The file store's certificate is not trusted. An administrator has to check it and S3_ENDPOINT."
_NOT_S3 = "The server at S3_ENDPOINT does not support S3. An administrator has to check it."

_MISSING = {"NoSuchKey", "NoSuchObject", "ResourceNotFound", "NotFound"}
_AWAY = {
    "InternalError",
    "OperationAborted",
    "RequestTimeout",
    "ServerBusy",
    "ServiceUnavailable",
    "SlowDown",
    "SlowDownRead",
    "SlowDownWrite",
    "XMinioServerNotInitialized",
}
_FULL = {
    "EntityTooLarge",
    "InsufficientStorage",
    "QuotaExceeded",
    "XMinioAdminBucketQuotaExceeded",
    "XMinioStorageFull",
}
_REFUSED = {
    "AccessDenied": _CREDENTIALS,
    "AccountProblem": _CREDENTIALS,
    "AllAccessDisabled": _CREDENTIALS,
    "ExpiredToken": _CREDENTIALS,
    "InvalidAccessKeyId": _CREDENTIALS,
    "InvalidToken": _CREDENTIALS,
    "SignatureDoesNotMatch": _CREDENTIALS,
    "BucketAlreadyExists": _BUCKET,
    "InvalidBucketName": _BUCKET,
    "NoSuchBucket": _BUCKET,
    "AuthorizationHeaderMalformed": _REGION,
    "PermanentRedirect": _REGION,
    "Redirect": _REGION,
    "RequestTimeTooSkewed": _CLOCK,
}


_LONGEST_SAID = 300


def said(error: Exception) -> str:
    """Return the server's message, or the client's error, on one line for the log and administrators."""
    words = f"{error.code}: {error.message}" if isinstance(error, S3Error) else str(error) or type(error).__name__
    return " ".join(sanitize(words).split())[:_LONGEST_SAID]


def not_s3() -> StorageError:
    """Return the error for an answer that is not S3's."""
    return StorageError(_NOT_S3)


def from_answer(error: MinioException) -> StorageError:
    """Return the error for an error response."""
    if isinstance(error, S3Error):
        return from_code(error.code or "", error.response.status)
    if isinstance(error, ServerError):
        return from_code("", error.status_code)
    if isinstance(error, InvalidResponseError):
        # Not XML: a proxy in front of the store, or no store at all. The client has the status in no public attribute.
        found = from_code("", error._code)
        return not_s3() if type(found) is StorageError else found
    return StorageError()


def from_code(code: str, status: int = 0) -> StorageError:
    """Return the error for an S3 error code, or for the HTTP status if there is none."""
    if code in _FULL or status == 507:
        return StorageFull()
    if code in _REFUSED:
        return StorageError(_REFUSED[code])
    if code in _MISSING:
        return ObjectMissing()
    if code in _AWAY or status == 429 or (status >= 500 and status != 501):
        return StorageUnavailable()
    return StorageError()


def from_silence(error: HTTPError) -> StorageError:
    """Return the error for a missing or incomplete answer."""
    reason = error.reason if isinstance(error, MaxRetryError) else error
    return StorageError(_CERTIFICATE) if isinstance(reason, SSLError) else StorageUnavailable()
