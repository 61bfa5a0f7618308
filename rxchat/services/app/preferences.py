"""A user's preferences: instructions for every model, and the model of new conversations."""

from __future__ import annotations

from rxchat.db.accounts import preferences as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import InvalidInput
from rxchat.domain.permissions import Scope
from rxchat.domain.preferences import MOST_FAVORITES, Preferences, valid_instructions, valid_model_name


class UserPreferences:
    """Use cases for the user's own preferences."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, current_user: CurrentUser) -> Preferences:
        """Return the user's preferences."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.get(session, current_user.user_id)

    async def set_instructions(self, current_user: CurrentUser, text: str) -> str:
        """Store the custom instructions, and return them as stored; they apply to all answers that begin from now on.

        Raises:
            InvalidInput: when they are too long.
        """
        require_scope(current_user, Scope.CHAT)
        text = valid_instructions(text)
        async with self._database.begin(current_user.user_id) as session:
            await rows.change(session, current_user.user_id, custom_instructions=text)
        return text

    async def set_default_model(self, current_user: CurrentUser, name: str) -> None:
        """Store the model of new conversations; "" for the instance's default.

        Raises:
            InvalidInput: when no model has such a name.
        """
        require_scope(current_user, Scope.CHAT)
        name = valid_model_name(name)
        async with self._database.begin(current_user.user_id) as session:
            await rows.change(session, current_user.user_id, default_model=name)

    async def favorite_models(self, current_user: CurrentUser) -> tuple[str, ...]:
        """Return the user's favorites, for a program that may ask models."""
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            return (await rows.get(session, current_user.user_id)).favorite_models

    async def set_favorite_model(self, current_user: CurrentUser, name: str, *, is_favorite: bool) -> tuple[str, ...]:
        """Put a model among the user's favorites, or remove it from them, and return the favorites.

        Raises:
            InvalidInput: when no model has such a name, or there are too many favorites.
        """
        require_scope(current_user, Scope.CHAT)
        name = valid_model_name(name)
        async with self._database.begin(current_user.user_id) as session:
            await rows.take_turns(session, current_user.user_id)
            others = [item for item in (await rows.get(session, current_user.user_id)).favorite_models if item != name]
            favorites = [*others, name] if is_favorite and name else others
            if len(favorites) > MOST_FAVORITES:
                raise InvalidInput(f"You can have at most {MOST_FAVORITES} favorite models. Remove one first.")
            await rows.change(session, current_user.user_id, favorite_models=favorites)
        return tuple(favorites)
