"""Sentences for the codes of problems in an address: the address never brings words of its own."""

from __future__ import annotations

from typing import Any

import reflex as rx

_PROBLEMS = {
    "provider_refused": "The sign-in provider cancelled or refused the sign-in. You can try again.",
    "provider_away": "The sign-in provider does not respond. Try again in a moment.",
    "provider_broke": "This sign-in could not be completed. Start it again.",
    "sign_in_again": "To connect an account, sign out and in again first: this requires a sign-in within the last ten minutes, with two-factor authentication if you use it.",
    "no_account": "There is no RxChat account for this sign-in. Accounts are created by invitation: ask an administrator for one.",
    "address_taken": "An account with this e-mail address already exists. Sign in to it, then connect this sign-in on your account page.",
    "address_unconfirmed": "The sign-in provider says that your e-mail address is not confirmed (the claim “email_verified” is false). Confirm it there, or ask for an invitation.",
    "address_missing": "The sign-in provider sent no e-mail address: the claim “email” is missing. An administrator has to configure the provider to send it, and RXCHAT_OIDC_SCOPES must contain “email”.",
    "address_empty": "The sign-in provider sent an empty e-mail address (the claim “email”). Add one to your account there.",
    "address_unsaid": "The sign-in provider does not say whether your e-mail address is confirmed: the claim “email_verified” is missing. An administrator can trust this provider (RXCHAT_OIDC_TRUST_EMAIL=true), or invite you.",
    "not_found": "This sign-in provider is not available.",
    "too_many_attempts": "Too many attempts. Wait a moment and try again.",
    "conflict": "This account is already connected to another RxChat account.",
    "not_allowed": "Confirm your e-mail address first: open the link in the e-mail that we have just sent you.",
    "database_busy": "RxChat is busy. Try again in a few seconds.",
    "database_away": "The database does not respond. Try again in a moment.",
}


def problem_words(code: Any) -> Any:
    """Return the sentence for a code; "" for none."""
    failed = "The external sign-in failed. Try again."
    return rx.match(code, ("", ""), *_PROBLEMS.items(), failed)
