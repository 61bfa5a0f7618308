"""Creates rows with sensible defaults, as the owner of the database."""

from __future__ import annotations

from uuid import UUID

from rxchat.db.accounts import accounts as account_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import MEMBER, ClientInfo, CurrentUser
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import Permission
from rxchat.services.app.container import Services
from tests import owner

ROLE_PERMISSIONS = {
    "admin": frozenset(Permission),
    "moderator": frozenset(Permission)
    - {
        Permission.CONVERSATIONS_READ_ANY,
        Permission.USERS_MANAGE,
        Permission.ROLES_MANAGE,
        Permission.GRANTS_MANAGE,
        Permission.SETTINGS_MANAGE,
        Permission.MODELS_MANAGE,
        Permission.SYSTEM_QUOTAS,
    },
    "member": frozenset(
        {
            Permission.CONVERSATIONS_CREATE,
            Permission.MODELS_USE,
            Permission.COLLECTIONS_CREATE,
            Permission.KEYS_CREATE,
        }
    ),
    "guest": frozenset({Permission.CONVERSATIONS_CREATE}),
}
PASSWORD = "correct horse battery"


def add_user(owner_url: str, name: str = "Ada", role: str = MEMBER) -> CurrentUser:
    """Insert an account and return it as a signed-in user."""
    current_user = a_user(name, role)
    with owner.transaction(owner_url) as connection:
        connection.execute(
            "INSERT INTO user_account (id, email, name, role, email_confirmed_at) VALUES (%s, %s, %s, %s, now())",
            (current_user.user_id, current_user.email, name, role),
        )
    return current_user


def a_user(name: str = "Ada", role: str = MEMBER) -> CurrentUser:
    """Return a user without any row in the database."""
    user_id = new_id()
    return CurrentUser(
        user_id=user_id,
        session_id=new_id(),
        name=name,
        email=f"{name.lower()}-{user_id.hex[-8:]}@example.org",
        role=role,
        permissions=ROLE_PERMISSIONS[role],
    )


async def first_administrator(services: Services, email: str = "ada@example.org", name: str = "Ada") -> str:
    """Create the first account with its setup link, and return its session cookie."""
    token = await services.accounts.registration.setup_token()
    assert token
    admission = await services.accounts.registration.create_first_administrator(
        token, name=name, email=email, password=PASSWORD, client_info=ClientInfo("127.0.0.1", "a browser")
    )
    assert admission.session
    return services.accounts.sessions.cookie_of(admission.session)


async def signed_in_as(services: Services, current_user: CurrentUser, *, second_factor: bool = False) -> str:
    """Return a session cookie of an existing user, as after a sign-in with a password."""
    token = await services.accounts.sessions.open(
        current_user.user_id, ClientInfo("127.0.0.1", "a browser"), method="password", second_factor=second_factor
    )
    return services.accounts.sessions.cookie_of(token)


async def add_first_user(database: Database) -> UUID:
    """Create the first account of an empty database through its procedure."""
    user_id = new_id()
    async with database.begin(user_id) as session:
        created = await account_rows.create_first_administrator(
            session, user_id, email=f"{user_id}@example.org", name="First", password_hash="none"
        )
    assert created
    return user_id
