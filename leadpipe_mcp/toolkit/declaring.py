"""How a tool is declared: its arguments, its reply, its words and hints, and a call of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, TypeVar, cast, get_type_hints

from mcp.types import ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from leadpipe_mcp.api.budget import CallBudget
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.toolkit.confirm import Action, Codes, Request, ask
from leadpipe_mcp.toolkit.offered import OfferedTools
from leadpipe_mcp.toolkit.presenting import presentable_question


class Arguments(BaseModel):
    """The arguments of a tool: camelCase outside, nothing unknown, never shown in an error."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, hide_input_in_errors=True
    )
    thing: ClassVar[str] = "audience"
    """What an `id` is the id of; a client may write it out, as in audienceId."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: object) -> object:
        """What was given, where null for something that has a default is nothing given."""
        if not isinstance(given, dict):
            return given
        fields = cls.model_fields.values()
        filled = {f.alias for f in fields if not f.is_required() and f.default is not None}
        named = cast("dict[str, object]", given)
        return {name: v for name, v in named.items() if v is not None or name not in filled}

    @model_validator(mode="before")
    @classmethod
    def _with_its_id(cls, given: object) -> object:
        """Move an id that came as `audienceId` to `id`, or the other way, to the one published."""
        if not isinstance(given, dict):
            return given
        named = dict(cast("dict[str, object]", given))
        both = {"id", f"{cls.thing}Id"}
        published = both & {field.alias for field in cls.model_fields.values()}
        if len(published) != 1:
            return named
        (name,), (other,) = published, both - published
        said = named.pop(other, None)
        if said is None:
            return named
        if named.get(name) not in (None, said):
            raise NotPossible(
                f"id and {cls.thing}Id both name the {cls.thing}, and they differ.",
                "Give one of them.",
            )
        return named | {name: said}


class Suggestion(BaseModel):
    """A call that makes sense now."""

    tool: str
    arguments: dict[str, JsonValue] | None = None
    why: str


class Reply(BaseModel):
    """What every reply says: a summary first, then the tool's own data, then what to mind."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    summary: str = Field(description="The answer in a sentence or two.")
    warnings: list[str] | None = Field(default=None, description="What to mind.")
    next: list[Suggestion] | None = Field(default=None, description="Calls that make sense now.")
    sandbox: bool | None = Field(default=None, description="True: the people are invented.")


class Question(Reply):
    """The reply of a tool that has to ask first: nothing was changed, and `confirm` is the code."""

    question: str = Field(description="To put to the user before going on.")
    confirm: str = Field(description="Repeat the call with this code once the user has agreed.")


@dataclass(frozen=True)
class Kit:
    """What every call works with: the open questions, the tools on offer, what was decided."""

    codes: Codes
    offered: OfferedTools
    asks: bool
    """Whether the human is asked before something is spent or gone."""
    invented: bool
    """Whether the people are invented, which every reply then says."""
    changed: Callable[[], None]
    """Called after each call that may have changed something."""


@dataclass(frozen=True)
class Call:
    """One call of a tool: what it works with, and the way back to the client while it runs."""

    kit: Kit
    request: Request
    budget: CallBudget
    agreed: str | None = None
    """The code of a yes that the human gave in the middle of this call."""

    async def confirm(self, action: Action, code: str | None) -> None:
        """End the call here, unless the human agreed to the action."""
        if self.kit.asks:
            with self.budget.asking_a_human():
                shown = replace(action, question=presentable_question(action.question))
                await ask(shown, code, self.kit.codes, self.request, agreed=self.agreed)

    def code_in_hand(self, code: str | None) -> str:
        """The code of the question that this call answers; empty if it answers none."""
        return self.agreed or code or self.request.state or ""

    async def progress(self, done: float, total: float, message: str) -> None:
        """Tell the client how far the call is."""
        self.budget.done = max(done, self.budget.done)
        await self.request.report(self.budget.done, total, message)

    async def tell(self, message: str) -> None:
        """Tell the client why it takes longer."""
        # Progress has to grow, though nothing was done.
        self.budget.done += 0.001
        await self.request.report(self.budget.done, None, message)


C = TypeVar("C", bound=Call)
A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Reply)


@dataclass(frozen=True)
class Declaration(Generic[C, A, R]):
    """A tool as it is written down: its words, its hints, and the function that does it."""

    name: str
    title: str
    description: str
    hints: ToolAnnotations
    arguments: type[A]
    reply: type[R]
    function: Callable[[C, A], Awaitable[R]]


def tool(
    title: str, *, reads: bool = False, destroys: bool = False, idempotent: bool = False
) -> Callable[[Callable[[C, A], Awaitable[R]]], Declaration[C, A, R]]:
    """Declare a tool: its name is the function's, its description the docstring.

    Args:
        title: What a person sees in a list of tools.
        reads: It changes nothing.
        destroys: What it changes cannot be had back.
        idempotent: Calling it twice is calling it once.
    """

    def declare(function: Callable[[C, A], Awaitable[R]]) -> Declaration[C, A, R]:
        types = get_type_hints(function)
        hints = ToolAnnotations(
            title=title,
            read_only_hint=reads,
            destructive_hint=destroys,
            idempotent_hint=reads or idempotent,
            open_world_hint=True,
        )
        return Declaration(
            name=function.__name__,
            title=title,
            description=" ".join((function.__doc__ or "").split()),
            hints=hints,
            arguments=types["asked"],
            reply=types["return"],
            function=function,
        )

    return declare
