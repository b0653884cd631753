"""What our tools work with: the services, the settings, and what is kept between calls."""

from dataclasses import dataclass, field

from leadpipe_mcp import toolkit
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.models import Audience
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.settings import Settings

MOST_REMEMBERED = 500


class LastActive:
    """The audiences that this server has seen active, as they were then."""

    def __init__(self) -> None:
        self._seen: dict[str, Audience] = {}

    def note(self, audience: Audience) -> None:
        """Remember the audience, if it is active and the service shows what it is made of."""
        if audience.status != "active" or audience.config is None:
            return
        self._seen.pop(audience.id, None)
        self._seen[audience.id] = audience
        if len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]

    def of(self, audience_id: str) -> Audience | None:
        """Return the audience as it was; None if it was not seen active."""
        return self._seen.get(audience_id)


@dataclass(frozen=True)
class Services:
    """The services, the settings, and the people at hand."""

    leadpipe: LeadpipeClient
    sonarly: SonarlyClient
    settings: Settings
    runs: LoadedRuns
    sql: SqlWorkers
    last_active: LastActive = field(default_factory=LastActive)


@dataclass(frozen=True, kw_only=True)
class Call(toolkit.Call):
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
        """Return whether contact details are to be shown whole.

        Raises:
            NotPossible: If they are asked for, and this server only shows them masked.
        """
        if contact == "full" and not self.shows_contact:
            raise NotPossible(
                "This server shows e-mail addresses and phone numbers only masked"
                " (LEADPIPE_CONTACT=mask).",
                "Leave contact out.",
            )
        return contact == "full"

    @property
    def asks(self) -> bool:
        """Whether the human is asked before something is spent or gone."""
        return self.kit.asks
