"""Ready-made conversations: what a person who builds audiences would ask, said well.

Also what is offered while a person types an argument of one, or of a resource.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mcp import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptRequestParams,
    GetPromptResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from leadpipe_mcp.errors import LeadpipeError
from leadpipe_mcp.text import clean
from leadpipe_mcp.toolkit import OfferedTools
from leadpipe_mcp.toolkit.calls import Context

if TYPE_CHECKING:
    from leadpipe_mcp.api.leadpipe import LeadpipeClient

LONGEST_WORDS = 1_000
MOST_VALUES = 20
LONGEST_VALUE = 200

GOAL = PromptArgument(
    name="goal",
    description="What you want, in your own words: who to reach, with what, where, how many.",
    required=True,
)
OPTIONAL_GOAL = GOAL.model_copy(update={"required": False})
AUDIENCE_TYPE = PromptArgument(name="audienceType", description="b2b, b2c or both.")

BUILD = """\
Build an audience for me.

What I want: {goal}
{audienceType}
Please go about it like this:
1. Take what I want apart and call plan_audience once: what such people research as topics, who
   they are as filters, who I do not want as exclude, how many I want as targetSize, my website if I
   named one. Everyday words do as values ("VP", "SaaS", "CA", "51-200").
2. Tell me what it took for each of my words, what is only near, what no filter can say, and how
   many people there are. Where it chose for me, ask me.
3. If the number is far from what I need, say which change would reach it, and what that
   costs. Plan again, or try it with preview_audience, once I have chosen.
4. Save the config as it stands with create_audience as a draft once I agree. Do not activate it
   unless I say so: that takes one of my slots.
"""

DISCOVER = """\
Find out which topics are researched by the people I want to reach.

What I want: {goal}
{audienceType}{industry}{category}
Search with several phrases at once (search_topics): what such people would look into before they
buy, the problems they have, the names of the tools they use. Compare the best five to ten with
compare_topics: how many people, and whether interest grows. Then give me a short list, best first,
with the number of people for each and one sentence why, and name those that sound right but are too
small or too broad. Do not create anything yet.
"""

OPERATE = """\
Look after my saved audience {audienceId}.

{goal}
Start with get_audience: tell me what it is made of, its status, its size, and when its people were
last put together. Then do what I want. Before anything that takes a slot, changes who is in it, or
deletes it, tell me what would happen and wait for my answer. Answer what I ask about all of them
with analyze_audience, and show single people with query_audience, with e-mail addresses masked
unless I ask for them.
"""

VISITORS = """\
Tell me who visits my website.

{domain}{email}
Use query_visitor_data. Tell me how many there were, from which companies, which pages they looked
at, and who came back. If nothing is found, say whether the tracking pixel is installed and active
(list_pixels) before you say that nobody came. Keep e-mail addresses and phone numbers masked unless
I ask for them.
"""


@dataclass(frozen=True)
class Conversation:
    """One prompt: its words with places for arguments, and how each place reads when given."""

    prompt: Prompt
    tool: str
    """The tool that it begins with; without it there is no such conversation."""
    text: str
    phrases: Mapping[str, str] = field(default_factory=dict[str, str])
    """How what is given for an argument reads, if not as it is."""

    def filled(self, given: Mapping[str, str], offered: OfferedTools) -> str:
        """Return the text with what was given; a place for what was not is left out.

        Raises:
            MCPError: If something required is missing, or there is no such argument.
        """
        name, arguments = self.prompt.name, self.prompt.arguments or []
        words = {key: clean(value, LONGEST_WORDS) for key, value in given.items()}
        for argument in arguments:
            if argument.required and not words.get(argument.name):
                raise MCPError(INVALID_PARAMS, f"'{name}' needs '{argument.name}'.")
        if unknown := [key for key in given if key not in {one.name for one in arguments}]:
            raise MCPError(INVALID_PARAMS, f"'{name}' has no '{clean(unknown[0], 64)}'.")
        places = dict.fromkeys((argument.name for argument in arguments), "")
        for key, value in words.items():
            places[key] = self.phrases.get(key, "{}").format(value) if value else ""
        return offered.fit_page(self.text).format_map(places)


class Prompts:
    """The conversations that a server offers."""

    def __init__(self, offered: OfferedTools) -> None:
        self._offered = offered
        self._talks = {t.prompt.name: t for t in CONVERSATIONS if t.tool in offered}
        self.listed = [talk.prompt for talk in self._talks.values()]

    async def get(self, _: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """Fill a prompt's text.

        Raises:
            MCPError: If there is no such prompt, or its arguments are wrong.
        """
        talk = self._talks.get(params.name)
        if talk is None:
            known = ", ".join(self._talks) or "none"
            raise MCPError(INVALID_PARAMS, f"There is no such prompt. There are: {known}.")
        text = talk.filled(params.arguments or {}, self._offered)
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=talk.prompt.description, messages=[message])


CONVERSATIONS = (
    Conversation(
        Prompt(
            name="build-audience",
            title="Build an audience",
            description="From a sentence about who you want to reach to a saved draft.",
            arguments=[GOAL, AUDIENCE_TYPE],
        ),
        tool="plan_audience",
        text=BUILD,
        phrases={"audienceType": "Whom I sell to: {}\n"},
    ),
    Conversation(
        Prompt(
            name="discover-audience-topics",
            title="Find topics",
            description="Which topics the people you want to reach research, and how many do.",
            arguments=[
                GOAL,
                AUDIENCE_TYPE,
                PromptArgument(name="industry", description="Only topics of this industry."),
                PromptArgument(name="category", description="Only topics of this category."),
            ],
        ),
        tool="search_topics",
        text=DISCOVER,
        phrases={
            "audienceType": "Whom I sell to: {}\n",
            "industry": "Only topics of the industry {}.\n",
            "category": "Only topics of the category {}.\n",
        },
    ),
    Conversation(
        Prompt(
            name="operate-saved-audience",
            title="Look after a saved audience",
            description="See how a saved audience stands, change it, activate it, read people.",
            arguments=[
                PromptArgument(
                    name="audienceId", description="The audience's id (or its name).", required=True
                ),
                OPTIONAL_GOAL,
            ],
        ),
        tool="get_audience",
        text=OPERATE,
        phrases={"goal": "What I want: {}\n"},
    ),
    Conversation(
        Prompt(
            name="investigate-visitor-data",
            title="Look at website visitors",
            description="Who came to your website, or what one visitor did there.",
            arguments=[
                PromptArgument(name="domain", description="Your website, such as acme.example."),
                PromptArgument(name="email", description="One visitor's e-mail address."),
            ],
        ),
        tool="query_visitor_data",
        text=VISITORS,
        phrases={"domain": "The website: {}\n", "email": "Only this visitor: {}\n"},
    ),
)


def completions(
    leadpipe: "LeadpipeClient",
) -> Callable[[Context, CompleteRequestParams], Awaitable[CompleteResult]]:
    """Return the handler that offers ids of audiences, industries, categories and domains."""

    async def audiences(typed: str) -> list[str]:
        found = await leadpipe.audiences.list(limit=100)
        return [a.id for a in found if a.id.startswith(typed) or typed in a.name.casefold()]

    async def industries(typed: str) -> list[str]:
        return _matching(typed, [one.value for one in (await leadpipe.topics.facets()).industries])

    async def categories(typed: str) -> list[str]:
        return _matching(typed, [one.value for one in (await leadpipe.topics.facets()).categories])

    async def types(typed: str) -> list[str]:
        return _matching(typed, ("b2b", "b2c", "both"))

    async def domains(typed: str) -> list[str]:
        return _matching(typed, (pixel.domain for pixel in await leadpipe.visitors.pixels()))

    # An argument means the same in every prompt and resource.
    offers: Mapping[str, Callable[[str], Awaitable[list[str]]]] = {
        "id": audiences,
        "audienceId": audiences,
        "industry": industries,
        "category": categories,
        "audienceType": types,
        "domain": domains,
    }

    async def offer(_: Context, params: CompleteRequestParams) -> CompleteResult:
        values: list[str] = []
        if find := offers.get(params.argument.name):
            # A person who types must not be stopped because there is nothing to offer.
            with suppress(LeadpipeError):
                values = await find(params.argument.value.strip().casefold())
        # What no one can see or type back is no value to offer.
        values = [value for value in values if value.isprintable() and len(value) <= LONGEST_VALUE]
        more = len(values) > MOST_VALUES
        offered = Completion(values=values[:MOST_VALUES], total=len(values), has_more=more)
        return CompleteResult(completion=offered)

    return offer


def _matching(typed: str, values: Iterable[str]) -> list[str]:
    """The values that hold what was typed, those that start with it first."""
    found = [value for value in values if typed in value.casefold()]
    return sorted(found, key=lambda value: not value.casefold().startswith(typed))
