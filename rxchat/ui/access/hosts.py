"""Hosts of models: their state, their models, downloads, and what is in memory."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.model_hosts import LONGEST_MODEL_NAME
from rxchat.states.access.hosts import HostModelView, HostsState, HostView, JobView
from rxchat.ui.access.frame import admin_page, flash, lead, nothing
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, badge, icon, link, main_button, quiet_button, skeleton
from rxchat.ui.kit.forms import select
from rxchat.ui.kit.tables import actions_cell, cell, row, table

_dialogs = Dialogs("hosts_dialog", HostsState, HostModelView)


def hosts_page() -> rx.Component:
    """All hosts with their models."""
    has_hosts = HostsState.hosts.length() > 0
    return admin_page(
        "Hosts",
        HostsState,
        lead(
            "The Ollama hosts of the settings, and those of ",
            link("providers", to="/admin/providers"),
            ". RxChat chooses one for each answer: one that responds, has loaded the model, and is not busy.",
            actions=(
                quiet_button(icon("refresh-cw", 15), " Check again", on_click=HostsState.load),
                rx.cond(has_hosts, main_button("Pull a model", on_click=_dialogs.open("pull"))),
            ),
        ),
        flash(HostsState),
        rx.cond(HostsState.jobs.length() > 0, _jobs()),
        rx.cond(
            has_hosts,
            table(
                ("Host", "State", "Loaded", "Answers now", "First token"),
                rx.foreach(HostsState.hosts, _host),
                "Hosts",
            ),
            nothing("No Ollama host", "Set OLLAMA_HOSTS, or add a provider of the kind Ollama."),
        ),
        rx.cond(has_hosts, _models()),
        *_dialogs_of(_dialogs.subject),
    )


def _jobs() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Downloads"),
        rx.el.ul(rx.foreach(HostsState.jobs, _job), class_name="host-jobs", aria_label="Downloads"),
        class_name="admin-section",
    )


def _job(job: JobView) -> rx.Component:
    bar = rx.cond(
        job.done >= 0,
        rx.el.progress(value=job.done, max=1000, aria_label=f"Progress of {job.title}"),
        rx.el.progress(aria_label=f"Progress of {job.title}"),
    )
    return rx.el.li(
        rx.el.div(
            rx.el.b(job.title),
            badge(job.badge, job.look),
            rx.el.span(job.host, " · ", Moment.create(at=job.at), class_name="row-detail"),
            class_name="host-job-words",
        ),
        rx.cond(
            job.is_running,
            quiet_button("Cancel", on_click=HostsState.cancel(job.id), aria_label=f"Cancel {job.title}"),
        ),
        rx.cond(job.is_running, bar),
        rx.cond(
            job.is_running,
            rx.el.p(job.status, rx.cond(job.amount != "", f" · {job.amount}", ""), class_name="row-detail"),
        ),
        rx.cond(job.error != "", rx.el.p(job.error, class_name="row-detail")),
        key=job.id,
        class_name="host-job",
    )


def _host(item: HostView) -> rx.Component:
    names = rx.foreach(item.loaded, lambda name: rx.el.span(name, key=name))
    loaded = rx.el.div(names, class_name="provider-fact")
    return row(
        cell(
            "Host",
            item.name,
            rx.cond(item.provider != "", rx.el.span(f"of the provider {item.provider}", class_name="row-detail")),
            is_head=True,
        ),
        cell(
            "State",
            rx.el.div(
                badge(item.badge, item.look),
                rx.cond(item.problem != "", rx.el.span(item.problem, class_name="row-detail")),
                rx.foreach(item.resting, lambda words: rx.el.span(words, key=words, class_name="row-detail")),
                class_name="provider-fact",
            ),
        ),
        cell("Loaded", rx.cond(item.loaded.length() > 0, loaded, "–")),
        cell("Answers now", item.answers),
        cell("First token", item.first_token),
        key=item.key,
    )


def _models() -> rx.Component:
    return rx.el.section(
        rx.el.h2("Models"),
        rx.cond(
            HostsState.models.length() > 0,
            table(
                ("Model", "Size", "Context", "Host", "Memory", "Actions"),
                rx.foreach(HostsState.models, _model),
                "Models of the hosts",
            ),
            nothing("No model", "Pull one, for example llama3.2."),
        ),
        rx.cond(
            HostsState.more_models > 0,
            rx.el.p(f"{HostsState.more_models} more are not shown.", class_name="text-muted"),
        ),
        class_name="admin-section",
    )


def _model(item: HostModelView) -> rx.Component:
    until = rx.cond(
        item.unloads_at > 0,
        rx.el.span("until ", Moment.create(at=item.unloads_at, is_exact=True), class_name="row-detail"),
    )
    memory = rx.el.div(
        badge("Loaded", "works"),
        rx.cond(item.memory != "", rx.el.span(item.memory, class_name="row-detail")),
        until,
        class_name="provider-fact",
    )
    return row(
        cell("Model", item.name, rx.el.span(item.detail, class_name="row-detail"), is_head=True),
        cell("Size", item.size),
        cell("Context", item.context),
        cell("Host", item.host),
        cell("Memory", rx.cond(item.is_loaded, memory, "–")),
        actions_cell(
            quiet_button(
                "Details",
                on_click=[_dialogs.open("details", item), HostsState.look_at(item.key)],
                aria_label=f"Details of {item.name}",
            ),
            rx.cond(
                item.is_loaded,
                quiet_button("Unload", on_click=HostsState.unload(item.key), aria_label=f"Unload {item.name}"),
                quiet_button("Load", on_click=HostsState.load_model(item.key), aria_label=f"Load {item.name}"),
            ),
            quiet_button(
                "Delete", on_click=_dialogs.open("delete", item), danger=True, aria_label=f"Delete {item.name}"
            ),
        ),
        key=item.key,
    )


def _dialogs_of(item: Any) -> tuple[rx.Component, ...]:
    hosts = rx.foreach(HostsState.hosts, lambda host: rx.el.option(host.name, value=host.key, key=host.key))
    return (
        _dialogs.form(
            "pull",
            "Pull a model",
            _dialogs.field(
                "model",
                "Model",
                missing="Enter the name of a model.",
                placeholder="llama3.2",
                help_text="A name of ollama.com/library, or hf.co/user/model. A large model takes minutes, and gigabytes of the host’s disk.",
                is_first=True,
                longest=LONGEST_MODEL_NAME,
                spell_check=False,
                auto_capitalize="none",
            ),
            select("host", "Host", hosts),
            action="Pull model",
            busy="Asking the host…",
            on_submit=HostsState.pull,
        ),
        _dialogs.form(
            "delete",
            f"Delete “{item.name}”?",
            rx.el.input(type="hidden", name="key", value=item.key),
            lead=f"It is deleted from {item.host}. Conversations with it stay, and are answered by it again only if another host has it, or it is pulled again.",
            action="Delete model",
            on_submit=HostsState.remove,
            danger=True,
        ),
        _dialogs.window(
            "details",
            item.name,
            rx.cond(
                HostsState.looked_at == item.key,
                _details(),
                rx.cond(
                    HostsState.problem != "",
                    rx.el.p(HostsState.problem, role="alert"),
                    skeleton("Asking the host", 90, 60),
                ),
            ),
            rx.el.div(quiet_button("Done", on_click=_dialogs.close), class_name="dialog-actions"),
        ),
    )


def _details() -> rx.Component:
    found = HostsState.details

    def text_of(label: str, text: Any) -> rx.Component:
        return rx.cond(
            text != "",
            rx.el.details(rx.el.summary(label), rx.el.pre(text, tab_index=0, aria_label=label), class_name="host-text"),
        )

    facts = rx.foreach(found.facts, lambda fact: rx.el.div(rx.el.dt(fact[0]), rx.el.dd(fact[1]), key=fact[0]))
    return rx.fragment(
        rx.el.dl(facts, class_name="facts"),
        text_of("Template", found.template),
        text_of("Parameters", found.parameters),
        text_of("System prompt", found.system_prompt),
        text_of("License", found.license),
    )
