"""What a model is asked for one answer: the history with instructions, parameters, and passages of the context sources."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any
from uuid import UUID

from rxchat.background import retry
from rxchat.db.access import roles as role_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.assistants import AssistantContent, ChosenAssistant
from rxchat.domain.chat import ChatMessage, ChatOptions
from rxchat.domain.errors import DatabaseUnavailable, ModelError
from rxchat.domain.model_parameters import (
    Configuration,
    excess,
    merged,
    options_of,
    system_messages,
    without_excess,
)
from rxchat.domain.permissions import Permission
from rxchat.domain.ports import ChatModel
from rxchat.domain.preferences import instructions_message
from rxchat.domain.projects import project_message
from rxchat.domain.retrieval import Source
from rxchat.domain.runs import ClaimedRun, PartialAnswer
from rxchat.services.chat.seen_pictures import SeenMessages, SeenPictures
from rxchat.services.models.parameters import support_for
from rxchat.services.retrieval.prompt_context import PromptContext, PromptContextBuilder

_HISTORY_MESSAGES = 200
_RETRY_SECONDS = 1.0
_GROUNDING_TRIES = 60

FindDefaults = Callable[[str], Awaitable[Configuration]]
"""Returns what is set for a model, by its name."""


async def no_defaults(_model: str) -> Configuration:
    """Return that nothing is set."""
    return Configuration()


FindFallbacks = Callable[[UUID, str], Awaitable[Sequence[str]]]
"""Returns the models that may answer a user instead of one, by its name, the best first."""


async def no_fallbacks(_owner_id: UUID, _model: str) -> Sequence[str]:
    """Return that no other model may answer."""
    return ()


@dataclass(frozen=True, slots=True)
class AnswerPrompt:
    """What is known before the model is asked."""

    messages: list[ChatMessage] = field(default_factory=list)
    written: PartialAnswer = field(default_factory=PartialAnswer)
    """The stored part of the answer."""
    is_grounded: bool = False
    """Whether the conversation has context sources."""
    parameters: dict[str, Any] = field(default_factory=dict)
    """Those of the message before those of the conversation, of its assistant, and of the model."""
    may_use_tools: bool = True
    attached: list[list[dict[str, Any]]] = field(default_factory=list)
    """The attachments of each of the messages."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """The parameters that administrators have set for the model."""

    @property
    def options(self) -> ChatOptions:
        """The parameters as the model's options."""
        return options_of(self.parameters)


class AnswerPrompts:
    """Makes the prompts of answers."""

    def __init__(
        self,
        database: Database,
        model: ChatModel,
        context_builder: PromptContextBuilder | None = None,
        find_defaults: FindDefaults = no_defaults,
        pictures: SeenPictures | None = None,
    ) -> None:
        self._database = database
        self._model = model
        self._pictures = pictures
        self._context_builder = context_builder
        self._find_defaults = find_defaults

    async def load(self, run: ClaimedRun) -> AnswerPrompt:
        """Read the history and the stored text of the answer, in one query, since a user waits; retries while Postgres is away."""
        return await retry(partial(self._load, run), DatabaseUnavailable, _RETRY_SECONDS)

    async def _load(self, run: ClaimedRun) -> AnswerPrompt:
        thread = await turn_queries.prompt_history(
            self._database.reading(run.owner_id), run.owner_id, run.conversation_id, run.message_id, _HISTORY_MESSAGES
        )
        written = thread.itself
        if run.fence > 1:
            # An earlier engine has written a part of it.
            async with self._database.begin(run.owner_id) as session:
                written = await run_rows.partial_answer(session, run.owner_id, run.id)
        defaults, assistant = await self._find_defaults(run.model), ChosenAssistant.of(thread.assistant)
        preset = assistant.content if assistant else AssistantContent(name="")
        given = system_messages(
            thread.system_prompt or preset.system_prompt or defaults.system_prompt,
            [instructions_message(thread.custom_instructions), project_message(thread.project_instructions)],
        )
        return AnswerPrompt(
            [*given, *thread.before],
            written,
            thread.is_grounded,
            merged(defaults.parameters, preset.parameters, thread.parameters, thread.question_parameters),
            preset.may_use_tools,
            [*([] for _ in given), *thread.attached],
            defaults.parameters,
        )

    async def answerable(self, run: ClaimedRun, prompt: AnswerPrompt) -> AnswerPrompt:
        """Return a prompt with the parameters that the model takes and the user may set.

        What was set by a user with more rights, or before a limit was lowered, is lowered to the limit.

        Raises:
            ModelRefused: when the model does not take a parameter.
        """
        support = await support_for(self._model, run.model, prompt.options)
        if support is None or excess(prompt.options, support) is None or await self._manages_models(run):
            return prompt
        return replace(prompt, parameters=without_excess(prompt.parameters, support, prompt.defaults))

    async def _manages_models(self, run: ClaimedRun) -> bool:
        async def read() -> bool:
            async with self._database.begin(run.owner_id) as session:
                return await role_rows.current_user_can(session, Permission.MODELS_MANAGE)

        return await retry(read, DatabaseUnavailable, _RETRY_SECONDS)

    async def grounded(self, run: ClaimedRun, prompt: AnswerPrompt, *, is_new: bool) -> PromptContext:
        """Return the messages with their pictures, if the model sees, and with the passages of the context sources.

        Raises:
            ModelError: when Postgres does not respond for a minute.
        """
        try:
            return await retry(
                partial(self._grounded, run, prompt, is_new),
                DatabaseUnavailable,
                _RETRY_SECONDS,
                tries=_GROUNDING_TRIES,
            )
        except DatabaseUnavailable as error:
            raise ModelError("The files of this conversation could not be searched. Try again.") from error

    async def _grounded(self, run: ClaimedRun, prompt: AnswerPrompt, is_new: bool) -> PromptContext:
        seen = SeenMessages(prompt.messages)
        if self._pictures is not None:
            seen = await self._pictures.added(run, prompt.messages, prompt.attached)
        if self._context_builder is None or not prompt.is_grounded:
            return PromptContext(seen.messages, warnings=seen.warnings, is_searched=False)
        found = await self._context_builder.build(run, seen.messages, is_new=is_new, sees=seen.sees)
        return replace(found, warnings=(*found.warnings, *seen.warnings))

    async def keep(self, run: ClaimedRun, sources: Sequence[Source]) -> None:
        """Store the sources that the model found with tools; retries while Postgres is away."""
        if self._context_builder is not None:
            await retry(partial(self._context_builder.keep, run, sources), DatabaseUnavailable, _RETRY_SECONDS)
