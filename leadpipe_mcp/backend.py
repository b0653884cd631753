"""Everything behind the server: the services, the people at hand, and the tools that use them.

Importing this takes most of the time at the start, so `server` does it once the tools are listed,
or when something is first asked.
"""

from functools import partial

from pydantic import SecretStr

from leadpipe_mcp.api.connections import Application, Network, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.callers import Callers
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.snapshot import Snapshots
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.prompts import completions
from leadpipe_mcp.resources import Resources
from leadpipe_mcp.settings import SANDBOX_KEY, SANDBOX_URL, SONARLY, Settings
from leadpipe_mcp.toolkit.calls import Codes, Kit
from leadpipe_mcp.toolkit.offered import OfferedTools
from leadpipe_mcp.toolkit.running import Toolbox
from leadpipe_mcp.tools.services import Call, Services
from leadpipe_mcp.tools.toolsets import tools_for


class Backend:
    """What answers calls, reads resources and completes arguments.

    An application, where one is given, answers in a service's place, without a network.
    """

    def __init__(
        self,
        settings: Settings,
        offered: OfferedTools,
        callers: Callers,
        service: Application | None = None,
        sonarly: Application | None = None,
    ) -> None:
        url, key = settings.base_url, settings.api_key or callers.leadpipe_key
        sonarly_url = settings.sonarly_base_url
        sonarly_key = settings.sonarly_api_key or callers.sonarly_key
        topics_dir, people_dir = settings.topics_dir, settings.cache_dir
        if account := callers.account():
            topics_dir, people_dir = (d and d / account for d in (topics_dir, people_dir))
        if settings.sandbox:
            url = sonarly_url = SANDBOX_URL
            # The sandbox has an account for each key.
            key = sonarly_key = callers.leadpipe_key if account else SecretStr(SANDBOX_KEY)
            # Invented people are not worth keeping.
            topics_dir = people_dir = None
        transport = Transport(url, key, network=_network(service))
        leadpipe = LeadpipeClient(transport, settings.api_profile, cache_dir=topics_dir)
        transport = sonarly_transport(sonarly_url, sonarly_key, network=_network(sonarly))
        linkedin = SonarlyClient(transport)
        runs = LoadedRuns(Snapshots(people_dir))
        self._services = Services(leadpipe, linkedin, settings, runs, SqlWorkers(), callers)
        asks, invented = settings.confirm == "auto", settings.sandbox
        kit = Kit(Codes(callers), offered, asks=asks, invented=invented, changed=runs.forget)
        begin = partial(Call, kit, services=self._services)
        tools = [tool for tool in tools_for(settings.exports) if tool.name in offered]
        self.tools = Toolbox(tools, kit, begin)
        self.resources = Resources(kit, begin)
        self.complete = completions(leadpipe)

    async def close(self) -> None:
        """Let go of connections and of people at hand."""
        self._services.sql.close()
        self._services.runs.close()
        await self._services.leadpipe.close()
        await self._services.sonarly.close()


def _network(application: Application | None) -> Network | None:
    return serve_in_process(application) if application else None


def sandboxes(settings: Settings) -> tuple[Application, Application | None]:
    """Return what plays Leadpipe, and Sonarly where it may be asked: that takes a moment."""
    from leadpipe_mcp.sandbox import Sandbox, SandboxSettings, SonarlySandbox

    profile, delay_ms = settings.sandbox_profile, settings.sandbox_delay_ms
    leadpipe = Sandbox(SandboxSettings(profile=profile, delay_ms=delay_ms))
    return leadpipe, SonarlySandbox() if SONARLY in settings.chosen_toolsets() else None
