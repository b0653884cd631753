"""Everything behind the server: the services, the people at hand, and the tools that use them.

Importing this takes most of the time at the start, so `server` does it once the tools are listed,
or when something is first asked.
"""

from functools import partial

from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from leadpipe_mcp.api.in_process import Application, serve_in_process
from leadpipe_mcp.api.leadpipe import LeadpipeClient
from leadpipe_mcp.api.sonarly import SonarlyClient, sonarly_transport
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.completions import completions
from leadpipe_mcp.people.runs import LoadedRuns
from leadpipe_mcp.people.snapshot import Snapshots
from leadpipe_mcp.people.sql import SqlWorkers
from leadpipe_mcp.resources import Resources
from leadpipe_mcp.settings import SANDBOX_KEY, SANDBOX_URL, Settings
from leadpipe_mcp.toolkit import Codes, Kit, OfferedTools
from leadpipe_mcp.toolkit.running import Toolbox
from leadpipe_mcp.tools.services import Call, Services
from leadpipe_mcp.tools.toolsets import TOOLS


class Backend:
    """What answers calls, reads resources and completes arguments.

    Args:
        settings: What the person who starts the server decided.
        offered: The tools that the server offers.
        service: An application that answers in the service's place, without a network.
        sonarly: The same for Sonarly.
    """

    def __init__(
        self,
        settings: Settings,
        offered: OfferedTools,
        *,
        service: Application | None = None,
        sonarly: Application | None = None,
    ) -> None:
        leadpipe, linkedin = _leadpipe(settings, service), _sonarly(settings, sonarly)
        # Invented people are not worth keeping.
        kept = None if settings.sandbox else settings.cache_dir
        runs = LoadedRuns(Snapshots(kept))
        self._services = Services(leadpipe, linkedin, settings, runs, SqlWorkers())
        kit = Kit(
            Codes(),
            offered,
            asks=settings.confirm == "auto",
            invented=settings.sandbox,
            changed=runs.forget,
        )
        begin = partial(Call, kit, services=self._services)
        self.tools = Toolbox([tool for tool in TOOLS if tool.name in offered], kit, begin)
        self.resources = Resources(kit, begin)
        self.complete = completions(leadpipe)

    async def close(self) -> None:
        """Let go of connections and of people at hand."""
        self._services.sql.close()
        self._services.runs.close()
        await self._services.leadpipe.close()
        await self._services.sonarly.close()


def _leadpipe(settings: Settings, service: Application | None) -> LeadpipeClient:
    if not settings.sandbox:
        network = serve_in_process(service) if service else None
        transport = Transport(settings.base_url, settings.api_key, network=network)
        return LeadpipeClient(transport, settings.api_profile, cache_dir=settings.topics_dir)
    if service is None:
        from leadpipe_mcp.sandbox import Sandbox, SandboxSettings

        service = Sandbox(
            SandboxSettings(profile=settings.sandbox_profile, delay_ms=settings.sandbox_delay_ms)
        )
    transport = Transport(SANDBOX_URL, SecretStr(SANDBOX_KEY), network=serve_in_process(service))
    return LeadpipeClient(transport, settings.api_profile)


def _sonarly(settings: Settings, application: Application | None) -> SonarlyClient:
    if not settings.sandbox:
        network = serve_in_process(application) if application else None
        url, key = settings.sonarly_base_url, settings.sonarly_api_key
        return SonarlyClient(sonarly_transport(url, key, network=network))
    network = serve_in_process(application or _when_first_asked())
    return SonarlyClient(sonarly_transport(SANDBOX_URL, SecretStr(SANDBOX_KEY), network=network))


def _when_first_asked() -> Application:
    """Sonarly's sandbox, made when it is first asked: most servers never do."""
    made: list[Application] = []

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if not made:
            from leadpipe_mcp.sandbox import SonarlySandbox

            made.append(SonarlySandbox())
        await made[0](scope, receive, send)

    return application
