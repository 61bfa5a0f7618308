"""The page of model providers."""

from __future__ import annotations

from dataclasses import dataclass

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.model_providers import KIND_WORDS, ProviderDraft
from rxchat.domain.provider_addresses import where_it_is
from rxchat.services.app import container
from rxchat.services.models.providers import Providers, ProviderState
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of

_SHOWN_MODELS = 200


@dataclass
class ProviderView:
    """A provider as a row of the table, without secrets."""

    name: str
    kind: str
    kind_words: str
    url: str
    place: str
    timeout_seconds: str
    badge: str
    look: str
    problem: str
    models: str
    has_key: bool
    headers: str
    is_enabled: bool
    is_from_settings: bool


class ProvidersState(AdminPage, rx.State):
    """The providers, and what is known about the one whose dialog is open."""

    providers: list[ProviderView] = []
    looked_at: str = ""
    """The provider of which `in_use` and `tested` speak."""
    in_use: str = ""
    tested: str = ""
    tested_models: list[str] = []
    is_working: bool = False
    """Whether the tested provider works."""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Show all providers with their states."""
        self.flash = ""
        await self._read(current_user)
        self.loaded = True

    @rx.event
    @administering
    async def ask_again(self, current_user: CurrentUser) -> None:
        """Ask each provider which models it has now."""
        self.flash = ""
        await self._read(current_user, is_fresh=True)

    async def _read(self, current_user: CurrentUser, *, is_fresh: bool = False) -> None:
        found = await _service().all(current_user, is_fresh=is_fresh)
        self.providers = [_view(item) for item in found]
        self._done()

    @rx.event
    @administering
    async def add(self, current_user: CurrentUser, form: dict) -> None:
        """Add the provider of the form, and say whether it works."""
        draft = _draft(form, is_new=True)
        await _service().add(current_user, draft, client_info_of(self))
        await self._read(current_user)
        self._confirm(self._said("Added", draft.name.strip()), form)

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Change the provider of the form, and say whether it works."""
        draft = _draft(form, is_new=False)
        await _service().change(current_user, draft, client_info_of(self))
        await self._read(current_user, is_fresh=True)
        self._confirm(self._said("Saved", draft.name), form)

    def _said(self, verb: str, name: str) -> str:
        line = next((item for item in self.providers if item.name == name), None)
        if line is None or not line.is_enabled:
            return f"{verb} “{name}”."
        if line.problem:
            return f"{verb} “{name}”, but it does not work yet: {line.problem}"
        return f"{verb} “{name}”. It offers {line.models} {'model' if line.models == '1' else 'models'}."

    @rx.event
    @administering
    async def test(self, current_user: CurrentUser, name: str) -> None:
        """Ask a provider which models it has, and show its answer in words."""
        self.looked_at, self.tested, self.tested_models = "", "", []
        line = self._line(name)
        draft = ProviderDraft(name, line.kind, line.url, _seconds(line.timeout_seconds))
        found = await _service().test(current_user, draft, is_stored=True)
        count = len(found.models)
        self.is_working = not found.problem
        self.tested = (
            found.problem or f"It works, and offers {count:,} {'model' if count == 1 else 'models'} for chats."
        )
        self.tested_models, self.looked_at = list(found.models[:_SHOWN_MODELS]), name
        await self._read(current_user, is_fresh=True)

    @rx.event
    @administering
    async def look_at_use(self, current_user: CurrentUser, name: str) -> None:
        """Show what the deletion of a provider means for conversations."""
        self.looked_at, self.in_use = "", ""
        found = await _service().in_use(current_user, name)
        total = sum(item.conversations for item in found)
        if not total:
            self.in_use = "No conversation uses one of its models."
        else:
            models = ", ".join(f"{item.model} ({item.conversations:,})" for item in found[:5])
            more = f" and {len(found) - 5} more" if len(found) > 5 else ""
            noun = "conversation uses" if total == 1 else "conversations use"
            self.in_use = f"{total:,} {noun} its models: {models}{more}. They stay, and say that their model is gone."
        self.looked_at = name

    @rx.event
    @administering
    async def switch(self, current_user: CurrentUser, name: str) -> None:
        """Disable an enabled provider, or enable a disabled one."""
        is_enabled = not self._line(name).is_enabled
        await _service().set_enabled(current_user, name, client_info_of(self), is_enabled=is_enabled)
        await self._read(current_user)
        words = (
            f"Enabled “{name}”." if is_enabled else f"Disabled “{name}”. Answers that are being written end normally."
        )
        self._confirm(words)

    @rx.event
    @administering
    async def remove(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the provider of the form."""
        name = text_in(form, "name")
        await _service().delete(current_user, name, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"Deleted “{name}” and its key.", form)

    def _line(self, name: str) -> ProviderView:
        line = next((item for item in self.providers if item.name == name and not item.is_from_settings), None)
        if line is None:
            raise InvalidInput("This no longer exists. Reload the page.")
        return line


def _service() -> Providers:
    return container.get_services().models.providers


def _draft(form: dict, *, is_new: bool) -> ProviderDraft:
    """Return what a form enters; what is left empty in an existing provider stays, unless its removal is checked."""
    key, headers = text_in(form, "key"), text_in(form, "headers")
    return ProviderDraft(
        name=text_in(form, "name"),
        kind=text_in(form, "kind"),
        url=text_in(form, "url"),
        timeout_seconds=_seconds(text_in(form, "timeout_seconds")),
        key=key if key.strip() or is_new or "forget_key" in form else None,
        headers=headers if headers.strip() or is_new or "forget_headers" in form else None,
    )


def _seconds(text: str) -> int:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 0


def _view(state: ProviderState) -> ProviderView:
    found = state.provider
    badge, look = ("Works", "works") if not state.problem else ("Does not respond", "suspended")
    if not found.is_enabled:
        badge, look = "Disabled", ""
    return ProviderView(
        name=found.name,
        kind=found.kind.value,
        kind_words=KIND_WORDS[found.kind],
        url=found.url,
        place=where_it_is(found.url),
        timeout_seconds=str(found.timeout_seconds),
        badge=badge,
        look=look,
        problem=state.problem,
        models=f"{state.models:,}" if found.is_enabled and not state.problem else "–",
        has_key=found.has_key,
        headers=", ".join(found.header_names),
        is_enabled=found.is_enabled,
        is_from_settings=found.is_from_settings,
    )
