"""What our tools work with: the services, the settings, and what is kept between calls."""

from dataclasses import dataclass, field

from leadpipe_mcp import toolkit
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.sonarly import SonarlyClient
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.settings import Settings
from leadpipe_mcp.tools.last_active import LastActive


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

    @property
    def asks(self) -> bool:
        """Whether the human is asked before something is spent or gone."""
        return self.kit.asks
