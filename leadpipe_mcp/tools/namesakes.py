"""Audiences of the same name: the same list is not saved twice unless that is asked for."""

from collections.abc import Sequence

from leadpipe_mcp.api.models import Audience, ServiceConfig
from leadpipe_mcp.errors import Conflict, LeadpipeError
from leadpipe_mcp.tools.replies import named, people, size_of
from leadpipe_mcp.tools.services import Call

_MOST_COMPARED = 5
UNSEEN = "Not all audiences could be checked, so another one may have this name."


async def refuse_twin(
    call: Call, name: str, config: ServiceConfig, known: Sequence[Audience] | None
) -> list[str]:
    """Return a warning about audiences with the same name and another config.

    Args:
        call: The way to the service.
        name: What the new audience is to be called.
        config: Who is to be in it.
        known: All audiences; None if not all of them could be seen.

    Raises:
        Conflict: Naming the audience that has the same name and the same config.
    """
    if known is None:
        return [UNSEEN]
    namesakes = [a for a in known if a.name.strip().casefold() == name.strip().casefold()]
    for namesake in namesakes[:_MOST_COMPARED]:
        if await _is_made_of(call, namesake, config):
            raise Conflict(
                f"{named(namesake)} is already saved with exactly this config ({_which(namesake)})."
                " Nothing was created.",
                "Use it, or pass sameName: true if the user wants a second one.",
            )
    if not namesakes:
        return []
    others = "; ".join(_which(namesake) for namesake in namesakes[:_MOST_COMPARED])
    return [f"{named(namesakes[0])} is also the name of another audience ({others})."]


async def _is_made_of(call: Call, audience: Audience, config: ServiceConfig) -> bool:
    """Whether the audience is known to have this config."""
    try:
        shown = audience if audience.config else await call.leadpipe.audiences.get(audience.id)
        return bool(shown.config) and await call.leadpipe.configs.are_same(config, shown.config)
    except LeadpipeError:
        return False


def _which(audience: Audience) -> str:
    size = size_of(audience)
    many = "" if size is None else f"{people(size)}, "
    return f"{audience.status}, {many}id {audience.id}"
