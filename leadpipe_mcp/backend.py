"""Everything behind the server: the services, the people at hand, and the tools that use them.

Importing this takes most of the time at the start, so `server` does it once the tools are listed,
or when something is first asked.
"""

from functools import partial

from pydantic import SecretStr

from leadpipe_mcp.api.addresses import checked_base_url
from leadpipe_mcp.api.connections import Application, Connections, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.topics import CATALOGUE_SECONDS, catalogue_file
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

    Args:
        settings: What the person who runs the server decided.
        offered: The tools that are on.
        callers: Who calls; all of one account have a backend in common.
        ways: How requests get to the services.
    """

    def __init__(
        self, settings: Settings, offered: OfferedTools, callers: Callers, ways: "Ways"
    ) -> None:
        url, key = settings.base_url, settings.api_key or callers.leadpipe_key
        sonarly_url = settings.sonarly_base_url
        sonarly_key = settings.sonarly_api_key or callers.sonarly_key
        people_dir, account = settings.cache_dir, callers.account()
        if people_dir and account:
            people_dir /= account
        keeping = callers.keeping(f"topics at {url}", CATALOGUE_SECONDS)
        if keeping is None and settings.topics_dir:
            keeping = catalogue_file(settings.topics_dir, checked_base_url(url))
        if settings.sandbox:
            url = sonarly_url = SANDBOX_URL
            # The sandbox has an account for each key.
            key = sonarly_key = callers.leadpipe_key if account else SecretStr(SANDBOX_KEY)
            # What is invented is not worth keeping.
            keeping = people_dir = None
        transport = Transport(url, key, network=ways.to_leadpipe)
        leadpipe = LeadpipeClient(transport, settings.api_profile, keeping=keeping)
        transport = sonarly_transport(sonarly_url, sonarly_key, network=ways.to_sonarly)
        linkedin = SonarlyClient(transport)
        runs = LoadedRuns(Snapshots(people_dir))
        self._services = Services(leadpipe, linkedin, settings, runs, SqlWorkers(), callers)
        asks, invented = settings.confirm == "auto", settings.sandbox
        kit = Kit(
            Codes(callers),
            offered,
            asks=asks,
            invented=invented,
            changed=runs.forget,
            largest_reply=settings.largest_reply,
        )
        begin = partial(Call, kit, services=self._services)
        tools = [tool for tool in tools_for(settings.exports) if tool.name in offered]
        self.tools = Toolbox(tools, kit, begin)
        self.resources = Resources(kit, begin)
        self.complete = completions(leadpipe)

    def rest(self) -> None:
        """End the processes that wait for a question in SQL; the next one starts another."""
        self._services.sql.close()

    async def close(self) -> None:
        """Let go of connections and of people at hand."""
        self._services.sql.close()
        self._services.runs.close()
        await self._services.leadpipe.close()
        await self._services.sonarly.close()


class Ways:
    """How the requests of all callers get to the services: over connections that they share.

    An application, where one is given, answers in a service's place, without a network. Whose a
    request is, it says itself: each backend has its own keys, turns and health of the services.
    """

    def __init__(
        self, settings: Settings, service: Application | None, sonarly: Application | None
    ) -> None:
        if settings.sandbox:
            from leadpipe_mcp.sandbox import Sandbox, SandboxSettings, SonarlySandbox

            profile, delay_ms = settings.sandbox_profile, settings.sandbox_delay_ms
            service = service or Sandbox(SandboxSettings(profile=profile, delay_ms=delay_ms))
            if SONARLY in settings.chosen_toolsets():
                sonarly = sonarly or SonarlySandbox()
        self._connections = Connections()
        over_http = self._connections.stream
        self.to_leadpipe = serve_in_process(service) if service else over_http
        self.to_sonarly = serve_in_process(sonarly) if sonarly else over_http

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.close()
