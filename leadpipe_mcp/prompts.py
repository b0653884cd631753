"""Ready-made conversations: what a person who builds audiences would ask, said well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp import MCPError
from mcp.server import ServerRequestContext
from mcp.types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptArgument,
    PromptMessage,
    TextContent,
)

from leadpipe_mcp.text import clean
from leadpipe_mcp.toolkit import OfferedTools

LONGEST_WORDS = 1_000

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

    name: str
    title: str
    description: str
    tool: str
    """The tool that it begins with; without it there is no such conversation."""
    text: str
    arguments: tuple[PromptArgument, ...]
    phrases: Mapping[str, str]

    def filled(self, given: Mapping[str, str], offered: OfferedTools) -> str:
        """The text with what was given; a place for what was not is left out."""
        places = dict.fromkeys(self.phrases, "")
        for name, words in given.items():
            if words.strip():
                places[name] = self.phrases[name].format(clean(words, LONGEST_WORDS))
        return offered.fit_page(self.text).format_map(places)

    @property
    def prompt(self) -> Prompt:
        """The prompt as a client sees it."""
        return Prompt(
            name=self.name,
            title=self.title,
            description=self.description,
            arguments=list(self.arguments),
        )

    def check(self, given: Mapping[str, object]) -> None:
        """Make sure that what is required is there, and nothing else.

        Raises:
            MCPError: As the protocol wants it, naming the argument.
        """
        known = {argument.name for argument in self.arguments}
        for argument in self.arguments:
            if argument.required and not str(given.get(argument.name, "")).strip():
                raise MCPError(INVALID_PARAMS, f"'{self.name}' needs '{argument.name}'.")
        for name in given:
            if name not in known:
                raise MCPError(INVALID_PARAMS, f"'{self.name}' has no '{clean(name, 64)}'.")


class Prompts:
    """The conversations that a server offers, as the handlers of its requests."""

    def __init__(self, offered: OfferedTools) -> None:
        self._offered = offered
        self._talks: Sequence[Conversation] = [t for t in CONVERSATIONS if t.tool in offered]

    async def list(
        self, _: ServerRequestContext[Any, Any], __: PaginatedRequestParams | None
    ) -> ListPromptsResult:
        """List the prompts."""
        return ListPromptsResult(prompts=[talk.prompt for talk in self._talks])

    async def get(
        self, _: ServerRequestContext[Any, Any], params: GetPromptRequestParams
    ) -> GetPromptResult:
        """Fill a prompt's text.

        Raises:
            MCPError: If there is no such prompt, or it lacks an argument.
        """
        talk = next((talk for talk in self._talks if talk.name == params.name), None)
        if talk is None:
            known = ", ".join(talk.name for talk in self._talks) or "none"
            raise MCPError(INVALID_PARAMS, f"There is no such prompt. There are: {known}.")
        given = params.arguments or {}
        talk.check(given)
        text = TextContent(type="text", text=talk.filled(given, self._offered))
        return GetPromptResult(
            description=talk.description, messages=[PromptMessage(role="user", content=text)]
        )


_TYPE_PHRASE = "Whom I sell to: {}\n"

CONVERSATIONS = (
    Conversation(
        name="build-audience",
        title="Build an audience",
        description="From a sentence about who you want to reach to a saved draft.",
        tool="plan_audience",
        text=BUILD,
        arguments=(GOAL, AUDIENCE_TYPE),
        phrases={"goal": "{}", "audienceType": _TYPE_PHRASE},
    ),
    Conversation(
        name="discover-audience-topics",
        title="Find topics",
        description="Which topics the people you want to reach research, and how many do.",
        tool="search_topics",
        text=DISCOVER,
        arguments=(
            GOAL,
            AUDIENCE_TYPE,
            PromptArgument(name="industry", description="Only topics of this industry."),
            PromptArgument(name="category", description="Only topics of this category."),
        ),
        phrases={
            "goal": "{}",
            "audienceType": _TYPE_PHRASE,
            "industry": "Only topics of the industry {}.\n",
            "category": "Only topics of the category {}.\n",
        },
    ),
    Conversation(
        name="operate-saved-audience",
        title="Look after a saved audience",
        description="See how a saved audience stands, change it, activate it, read people.",
        tool="get_audience",
        text=OPERATE,
        arguments=(
            PromptArgument(
                name="audienceId", description="The audience's id (or its name).", required=True
            ),
            OPTIONAL_GOAL,
        ),
        phrases={"audienceId": "{}", "goal": "What I want: {}\n"},
    ),
    Conversation(
        name="investigate-visitor-data",
        title="Look at website visitors",
        description="Who came to your website, or what one visitor did there.",
        tool="query_visitor_data",
        text=VISITORS,
        arguments=(
            PromptArgument(name="domain", description="Your website, such as acme.example."),
            PromptArgument(name="email", description="One visitor's e-mail address."),
        ),
        phrases={"domain": "The website: {}\n", "email": "Only this visitor: {}\n"},
    ),
)
