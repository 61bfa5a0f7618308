"""The expected failures, each with its HTTP status and a message that users can act on.

RxChatError
├── InvalidInput                 422  the request is invalid
│   ├── RequestTooLarge          413  more bytes than the route accepts
│   └── RequestTooSlow           408  the request's body took too long to arrive
├── NotSignedIn                  401  no valid session
├── NotAllowed                   403  the user lacks a permission
│   ├── ReauthenticationFailed   403  the password to confirm an action was wrong
│   ├── SignInAgain              403  the sign-in is too old for this action
│   ├── SecondFactorNeeded       403  the user has to set up a second factor first
│   ├── NoAccount                403  the external account belongs to no RxChat account
│   ├── AddressTaken             403  another RxChat account has the address
│   └── AddressUnconfirmed       403  the provider does not confirm the address
│       ├── AddressMissing       403  the claim “email” is missing
│       ├── AddressEmpty         403  the claim “email” is empty
│       └── AddressUnsaid        403  the claim “email_verified” is missing
├── NotFound                     404  it does not exist, or belongs to another user
├── LinkPasswordRequired         403  the password of a public link is missing or wrong
├── Conflict                     409  the current state does not allow it
│   ├── AlreadyExists            409  a document with this name exists
│   ├── StaleConversation        409  another writer was faster
│   ├── QueueFull                409  too many messages are queued
│   └── LastAdministrator        409  no administrator would remain
├── TooManyAttempts              429  a rate limit was reached
├── DatabaseUnavailable          503  Postgres does not respond
│   └── DatabaseBusy             503  no connection became free in time
├── ProviderError                502  the sign-in with an external account failed
│   ├── ProviderRefused          403  the user or the provider refused
│   ├── ProviderUnavailable      503  the provider does not respond
│   └── InvalidProviderResponse  502  the provider's response is invalid
├── StorageError                 502  the file store failed
│   ├── StorageUnavailable       503  it does not respond
│   ├── StorageFull              507  it is full
│   └── ObjectMissing            404  a stored object is missing
├── DocumentUnreadable           422  the file cannot be parsed
│   ├── TooMuchWork              422  parsing it takes too much processor time
│   └── NoTextLayer              422  it has no text, but pictures that may show some (OCR)
├── EmbedderError                503  the embedding model failed, possibly temporarily
│   ├── TextRefused              422  the model refuses this text
│   └── TextTooLong              422  the text has too many tokens
└── ModelError                   502  the model or its host failed
    ├── ModelHostUnavailable     503  the host does not respond
    ├── ModelUnknown             404  the host does not have this model
    ├── ModelRefused             400  the host refused the request
    ├── ModelTimeout             504  no token for too long
    ├── QuotaExceeded            429  a quota of the user is used up
    ├── InvalidModelResponse     502  the response was invalid or incomplete
    └── AnswerInterrupted        502  the answer was interrupted and not continued

The errors that only programs get are in api_errors.py.
"""

from __future__ import annotations

from typing import ClassVar


class RxChatError(Exception):
    """An expected failure with a message for the user.

    The docstring of each class is its default message.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    is_audited: ClassVar[bool] = False
    """Whether the code that raises it has recorded it in the audit log."""

    def __init__(self, message: str | None = None, *, detail: str = "") -> None:
        """Use the given message, or the class's default one.

        Everyone may see the message. `detail` is for administrators and the log only: addresses of hosts, and their
        responses.
        """
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.detail = detail
        super().__init__(self.message)


class InvalidInput(RxChatError):
    """The input is invalid."""

    status = 422
    code = "invalid_input"

    def __init__(self, message: str | None = None, *, detail: str = "", field: str = "") -> None:
        """Use the given message; `field` is the name of the field that is invalid, for forms that show it there."""
        self.field = field
        super().__init__(message, detail=detail)


class RequestTooLarge(InvalidInput):
    """The request is too large: at most 64,000 bytes are allowed."""

    status = 413
    code = "too_large"


class RequestTooSlow(InvalidInput):
    """The request took too long to arrive. Check the connection and send it again."""

    status = 408
    code = "too_slow"


class NotSignedIn(RxChatError):
    """Sign in to continue."""

    status = 401
    code = "not_signed_in"


class NotAllowed(RxChatError):
    """You are not allowed to do this."""

    status = 403
    code = "not_allowed"


class ReauthenticationFailed(NotAllowed):
    """Wrong password."""

    is_audited = True


class SignInAgain(NotAllowed):
    """Sign out and in again first: this requires a sign-in within the last ten minutes, with two-factor authentication."""

    code = "sign_in_again"


class SecondFactorNeeded(NotAllowed):
    """Set up two-factor authentication first: it is required for every user."""

    code = "second_factor_needed"


class NoAccount(NotAllowed):
    """There is no RxChat account for this sign-in. Accounts are created by invitation: ask an administrator for one."""

    code = "no_account"


class AddressTaken(NotAllowed):
    """An account with this e-mail address already exists. Sign in to it, then connect this sign-in on your account page."""

    code = "address_taken"


class AddressUnconfirmed(NotAllowed):
    """The sign-in provider says that your e-mail address is not confirmed (the claim “email_verified” is false). Confirm it there, or ask for an invitation."""

    code = "address_unconfirmed"


class AddressMissing(AddressUnconfirmed):
    """The sign-in provider sent no e-mail address: the claim “email” is missing. An administrator has to configure the provider to send it, and RXCHAT_OIDC_SCOPES must contain “email”."""

    code = "address_missing"


class AddressEmpty(AddressUnconfirmed):
    """The sign-in provider sent an empty e-mail address (the claim “email”). Add one to your account there."""

    code = "address_empty"


class AddressUnsaid(AddressUnconfirmed):
    """The sign-in provider does not say whether your e-mail address is confirmed: the claim “email_verified” is missing. An administrator can trust this provider (RXCHAT_OIDC_TRUST_EMAIL=true), or invite you."""

    code = "address_unsaid"


class NotFound(RxChatError):
    """Not found, or you have no access to it."""

    status = 404
    code = "not_found"


class LinkPasswordRequired(RxChatError):
    """This link has a password."""

    status = 403
    code = "password_required"


class Conflict(RxChatError):
    """This is not possible at the moment."""

    status = 409
    code = "conflict"


class AlreadyExists(Conflict):
    """A document with this name already exists."""

    code = "already_exists"


class StaleConversation(Conflict):
    """This conversation was changed in another tab. The page is up to date now; try again."""

    code = "stale_conversation"


class QueueFull(Conflict):
    """Too many messages are already queued in this conversation. Wait until some are answered, or remove one."""


class LastAdministrator(Conflict):
    """RxChat needs at least one administrator. Make another user an administrator first."""

    code = "last_administrator"


class TooManyAttempts(RxChatError):
    """Too many attempts. Wait a moment and try again."""

    status = 429
    code = "too_many_attempts"

    def __init__(self, message: str | None = None, *, retry_after_seconds: float = 30.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DatabaseUnavailable(RxChatError):
    """The database does not respond. RxChat continues automatically when it is back."""

    status = 503
    code = "database_away"


class DatabaseBusy(DatabaseUnavailable):
    """RxChat is busy with many requests. Try again in a few seconds."""

    code = "database_busy"


class ProviderError(RxChatError):
    """The external sign-in failed. Try again."""

    status = 502
    code = "provider_error"


class ProviderRefused(ProviderError):
    """The sign-in provider cancelled or refused the sign-in. You can try again."""

    status = 403
    code = "provider_refused"


class ProviderUnavailable(ProviderError):
    """The sign-in provider does not respond. Try again in a moment."""

    status = 503
    code = "provider_away"


class InvalidProviderResponse(ProviderError):
    """This sign-in could not be completed. Start it again."""

    code = "provider_broke"


class ModelError(RxChatError):
    """The model could not answer."""

    status = 502
    code = "model_error"


class ModelHostUnavailable(ModelError):
    """The model host does not respond."""

    status = 503
    code = "model_host_away"


class ModelUnknown(ModelError):
    """The model host does not have this model."""

    status = 404
    code = "model_unknown"


class ModelRefused(ModelError):
    """The model host refused the request."""

    status = 400
    code = "model_refused"


class ModelTimeout(ModelError):
    """The model did not respond in time. Try again, or choose another model."""

    status = 504
    code = "model_silent"


class QuotaExceeded(ModelError):
    """Your quota is used up. Ask an administrator for more."""

    status = 429
    code = "quota_exceeded"

    def __init__(self, message: str | None = None, *, retry_after_seconds: float = 60.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class InvalidModelResponse(ModelError):
    """The connection to the model broke during the answer. The text so far is kept."""

    status = 502
    code = "model_broke"


class AnswerInterrupted(ModelError):
    """The answer was interrupted. You can continue it."""

    status = 502
    code = "answer_interrupted"


class StorageError(RxChatError):
    """The file store reported an error. Try again."""

    status = 502
    code = "store_error"


class StorageUnavailable(StorageError):
    """The file store does not respond. Try again in a moment."""

    status = 503
    code = "store_away"


class StorageFull(StorageError):
    """The file store is full. Ask an administrator to free some space."""

    status = 507
    code = "store_full"


class ObjectMissing(StorageError):
    """This file is missing in the file store. Upload it again."""

    status = 404
    code = "object_missing"


class DocumentUnreadable(RxChatError):
    """This file cannot be read."""

    status = 422
    code = "document_unreadable"


class TooMuchWork(DocumentUnreadable):
    """Parsing this file takes too much processor time."""


class NoTextLayer(DocumentUnreadable):
    """This file contains no text, but its pictures may: their text can be recognized (OCR)."""


class EmbedderError(RxChatError):
    """The embedding model does not respond."""

    status = 503
    code = "embedder_error"


class TextRefused(EmbedderError):
    """The embedding model refused this text."""

    status = 422
    code = "text_refused"


class TextTooLong(EmbedderError):
    """This text has more tokens than the embedding model accepts."""

    status = 422
    code = "text_too_long"
