"""The page of quotas, and of what models cost."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Permission
from rxchat.domain.quotas import (
    ModelPrice,
    Quota,
    QuotaLimits,
    QuotaSubject,
    checked_limits,
    checked_model,
    checked_period,
    checked_price,
)
from rxchat.services.app import container
from rxchat.services.models.quotas import Quotas
from rxchat.states.access.admin import AdminPage, administering, id_of
from rxchat.states.access.groups import Member, candidates
from rxchat.states.access.users import Choice
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of

KINDS = {
    "each": "Each user",
    "everyone": "All users together",
    "group": "A group together",
    "each_of_group": "Each user of a group",
    "user": "A user",
}
"""Whose requests a quota limits, in words."""
_LONGEST_NUMBER = 30


@dataclass
class QuotaView:
    """A quota as a row of the table."""

    id: str
    who: str
    detail: str
    model: str
    period: str
    limits: list[str]
    requests: str
    tokens: str
    cost: str
    about: str
    """All of it in one sentence, for the names of buttons and dialogs."""


@dataclass
class PriceView:
    """The price of a model as a row of the table."""

    model: str
    input_price: str
    output_price: str


class QuotasState(AdminPage, rx.State):
    """The quotas and prices, and the dialog for a new quota."""

    quotas: list[QuotaView] = []
    prices: list[PriceView] = []
    currency: str = ""
    models: list[Choice] = []
    groups: list[Choice] = []
    kind: str = "each"
    found: list[Member] = []
    searched: str = ""
    picked: Member = Member("", "", "")

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all quotas and prices."""
        self._confirm("")
        services = container.get_services()
        offer = await services.models.catalog.offer()
        self.models = [Choice(item.name, item.name) for item in offer.models]
        self.groups = []
        if is_permitted(current_user, Permission.USERS_READ):
            found = await services.access.groups.all(current_user)
            self.groups = [Choice(str(group.id), group.name) for group in found]
        await self._read(current_user)
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        service = _service()
        self.currency = service.currency
        self.quotas = [_quota(item, service.currency) for item in await service.all(current_user)]
        self.prices = [_price(item) for item in await service.prices(current_user)]

    @rx.event
    @administering
    async def begin(self, current_user: CurrentUser) -> None:
        """Forget earlier choices, when the dialog for a new quota opens."""
        del current_user
        self.kind, self.picked = "each", Member("", "", "")
        self.found, self.searched = [], ""
        self._confirm("")

    @rx.event
    @administering
    async def choose_kind(self, current_user: CurrentUser, kind: str) -> None:
        """Choose whose requests the new quota limits."""
        del current_user
        if kind not in KINDS:
            raise InvalidInput("A quota is for each user, for all together, for a group or for a user.")
        self.kind, self.problem = kind, ""

    @rx.event
    @administering
    async def find(self, current_user: CurrentUser, words: str) -> None:
        """Show the users whose names contain the words."""
        self.found = await candidates(current_user, words, set())
        self.searched, self.problem = words[:100].strip(), ""

    @rx.event
    @administering
    async def pick(self, current_user: CurrentUser, user_id: str) -> None:
        """Choose one of the users found; "" clears the choice."""
        del current_user
        self.picked = next((member for member in self.found if member.id == user_id), Member("", "", ""))
        self.problem = ""

    @rx.event
    @administering
    async def add(self, current_user: CurrentUser, form: dict) -> None:
        """Add the quota of the form."""
        subject = self._subject(form)
        limits = _limits(form)
        model, period = checked_model(text_in(form, "model")), checked_period(text_in(form, "period"))
        await _service().add(current_user, subject, model, period, limits, client_info_of(self))
        await self._read(current_user)
        self._confirm("Added the quota. It holds at once, and counts what was used since its period began.", form)

    def _subject(self, form: dict) -> QuotaSubject:
        match self.kind:
            case "user":
                return QuotaSubject(user_id=id_of(self.picked.id, "Choose a user."))
            case "group" | "each_of_group":
                group_id = id_of(text_in(form, "group"), "Choose a group.")
                return QuotaSubject(group_id=group_id, is_each=self.kind == "each_of_group")
            case _:
                return QuotaSubject(is_each=self.kind == "each")

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Change the limits of the quota with the form's id."""
        quota_id = id_of(text_in(form, "id"))
        await _service().change(current_user, quota_id, _limits(form), client_info_of(self))
        await self._read(current_user)
        self._confirm("Saved the quota. What is used of it stays.", form)

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the quota with the form's id."""
        await _service().delete(current_user, id_of(text_in(form, "id")), client_info_of(self))
        await self._read(current_user)
        self._confirm("Deleted the quota.", form)

    @rx.event
    @administering
    async def set_price(self, current_user: CurrentUser, form: dict) -> None:
        """Set the price of the form's model."""
        price = checked_price(text_in(form, "model"), _decimal(form, "input_price"), _decimal(form, "output_price"))
        await _service().set_price(current_user, price, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Saved the price of {price.model}. It holds for answers from now on.", form)

    @rx.event
    @administering
    async def remove_price(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the price of the form's model."""
        model = text_in(form, "model")
        await _service().delete_price(current_user, model, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Deleted the price of {model}.", form)


def _service() -> Quotas:
    return container.get_services().models.quotas


def _limits(form: dict) -> QuotaLimits:
    return checked_limits(_whole(form, "requests"), _whole(form, "tokens"), _decimal(form, "cost"))


def _whole(form: dict, name: str) -> int | None:
    """Return a number of a form; None if it is empty.

    Raises:
        InvalidInput: when it is none.
    """
    digits = "".join(text_in(form, name).split())
    if not digits:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < _LONGEST_NUMBER):
        raise InvalidInput("Enter a whole number, such as 100000, or leave it empty.", field=name)
    return int(digits)


def _decimal(form: dict, name: str) -> Decimal | None:
    digits = text_in(form, name).strip()
    if not digits:
        return None
    try:
        number = Decimal(digits) if len(digits) < _LONGEST_NUMBER else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidInput("Enter a number, such as 2.50.", field=name)
    return number


def _plain(number: Decimal | None) -> str:
    """Return a number without zeros at its end, as a field shows it."""
    return "" if number is None else f"{number.normalize():f}"


def _quota(item: Quota, currency: str) -> QuotaView:
    subject, limits = item.subject, item.limits
    who, detail = (item.name, "") if item.name else ("All users", "together")
    if subject.group_id:
        detail = "each user of the group" if subject.is_each else "the group together"
    elif subject.is_each and not subject.user_id:
        who, detail = "Each user", ""
    words = [f"{limits.requests:,} request{'' if limits.requests == 1 else 's'}"] if limits.requests is not None else []
    words += [f"{limits.tokens:,} tokens"] if limits.tokens is not None else []
    words += [f"{limits.cost:,.2f} {currency}"] if limits.cost is not None else []
    model, period = item.model or "All models together", f"a {item.period.value}"
    return QuotaView(
        id=str(item.id),
        who=who,
        detail=detail,
        model=model,
        period="Day" if item.period.value == "day" else "Month",
        limits=words,
        requests="" if limits.requests is None else str(limits.requests),
        tokens="" if limits.tokens is None else str(limits.tokens),
        cost=_plain(limits.cost),
        about=f"{who}{f' ({detail})' if detail else ''}, {model}: {', '.join(words)} {period}",
    )


def _price(item: ModelPrice) -> PriceView:
    return PriceView(item.model, _plain(item.input_price), _plain(item.output_price))
