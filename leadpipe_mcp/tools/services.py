"""What our tools work with: the services, the settings, the callers, what is kept between calls."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Audience
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.callers import Callers
from leadpipe_mcp.errors import LeadpipeError, NotPossible
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.toolkit import calls

MOST_REMEMBERED = 500
T = TypeVar("T")
P = ParamSpec("P")


async def if_shown(look: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T | None:
    """Return what the service shows; None if that cannot be read just now."""
    try:
        return await look(*args, **kwargs)
    except LeadpipeError:
        return None


class LastActive(dict[str, Audience]):
    """The audiences that this server has seen active, as they were then."""

    def note(self, audience: Audience) -> None:
        """Remember the audience, if it is active and the service shows what it is made of."""
        if audience.status == "active" and audience.config:
            self.pop(audience.id, None)
            self[audience.id] = audience
            if len(self) > MOST_REMEMBERED:
                del self[next(iter(self))]


@dataclass(frozen=True)
class Services:
    """The services, the settings, the callers, and the people at hand."""

    leadpipe: LeadpipeClient
    sonarly: SonarlyClient
    settings: Settings
    runs: LoadedRuns
    sql: SqlWorkers
    callers: Callers
    last_active: LastActive = field(default_factory=LastActive)


@dataclass(frozen=True, kw_only=True)
class Call(calls.Call):
    """One call of a tool, with the services."""

    services: Services

    @property
    def leadpipe(self) -> LeadpipeClient:
        """The Leadpipe service."""
        return self.services.leadpipe

    @property
    def sonarly(self) -> SonarlyClient:
        """The Sonarly service."""
        return self.services.sonarly

    @property
    def shows_contact(self) -> bool:
        """Whether e-mail addresses and phone numbers may leave the server whole."""
        return self.services.settings.contact == "allow"

    def is_whole(self, contact: str) -> bool:
        """Return whether contact details are to be shown whole."""
        if contact == "full" and not self.shows_contact:
            raise NotPossible(
                "This server shows e-mail addresses and phone numbers only masked"
                " (LEADPIPE_CONTACT=mask).",
                "Leave contact out.",
            )
        return contact == "full"
