"""The contract with programs: nothing that they use goes unnoticed, and every route says and needs its scope."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import uuid4

import pytest

from rxchat.api.openai.bodies import ChatCompletionRequest
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.permissions import Scope
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.api import contract
from tests.api.programs import key_of
from tests.security.http import Open, error_of, http_clients
from tests.security.test_routes_walk import filled

ROUTES = contract.contract()


@pytest.fixture
async def clients(services: Services, settings: Settings) -> AsyncGenerator[Open]:
    assert services
    async with http_clients(settings) as opened:
        yield opened


def test_the_contract_is_the_reviewed_one() -> None:
    assert contract.PAGE.read_text() == contract.text(), (
        "look at the difference, then run `python -m tests.api.contract`"
    )


def test_every_route_states_one_scope() -> None:
    assert {facts["scope"] for facts in ROUTES.values()} <= {scope.value for scope in Scope}
    changing = [
        route for route, facts in ROUTES.items() if not route.startswith("GET") and facts["scope"] == Scope.READ
    ]
    assert changing == []


def test_examples_of_the_description_are_valid() -> None:
    field = ChatCompletionRequest.model_fields["messages"]
    assert ChatCompletionRequest(model="m", messages=(field.examples or [])[0]).chat_messages()


@pytest.mark.anyio
@pytest.mark.without_engine
async def test_a_key_with_all_other_scopes_gets_nothing(
    services: Services, current_user: CurrentUser, clients: Open, subtests: pytest.Subtests
) -> None:
    # Of a body that is valid for every route, so that its scope alone is missing.
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "prompt": "x", "input": "x", "text": "x"}
    others = {
        scope: await key_of(services, current_user, *({"read", "chat", "files"} - {scope}))
        for scope in ("read", "chat", "admin")
    }
    for route, facts in ROUTES.items():
        with subtests.test(route=route):
            method, path = route.split()
            client = clients(authorization=f"Bearer {others[facts['scope']]}")
            known = {name: body[name] for name in body if {name, f"{name}*"} & set(facts["body"])}
            answer = await client.request(method, filled(path, uuid4()), json=known)
            assert answer.status_code == 403, answer.text
            assert "not_allowed" in answer.text or "does not have the scope" in error_of(answer)
