"""People who are signed in and conversations of any length, written as the database's owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import psycopg

from rxchat.connections import Connections
from rxchat.domain.ids import new_id
from rxchat.services.platform.session_tokens import SessionToken, SessionTokens
from tests.factories import a_user, add_user
from tests.stored_conversations import StoredMessage, store_conversation

_DAY = timedelta(days=1)
_ANSWER = """## How the {topic} fits together

The short answer is that **{topic}** has three parts, and that each of them can be looked at *alone*. It begins with the
`configure()` step, which reads every setting once; see [the manual](https://example.org/{number}) for all of them.

1. Read the settings, and refuse the ones that make no sense.
2. Open the connections that will be needed, and nothing else.
3. Say so in one line, so that an operator knows where to look.

```python
def configure(path: str, *, attempts: int = {number}) -> Settings:
    settings = Settings.parse(open(path).read())
    for attempt in range(attempts):
        if settings.is_complete():
            return settings
    raise IncompleteSettings(path)
```

| part | seconds | what may go wrong |
|---|---|---|
| reading | 0.{number} | a file that is not there |
| connecting | 1.{number} | a host that does not answer |
| saying so | 0.0 | nothing |

> What is measured once need not be guessed again.

- It is quick where it matters, and says what it waits for where it is not.
- It holds its state in one place, so a restart loses nothing.

{ending}
"""


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an account and a session in a browser."""

    user_id: UUID
    cookie: str


def add_person(at: Connections, name: str = "Ada") -> Person:
    """Add an account and a sign-in of it."""
    current_user = add_user(at.database_owner_url, name)
    with psycopg.connect(at.database_owner_url) as connection:
        connection.execute(
            "INSERT INTO user_session (user_id, id, expires_at) VALUES (%s, %s, now() + %s)",
            (current_user.user_id, current_user.session_id, _DAY),
        )
    token = SessionToken(current_user.user_id, current_user.session_id)
    return Person(current_user.user_id, SessionTokens(at.secret_key).session(token, _DAY))


def add_conversation(
    at: Connections, owner: Person, messages: int, *, model: str, title: str = "Measured", ending: str = "That is all."
) -> UUID:
    """Add a conversation of so many messages, questions and answers by turns; its last paragraph is `ending`."""
    rows = [_message(number, last=messages, model=model, ending=ending) for number in range(1, messages + 1)]
    with psycopg.connect(at.database_owner_url) as connection, connection.cursor() as cursor:
        return store_conversation(cursor, owner.user_id, rows, title=title, model=model)


def add_readers(at: Connections, count: int, *, model: str, messages: int = 10) -> list[tuple[str, UUID]]:
    """Add people, each with a conversation of their own; gives each one's cookie and conversation."""
    rows = [_message(number, last=messages, model=model, ending="That is all.") for number in range(1, messages + 1)]
    users = [a_user(f"Reader {number}") for number in range(count)]
    readers = [(current_user, new_id()) for current_user in users]
    with psycopg.connect(at.database_owner_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO user_account (id, email, name, role, email_confirmed_at) VALUES (%s, %s, %s, %s, now())",
            [
                (current_user.user_id, f"{current_user.user_id.hex}@example.org", current_user.name, current_user.role)
                for current_user in users
            ],
        )
        cursor.executemany(
            "INSERT INTO user_session (user_id, id, expires_at) VALUES (%s, %s, now() + %s)",
            [(current_user.user_id, current_user.session_id, _DAY) for current_user in users],
        )
        for current_user, conversation in readers:
            store_conversation(
                cursor, current_user.user_id, rows, conversation_id=conversation, title="Measured", model=model
            )
    tokens = SessionTokens(at.secret_key)
    return [
        (tokens.session(SessionToken(current_user.user_id, current_user.session_id), _DAY), conversation)
        for current_user, conversation in readers
    ]


def _message(number: int, *, last: int, model: str, ending: str) -> StoredMessage:
    if number % 2:
        return StoredMessage("user", f"Question {number}: how does part {number} work, and what may go wrong there?")
    words = ending if number == last else "Ask again where something is not clear."
    answer = _ANSWER.format(topic=f"part {number}", number=number, ending=words)
    return StoredMessage("assistant", answer, model, tokens=300)
