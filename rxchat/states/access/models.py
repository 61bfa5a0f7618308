"""The page of models: what the hosts offer, how much it is used, and how it is offered to users."""

from __future__ import annotations

from dataclasses import dataclass, field

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import InvalidInput
from rxchat.domain.model_parameters import PARAMETERS
from rxchat.domain.model_settings import ModelSetting, ModelSettingDraft
from rxchat.domain.permissions import Permission
from rxchat.services.app import container
from rxchat.services.app.system_status import ModelState
from rxchat.states.access.admin import AdminPage, administering
from rxchat.states.platform.configuration_forms import ConfigurationForm, form_of
from rxchat.states.platform.dialogs import text_in
from rxchat.states.platform.request_context import client_info_of

_STEPS = {"up": -1, "down": 1, "top": -10_000}


@dataclass
class ModelView:
    """A model in words, and what is set for it."""

    name: str
    title: str
    detail: str
    host: str
    context: str
    answers: str
    badge: str
    look: str
    is_offered: bool = False
    """Whether users can choose it."""
    is_set: bool = False
    label: str = ""
    description: str = ""
    is_hidden: bool = False
    is_default: bool = False
    summary: str = ""
    """What is set for its answers, in words."""
    form: ConfigurationForm = field(default_factory=ConfigurationForm)
    fallbacks: str = ""
    """One on each line."""
    version: int = 0


class ModelsState(AdminPage, rx.State):
    """The models that are offered, or were used."""

    models: list[ModelView] = []
    host_problem: str = ""

    @rx.event
    @administering
    async def load(self, current_user: CurrentUser) -> None:
        """Ask the hosts, and show what they offer."""
        self.flash = ""
        await self._read(current_user)
        self._done()
        self.loaded = True

    async def _read(self, current_user: CurrentUser) -> None:
        services = container.get_services()
        found = await services.app.system_status.models(current_user)
        settings: dict[str, ModelSetting] = {}
        if is_permitted(current_user, Permission.MODELS_MANAGE):
            settings = await services.models.settings.all(current_user)
        known = {item.name for item in found.models}
        gone = [ModelState(name, None, None, is_default=False) for name in settings if name not in known]
        self.models = [
            _view(item, settings.get(item.name) or ModelSetting(item.name)) for item in (*found.models, *gone)
        ]
        self.host_problem = found.problem

    @rx.event
    @administering
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Set for a model what the form has."""
        draft = ModelSettingDraft(
            model=text_in(form, "model"),
            label=text_in(form, "label"),
            description=text_in(form, "description"),
            is_hidden="is_hidden" in form,
            is_default="is_default" in form,
            system_prompt=text_in(form, "system_prompt"),
            parameters={item.name: text_in(form, item.name) for item in PARAMETERS},
            fallbacks=text_in(form, "fallbacks").splitlines(),
        )
        version = text_in(form, "version")
        if not version.isascii() or not version.isdigit() or len(version) > 9:
            raise InvalidInput("This form is out of date. Reload the page.")
        await container.get_services().models.settings.change(
            current_user, draft, client_info_of(self), expected_version=int(version)
        )
        await self._read(current_user)
        self._confirm(f"Saved “{draft.label.strip() or draft.model}”. It applies to the next answers.", form)

    @rx.event
    @administering
    async def move(self, current_user: CurrentUser, name: str, way: str) -> None:
        """Move a model in the list that users see: one position "up" or "down", or to the "top"."""
        if way not in _STEPS:
            raise InvalidInput("A model can be moved up, down, or to the top.")
        await container.get_services().models.settings.move(current_user, name, _STEPS[way], client_info_of(self))
        await self._read(current_user)
        self._done()

    @rx.event
    @administering
    async def reset_model(self, current_user: CurrentUser, form: dict) -> None:
        """Remove everything that is set for a model."""
        name = text_in(form, "model")
        await container.get_services().models.settings.reset(current_user, name, client_info_of(self))
        await self._read(current_user)
        self._confirm(f"“{name}” has its defaults again.", form)


def _view(item: ModelState, setting: ModelSetting) -> ModelView:
    configuration = setting.configuration
    parts = ("system prompt" if configuration.system_prompt else "", *configuration.parameters)
    view = ModelView(
        name=item.name,
        title=setting.label or item.name,
        detail="",
        host="",
        context="–",
        answers=f"{item.usage.answers:,}" if item.usage else "0",
        badge="not offered now",
        look="leaving",
        is_set=setting.version > 0 or setting.position is not None,
        label=setting.label,
        description=setting.description,
        is_hidden=setting.is_hidden,
        is_default=setting.is_default,
        summary=", ".join(part.replace("_", " ") for part in parts if part),
        form=form_of(configuration),
        fallbacks="\n".join(setting.fallbacks),
        version=setting.version,
    )
    if item.info is None:
        return view
    view.detail, view.host = item.info.detail, item.info.host
    view.context = f"{item.info.context_tokens:,} tokens" if item.info.context_tokens else "–"
    view.is_offered = item.info.is_allowed and not item.info.is_hidden
    if not item.info.is_allowed:
        view.badge, view.look = "not allowed", "suspended"
    elif item.info.is_hidden:
        view.badge, view.look = "hidden", "leaving"
    else:
        view.badge, view.look = ("default", "") if item.is_default else ("", "")
    return view
