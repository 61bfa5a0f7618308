"""Every failure that RxChat expects, each with its HTTP status and a sentence that a person can act on.

RxChatError
├── InvalidInput                 422  what was sent cannot be used
│   ├── RequestTooLarge          413  more bytes than this route takes
│   └── RequestTooSlow           408  the request's body took too long to arrive
├── NotSignedIn                  401  no valid session
├── NotAllowed                   403  signed in, but not for this
│   ├── ReauthenticationFailed   403  signed in, and the password was wrong
│   ├── SignInAgain              403  signed in, and too long ago for this
│   ├── SecondFactorNeeded       403  signed in, and a second factor has to be set up first
│   ├── NoAccount                403  signed in at the provider, but there is no account here
│   ├── AddressTaken             403  signed in at the provider, but another account here has the address
│   └── AddressUnconfirmed       403  signed in at the provider, which does not confirm the address
│       ├── AddressMissing       403  the claim “email” is missing
│       ├── AddressEmpty         403  it is empty
│       └── AddressUnsaid        403  the claim “email_verified” is missing
├── NotFound                     404  unknown, or someone else's: the two look the same
├── Conflict                     409  the state of things forbids it
│   ├── AlreadyExists            409  the name is taken, and the upload was to be refused then
│   ├── StaleConversation        409  another writer was first
│   └── LastAdministrator        409  no administrator would be left
├── TooManyAttempts              429  come back later
├── DatabaseUnavailable          503  Postgres does not answer
│   └── DatabaseBusy             503  it does, and others had its connections for too long
├── ProviderError                502  signing in with an account elsewhere failed
│   ├── ProviderRefused          403  the person, or the provider, said no
│   ├── ProviderUnavailable      503  the provider does not answer
│   └── InvalidProviderResponse  502  its answer cannot be trusted
├── StorageError                 502  the place where files are kept failed
│   ├── StorageUnavailable       503  it does not answer
│   ├── StorageFull              507  there is no room
│   └── ObjectMissing            404  it does not have what was stored there
├── DocumentUnreadable           422  this file cannot be read, and why; the same again will not do
│   ├── TooMuchWork              422  reading it takes more processor time than its reader has
│   └── NoTextLayer              422  it may hold text on pictures, which can be recognized (OCR)
├── EmbedderError                503  the embedding model failed; later it may do
│   ├── TextRefused              422  it does not take this text, and will not another time
│   └── TextTooLong              422  a text has more tokens than the embedding model takes
└── ModelError                   502  the model's side failed
    ├── ModelHostUnavailable     503  nobody answers at the host
    ├── ModelUnknown             404  the host does not have this model
    ├── ModelRefused             400  the host refused the request (its words are shown)
    ├── ModelTimeout             504  no token for too long
    ├── InvalidModelResponse     502  the answer ended or turned to garbage in the middle
    └── AnswerInterrupted        502  the answer was cut off, and no other process continued it
"""

from __future__ import annotations

from typing import ClassVar


class RxChatError(Exception):
    """A failure with a message fit for the person who sees it.

    The docstring of each class is its default message.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    is_audited: ClassVar[bool] = False
    """Whether whoever raises it has written it down already."""

    def __init__(self, message: str | None = None, *, detail: str = "") -> None:
        """Keep the message, or take the class's own sentence.

        The message is for everyone. `detail` is for administrators and the log alone: addresses of hosts, and what they said.
        """
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.detail = detail
        super().__init__(self.message)


class InvalidInput(RxChatError):
    """This cannot be used as it is."""

    status = 422
    code = "invalid_input"


class RequestTooLarge(InvalidInput):
    """This is more than can be sent here at once: at most 64,000 bytes."""

    status = 413
    code = "too_large"


class RequestTooSlow(InvalidInput):
    """This took too long to arrive. Check the connection and send it again."""

    status = 408
    code = "too_slow"


class NotSignedIn(RxChatError):
    """Please sign in to go on."""

    status = 401
    code = "not_signed_in"


class NotAllowed(RxChatError):
    """You are not allowed to do this."""

    status = 403
    code = "not_allowed"


class ReauthenticationFailed(NotAllowed):
    """This is not your password."""

    is_audited = True


class SignInAgain(NotAllowed):
    """Please sign out and in again first: this needs a sign-in of the last ten minutes, with your second factor."""

    code = "sign_in_again"


class SecondFactorNeeded(NotAllowed):
    """Please set up a second factor first: everybody needs one here."""

    code = "second_factor_needed"


class NoAccount(NotAllowed):
    """There is no RxChat account for this sign-in: accounts here are made by invitation, ask an administrator."""

    code = "no_account"


class AddressTaken(NotAllowed):
    """There is an account with this address already: sign in to it, then connect this sign-in on your account page."""

    code = "address_taken"


class AddressUnconfirmed(NotAllowed):
    """Your account there has no confirmed e-mail address (email_verified is false): confirm it there, or ask for an invitation."""

    code = "address_unconfirmed"


class AddressMissing(AddressUnconfirmed):
    """The sign-in provider sent no e-mail address (the claim “email”): an administrator has to have it added there, and to RXCHAT_OIDC_SCOPES."""

    code = "address_missing"


class AddressEmpty(AddressUnconfirmed):
    """The sign-in provider sent an empty e-mail address (the claim “email”): your account there needs one."""

    code = "address_empty"


class AddressUnsaid(AddressUnconfirmed):
    """The sign-in provider does not say whether your address is confirmed (the claim “email_verified”): an administrator can trust it with RXCHAT_OIDC_TRUST_EMAIL, or invite you."""

    code = "address_unsaid"


class NotFound(RxChatError):
    """There is nothing here, or it is not yours."""

    status = 404
    code = "not_found"


class Conflict(RxChatError):
    """This is not possible just now."""

    status = 409
    code = "conflict"


class AlreadyExists(Conflict):
    """There is a document of this name already."""

    code = "already_exists"


class StaleConversation(Conflict):
    """This conversation has changed elsewhere; it has been brought up to date, please try again."""

    code = "stale_conversation"


class LastAdministrator(Conflict):
    """Somebody has to administer RxChat: make another person an administrator first."""

    code = "last_administrator"


class TooManyAttempts(RxChatError):
    """Too many attempts: please wait a moment and try again."""

    status = 429
    code = "too_many_attempts"

    def __init__(self, message: str | None = None, *, retry_after_seconds: float = 30.0) -> None:
        """Keep how long to wait beside the message."""
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class DatabaseUnavailable(RxChatError):
    """The database does not answer; RxChat will go on by itself as soon as it does."""

    status = 503
    code = "database_away"


class DatabaseBusy(DatabaseUnavailable):
    """RxChat is busy: many people want something at the same moment. Try again in a few seconds."""

    code = "database_busy"


class ProviderError(RxChatError):
    """Signing in there did not work; please try again."""

    status = 502
    code = "provider_error"


class ProviderRefused(ProviderError):
    """The sign-in was cancelled or refused there; you can try again."""

    status = 403
    code = "provider_refused"


class ProviderUnavailable(ProviderError):
    """The sign-in provider does not answer; please try again in a moment."""

    status = 503
    code = "provider_away"


class InvalidProviderResponse(ProviderError):
    """This sign-in could not be completed; please start it again."""

    code = "provider_broke"


class ModelError(RxChatError):
    """The model could not answer."""

    status = 502
    code = "model_error"


class ModelHostUnavailable(ModelError):
    """The model host does not answer."""

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
    """The model said nothing for too long."""

    status = 504
    code = "model_silent"


class InvalidModelResponse(ModelError):
    """The answer broke off in the middle; what was said so far is kept."""

    status = 502
    code = "model_broke"


class AnswerInterrupted(ModelError):
    """The answer was cut off and nobody went on with it; its person can have it continued."""

    status = 502
    code = "answer_interrupted"


class StorageError(RxChatError):
    """The file store failed; please try again."""

    status = 502
    code = "store_error"


class StorageUnavailable(StorageError):
    """The file store does not answer; please try again in a moment."""

    status = 503
    code = "store_away"


class StorageFull(StorageError):
    """There is no room left in the file store: ask an administrator to make some."""

    status = 507
    code = "store_full"


class ObjectMissing(StorageError):
    """The file store has lost this file: please upload it again."""

    status = 404
    code = "object_missing"


class DocumentUnreadable(RxChatError):
    """This file cannot be read."""

    status = 422
    code = "document_unreadable"


class TooMuchWork(DocumentUnreadable):
    """Reading this file takes more processor time than its reader has."""


class NoTextLayer(DocumentUnreadable):
    """There is no text in this file, but there may be some on its pictures: it can be recognised (OCR)."""


class EmbedderError(RxChatError):
    """The embedding model does not answer."""

    status = 503
    code = "embedder_error"


class TextRefused(EmbedderError):
    """The embedding model does not take what it was given, and would not take it another time."""

    status = 422
    code = "text_refused"


class TextTooLong(EmbedderError):
    """This text has more tokens than the embedding model takes."""

    status = 422
    code = "text_too_long"
