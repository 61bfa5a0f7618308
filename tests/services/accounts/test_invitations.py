"""Invitations: one for an address, none for one that has an account, and none left over when it gets one."""

from __future__ import annotations

import unicodedata

import psycopg
import pytest

from rxchat.db.accounts import accounts as account_rows
from rxchat.domain.accounts import ClientInfo, CurrentUser, RegistrationMode
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, TooManyAttempts
from rxchat.services.accounts.one_time_links import LinkKind
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import PASSWORD, add_user

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

CALLER = ClientInfo("127.0.0.1", "a browser")


@pytest.fixture
async def admin(services: Services, owner_url: str) -> CurrentUser:
    assert services
    return add_user(owner_url, "Grace", role="admin")


async def invite(services: Services, current_user: CurrentUser, email: str, role: str = "member") -> str:
    link, _ = await services.access.user_admin.invite(current_user, email=email, role=role, client_info=CALLER)
    return link.partition("token=")[2]


async def emails(services: Services, current_user: CurrentUser) -> list[str]:
    return [item.email for item in await services.access.user_admin.invitations(current_user)]


async def test_inviting_again_replaces_the_earlier_invitation_whoever_sent_it(
    services: Services, owner_url: str, admin: CurrentUser
) -> None:
    moderator = add_user(owner_url, "Mo", role="moderator")
    first = await invite(services, moderator, "new@example.org")
    second = await invite(services, admin, "NEW@example.org")
    assert await emails(services, admin) == ["NEW@example.org"]
    with pytest.raises(NotAllowed):
        await services.accounts.registration.get_invitation(first, CALLER)
    assert await services.accounts.registration.get_invitation(second, CALLER) == "NEW@example.org"


async def test_who_may_invite_cannot_ask_for_addresses_without_limit(services: Services, admin: CurrentUser) -> None:
    """Each invitation says whether an address has an account, and may send a mail to a stranger."""
    for number in range(50):
        await invite(services, admin, f"user-{number}@example.org")
    with pytest.raises(TooManyAttempts):
        for number in range(3):
            await invite(services, admin, f"user-{number}@example.net")


async def test_an_address_that_has_an_account_is_not_invited(
    services: Services, owner_url: str, admin: CurrentUser
) -> None:
    known = add_user(owner_url, "Known")
    with pytest.raises(Conflict, match="already has an account"):
        await invite(services, admin, known.email.upper())
    assert await emails(services, admin) == []


async def test_what_is_left_of_invitations_is_closed_when_the_address_gets_an_account(
    services: Services, owner_url: str, admin: CurrentUser
) -> None:
    await invite(services, admin, "zoe@example.org")
    with psycopg.connect(owner_url) as connection:
        # By whichever way: this is not through any of ours.
        connection.execute(
            "INSERT INTO user_account (id, email, name, role) VALUES (gen_random_uuid(), 'Zoe@Example.org', 'Zoe', 'member')"
        )
    assert await emails(services, admin) == []


async def test_composed_and_decomposed_letters_are_one_address(services: Services, admin: CurrentUser) -> None:
    composed = "j\u00f6rg@example.org"
    decomposed = unicodedata.normalize("NFD", composed)
    token = await invite(services, admin, decomposed)
    await services.accounts.registration.accept_invitation(
        token, name="J\u00f6rg", password=PASSWORD, client_info=CALLER
    )
    for email in (composed, decomposed, "J\u00f6RG@Example.org"):
        assert (await services.accounts.sign_in.sign_in(email, PASSWORD, CALLER)).session
        with pytest.raises(Conflict):
            await invite(services, admin, email)


async def test_a_link_is_checked_before_its_form_is_filled_in(services: Services, admin: CurrentUser) -> None:
    token = await invite(services, admin, "new@example.org")
    async with services.access.user_admin._database.begin(admin.user_id) as session:
        links = services.access.user_admin._one_time_links
        made = await links.make(
            session, LinkKind.RESET, email=admin.email, user_id=admin.user_id, is_mailed=True, created_by=admin.user_id
        )
    reset = made.partition("token=")[2]
    await services.accounts.registration.check_link("reset", reset, CALLER)
    for kind, wrong in (("reset", token), ("confirmation", reset), ("reset", "nonsense"), ("setup", reset)):
        with pytest.raises(NotAllowed):
            await services.accounts.registration.check_link(kind, wrong, CALLER)
    # Looking does not use it up.
    await services.accounts.password_reset.reset(reset, "a long enough one", CALLER)
    with pytest.raises(NotAllowed):
        await services.accounts.registration.check_link("reset", reset, CALLER)


async def test_the_link_of_the_first_administrator_is_checked_until_there_is_one(
    services: Services, owner_url: str
) -> None:
    token = await services.accounts.registration.setup_token()
    assert token
    await services.accounts.registration.check_link("setup", token, CALLER)
    add_user(owner_url, "First", role="admin")
    with pytest.raises(NotAllowed):
        await services.accounts.registration.check_link("setup", token, CALLER)


async def test_ones_own_address_is_no_password_wherever_one_is_chosen(services: Services, admin: CurrentUser) -> None:
    token = await invite(services, admin, "barbara.liskov@example.org")
    for password in ("barbara.liskov", "RxChatRxChat", "Barbara Liskov"):
        with pytest.raises(InvalidInput, match="your e-mail address, your name"):
            await services.accounts.registration.accept_invitation(
                token, name="Barbara Liskov", password=password, client_info=CALLER
            )
    await services.accounts.registration.accept_invitation(
        token, name="Barbara Liskov", password=PASSWORD, client_info=CALLER
    )
    async with services.access.user_admin._database.begin(admin.user_id) as session:
        made = await services.access.user_admin._one_time_links.make(
            session, LinkKind.RESET, email=admin.email, user_id=admin.user_id, is_mailed=True, created_by=admin.user_id
        )
    with pytest.raises(InvalidInput, match="your e-mail address, your name"):
        await services.accounts.password_reset.reset(made.partition("token=")[2], admin.email, CALLER)
    with pytest.raises(InvalidInput, match="your e-mail address, your name"):
        await services.accounts.password_reset.change(
            admin, present="any", wanted=admin.email.upper(), client_info=CALLER
        )


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"registration": RegistrationMode.OPEN})


async def test_who_registers_where_there_is_no_mail_is_signed_in(services: Services, admin: CurrentUser) -> None:
    admission = await services.accounts.registration.register(
        name="Zoe", email="zoe@example.org", password=PASSWORD, client_info=CALLER
    )
    assert admission
    assert admission.session
    with pytest.raises(Conflict, match="Sign in"):
        await services.accounts.registration.register(
            name="Zoe", email="ZOE@example.org", password=PASSWORD, client_info=CALLER
        )


SPELLINGS = ("jörg@exämple.org", "jörg@xn--exmple-cua.org", "jörg@EXÄMPLE.ORG.", "jörg@xn--exmple-cua.org.")


async def test_spellings_of_one_address_have_one_invitation_and_one_account(
    services: Services, owner_url: str, admin: CurrentUser
) -> None:
    links = [await invite(services, admin, spelling) for spelling in SPELLINGS]
    assert await emails(services, admin) == [SPELLINGS[0]]
    for old in links[:-1]:
        with pytest.raises(NotAllowed):
            await services.accounts.registration.accept_invitation(
                old, name="Jörg", password=PASSWORD, client_info=CALLER
            )
    await services.accounts.registration.accept_invitation(
        links[-1], name="Jörg", password=PASSWORD, client_info=CALLER
    )
    for spelling in SPELLINGS:
        with pytest.raises(Conflict, match="already has an account"):
            await invite(services, admin, spelling)
        assert await services.accounts.sign_in.sign_in(spelling, PASSWORD, CALLER)


@pytest.mark.parametrize("stored", SPELLINGS)
async def test_an_account_that_was_stored_as_it_was_typed_is_found_by_every_spelling(
    services: Services, owner_url: str, admin: CurrentUser, stored: str
) -> None:
    earlier = add_user(owner_url, "Jörg")
    with psycopg.connect(owner_url) as connection:
        connection.execute("UPDATE user_account SET email = %s WHERE id = %s", (stored, earlier.user_id))
    for spelling in SPELLINGS:
        async with services.access.user_admin._database.begin(None) as session:
            found = await account_rows.find_by_email(session, spelling)
        assert found and found.id == earlier.user_id
        with pytest.raises(Conflict, match="already has an account"):
            await invite(services, admin, spelling)


async def test_of_two_accounts_that_earlier_spellings_made_each_is_found_by_its_own(
    services: Services, owner_url: str, admin: CurrentUser
) -> None:
    both = [add_user(owner_url, "One"), add_user(owner_url, "Two")]
    with psycopg.connect(owner_url) as connection:
        for current_user, spelling in zip(both, SPELLINGS, strict=False):
            connection.execute("UPDATE user_account SET email = %s WHERE id = %s", (spelling, current_user.user_id))
    async with services.access.user_admin._database.begin(None) as session:
        found = [await account_rows.find_by_email(session, spelling) for spelling in SPELLINGS[:2]]
    assert [item and item.id for item in found] == [current_user.user_id for current_user in both]
