"""What an argument of a prompt or resource may be, offered while a person types it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from mcp.server import ServerRequestContext
from mcp.types import CompleteRequestParams, CompleteResult, Completion

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.errors import LeadpipeError

MOST_VALUES = 20
LONGEST_VALUE = 200
Offer = Callable[[ServerRequestContext[Any, Any], CompleteRequestParams], Awaitable[CompleteResult]]


def completions(leadpipe: LeadpipeClient) -> Offer:
    """The handler that offers ids of audiences, industries, categories and domains."""

    async def audiences(typed: str) -> list[str]:
        found = await leadpipe.audiences.list(limit=100)
        return [a.id for a in found if a.id.startswith(typed) or typed in a.name.casefold()]

    async def industries(typed: str) -> list[str]:
        return _matching(
            typed, (part.value for part in (await leadpipe.topics.facets()).industries)
        )

    async def categories(typed: str) -> list[str]:
        return _matching(
            typed, (part.value for part in (await leadpipe.topics.facets()).categories)
        )

    async def types(typed: str) -> list[str]:
        return _matching(typed, ("b2b", "b2c", "both"))

    async def domains(typed: str) -> list[str]:
        pixels = await leadpipe.visitors.pixels()
        return _matching(typed, (pixel.domain for pixel in pixels))

    offers: Mapping[str, Callable[[str], Awaitable[list[str]]]] = {
        "id": audiences,
        "audienceId": audiences,
        "industry": industries,
        "category": categories,
        "audienceType": types,
        "domain": domains,
    }

    async def offer(
        _: ServerRequestContext[Any, Any], params: CompleteRequestParams
    ) -> CompleteResult:
        # An argument means the same in every prompt and resource.
        find = offers.get(params.argument.name)
        try:
            values = await find(params.argument.value.strip().casefold()) if find else []
        # A person who types must not be stopped because there is nothing to offer.
        except LeadpipeError:
            find, values = None, []
        if find is None:
            return CompleteResult(completion=Completion(values=[]))
        # What no one can see or type back is no value to offer.
        values = [value for value in values if value.isprintable() and len(value) <= LONGEST_VALUE]
        shown = values[:MOST_VALUES]
        more = len(values) > len(shown)
        return CompleteResult(completion=Completion(values=shown, total=len(values), has_more=more))

    return offer


def _matching(typed: str, values: Iterable[str]) -> list[str]:
    """The values that hold what was typed, those that start with it first."""
    found = [value for value in values if typed in value.casefold()]
    return sorted(found, key=lambda value: not value.casefold().startswith(typed))
