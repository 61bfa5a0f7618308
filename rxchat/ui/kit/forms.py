"""Forms and their fields."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function, local_state
from rxchat.ui.kit.elements import UNDEFINED, at_most, icon, main_button

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 1_000
LONGEST_NAME, LONGEST_EMAIL = 100, 254
NEW_PASSWORD_HELP = f"At least {SHORTEST_PASSWORD} characters; a sentence is easy to remember."
_IDLE = {"busy": False, "problem": "", "code": "", "wait": 0, "fields": {}, "data": None}
_PARTS = {"busy": bool, "problem": str, "code": str, "wait": int, "data": dict[str, Any]}
_wait_words = js_function("waitWords", "words.js")
_request = js_function("request", "http-form.jsx")


class HttpForm(ClientComponent):
    """A form that is sent over HTTP and not over the websocket: for passwords, and for what sets a cookie."""

    library = module("http-form.jsx")
    tag = "HttpForm"

    name: rx.Var[str]
    action: rx.Var[str]
    extra: rx.Var[dict[str, Any]]
    leaves: rx.Var[bool]
    problem: rx.Var[str]
    perform: rx.Var[Any]
    on_done: rx.EventHandler[rx.event.passthrough_event_spec(dict[str, Any])]


class HttpRequest(ClientComponent):
    """A request that is made when the page is drawn."""

    library = module("http-form.jsx")
    tag = "HttpRequest"

    name: rx.Var[str]
    path: rx.Var[str]
    body: rx.Var[dict[str, Any]]
    on_done: rx.EventHandler[rx.event.passthrough_event_spec(dict[str, Any])]


class _FieldProblems:
    """The errors of a form's fields, by the fields' names."""

    def __init__(self, status: ClientValue) -> None:
        self._status = status

    def __getitem__(self, name: str) -> rx.Var[str]:
        """Return the error of a field; "" if it has none."""
        found = self._status.value["fields"].to(dict[str, str])[name]
        return rx.Var(f'({found!s} ?? "")', _var_type=str, _var_data=found._get_all_var_data()).guess_type()


class FormStatus:
    """An `HttpForm` and its status: `busy`, `problem`, `code`, `wait` (seconds), `fields` (their errors), `data` (the answer)."""

    busy: rx.Var[bool]
    problem: rx.Var[str]
    code: rx.Var[str]
    wait: rx.Var[int]
    data: rx.Var[dict[str, Any]]

    def __init__(self, name: str) -> None:
        """Name the form, uniquely among all pages."""
        self.name, self._status = name, ClientValue(name, _IDLE, dict[str, Any])
        self.fields = _FieldProblems(self._status)

    def __getattr__(self, part: str) -> rx.Var:
        """Return a part of the status."""
        if part not in _PARTS:
            raise AttributeError(part)
        return self._status.value[part].to(_PARTS[part])

    @property
    def initial_value(self) -> dict[str, rx.Var]:
        """The status of a form that was not sent yet, by name; for `fresh`."""
        return self._status.initial_value

    @property
    def succeeded(self) -> rx.Var[bool]:
        """Whether the server has accepted the form."""
        return rx.Var(_js_expr=f"({self.data!s} !== null)", _var_type=bool, _var_data=self.data._get_all_var_data())

    def reset(self) -> Any:
        """A trigger after which nothing has been sent."""
        return in_sequence(self.resetting())

    def resetting(self) -> rx.Var:
        """The same as a call, for `in_sequence` and `on_answer`."""
        return self._status.assign(_IDLE)

    def form(self, *content: Any, action: Any = "", **props: Any) -> rx.Component:
        """The form, with its error above its content."""
        return HttpForm.create(form_problem(self.problem), *content, name=self.name, action=action, **props)

    def requested(self, path: Any, **props: Any) -> rx.Component:
        """Make a request when the page is drawn: a GET, or a POST with a `body`."""
        return HttpRequest.create(name=self.name, path=path, **props)

    def request(self, path: Any, body: Any = UNDEFINED, on_done: Any = UNDEFINED, perform: Any = UNDEFINED) -> rx.Var:
        """The call that makes a request without a form, for `in_sequence`; `perform` makes it in another way."""
        return _request.call(self.name, path, body, on_done, perform)

    def field(self, name: str, label: str, **options: Any) -> rx.Component:
        """A field of the form, with its error."""
        return field(name, label, problem=self.fields[name], **options)

    def submit(self, words: Any, busy: Any, *, danger: bool = False, **props: Any) -> rx.Component:
        """The button that sends the form; while the server refuses attempts it counts the seconds down."""
        waiting = f"Try again in {_wait_words.call(self.wait).to(str)}"
        return main_button(
            rx.cond(self.wait > 0, waiting, rx.cond(self.busy, busy, words)),
            type="submit",
            danger=danger,
            disabled=self.wait > 0,
            aria_disabled=self.busy,
            **props,
        )


def form_problem(words: Any) -> rx.Component:
    """The error of a form."""
    return rx.cond(
        words != "",
        rx.el.p(icon("triangle-alert", 16, 1.75), rx.el.span(words), role="alert", class_name="form-problem"),
    )


def labelled(
    name: str,
    label: str,
    control: rx.Component,
    *,
    help_text: Any = "",
    problem: Any = "",
    is_announced: bool = False,
) -> rx.Component:
    """A control with its label, and its help or its error; its id is `name`.

    `is_announced` is for errors that arrive while the focus is elsewhere.
    """
    is_wrong = problem != ""
    live = {"role": "alert"} if is_announced else {}
    wrong = rx.el.p(problem, id=f"{name}-problem", class_name="field-problem", **live)
    words = rx.el.p(help_text, id=f"{name}-help", class_name="field-help") if _is_given(help_text) else rx.fragment()
    below = rx.cond(is_wrong, wrong, words) if isinstance(problem, rx.Var) else words
    return rx.el.div(rx.el.label(label, html_for=name), control, below, class_name="field")


def _is_given(words: Any) -> bool:
    return isinstance(words, rx.Var) or bool(words)


def field(
    name: str,
    label: str,
    *,
    identifier: str = "",
    missing: str = "",
    help_text: Any = "",
    problem: Any = "",
    is_first: bool = False,
    is_announced: bool = False,
    longest: int = LONGEST_NAME,
    data: dict[str, Any] | None = None,
    **props: Any,
) -> rx.Component:
    """A labelled line of text.

    Args:
        name: Its name in the form.
        label: Its label.
        identifier: Its id, if a page has two of this name.
        missing: The message if it is empty; without one it is optional.
        help_text: What helps to fill it in.
        problem: The error that the form shows.
        is_first: Whether the form begins with the focus here.
        is_announced: Whether screen readers read the error when it appears.
        longest: How many characters it may have; a longer text stays in the field, which says so.
        data: Further attributes, such as `data-invalid`: the message for a value that the browser refuses.
        props: Further properties of the input.
    """
    identifier = identifier or name
    attributes: dict[str, Any] = at_most(longest) | ({"data-missing": missing} if missing else {})
    if isinstance(problem, rx.Var):
        attributes["aria-invalid"] = rx.cond(problem != "", "true", "false")
    if _is_given(help_text) or isinstance(problem, rx.Var):
        props["aria_describedby"] = f"{identifier}-problem {identifier}-help"
    control = rx.el.input(
        id=identifier,
        name=name,
        required=bool(missing),
        auto_focus=is_first,
        custom_attrs=attributes | ({"data-autofocus": ""} if is_first else {}) | (data or {}),
        **({"auto_complete": "off"} | props),
    )
    return labelled(identifier, label, control, help_text=help_text, problem=problem, is_announced=is_announced)


def text_area(
    name: str,
    label: str,
    *,
    help_text: Any = "",
    problem: Any = "",
    is_announced: bool = False,
    longest: int = 500,
    **props: Any,
) -> rx.Component:
    """A labelled text of several lines; its id is `name`. The arguments are those of `field`."""
    attributes: dict[str, Any] = at_most(longest)
    if isinstance(problem, rx.Var):
        attributes["aria-invalid"] = rx.cond(problem != "", "true", "false")
    described = f"{name}-problem {name}-help"
    control = rx.el.textarea(
        id=name, name=name, aria_describedby=described, custom_attrs=attributes, **({"rows": "3"} | props)
    )
    return labelled(name, label, control, help_text=help_text, problem=problem, is_announced=is_announced)


def email_field(problem: Any = "", **props: Any) -> rx.Component:
    """The e-mail address of an account."""
    return field(
        "email",
        "E-mail",
        type="email",
        missing="Enter your e-mail address.",
        data={"data-invalid": "This is not a valid e-mail address."},
        longest=LONGEST_EMAIL,
        problem=problem,
        spell_check=False,
        auto_capitalize="none",
        **({"auto_complete": "username"} | props),
    )


def password_field(
    problem: Any,
    *,
    name: str = "password",
    label: str = "Password",
    identifier: str = "",
    is_new: bool = False,
    is_first: bool = False,
) -> rx.Component:
    """A password, which a button shows."""
    return _password_field(
        name=name,
        identifier=identifier or name,
        label=label,
        problem=problem,
        what=label.lower().removeprefix("your "),
        help_text=NEW_PASSWORD_HELP if is_new else "",
        complete="new-password" if is_new else "current-password",
        shortest=SHORTEST_PASSWORD if is_new else 0,
        is_first=is_first,
    )


@rx.memo
def _password_field(
    name: rx.Var[str],
    identifier: rx.Var[str],
    label: rx.Var[str],
    problem: rx.Var[str],
    what: rx.Var[str],
    help_text: rx.Var[str],
    complete: rx.Var[str],
    shortest: rx.Var[int],
    is_first: rx.Var[bool],
) -> rx.Component:
    shown = local_state("isShown", False)
    return rx.el.div(
        rx.el.label(label, html_for=identifier),
        rx.el.div(
            rx.el.input(
                id=identifier,
                name=name,
                type=rx.cond(shown.value, "text", "password"),
                auto_complete=complete,
                auto_focus=is_first,
                required=True,
                min_length=shortest,
                spell_check=False,
                auto_capitalize="none",
                aria_describedby=f"{identifier}-problem {identifier}-help",
                custom_attrs={
                    "data-missing": f"Enter your {what}.",
                    "data-short": f"Use at least {shortest} characters.",
                    "data-secret": "",
                    **at_most(LONGEST_PASSWORD),
                    "data-autofocus": rx.cond(is_first, "", rx.Var("undefined")),
                    "aria-invalid": rx.cond(problem != "", "true", "false"),
                },
            ),
            rx.el.button(
                rx.cond(shown.value, icon("eye-off", 17, 1.75), icon("eye", 17, 1.75)),
                type="button",
                class_name="icon-button small eye",
                aria_label=rx.cond(shown.value, f"Hide the {what}", f"Show the {what}"),
                on_click=shown.set_value(~shown.value),
            ),
            class_name="relative",
        ),
        rx.cond(
            problem != "",
            rx.el.p(problem, id=f"{identifier}-problem", class_name="field-problem"),
            rx.cond(help_text != "", rx.el.p(help_text, id=f"{identifier}-help", class_name="field-help")),
        ),
        class_name="field",
    )


def select(name: str, label: str, choices: Any, *, help_text: Any = "", **props: Any) -> rx.Component:
    """A labelled choice; `choices` are the options."""
    return labelled(name, label, rx.el.select(choices, id=name, name=name, **props), help_text=help_text)
