"""LeadpipeClient: everything that the service can do, whichever generation of its API answers."""

import time
from collections.abc import Callable
from pathlib import Path

from leadpipe_mcp.api.answers import as_object
from leadpipe_mcp.api.audiences import Audiences
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.everyone import Everyone
from leadpipe_mcp.api.exports import Exports
from leadpipe_mcp.api.models import Account, TopicName
from leadpipe_mcp.api.runs import Runs
from leadpipe_mcp.api.service import ApiProfile, Pin, Service
from leadpipe_mcp.api.slots import find_slots
from leadpipe_mcp.api.topics import MOST_COMPARED, Topics
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.api.visitors import Visitors


class LeadpipeClient:
    """The Leadpipe service.

    Args:
        transport: The way to it.
        profile: Which generation of the API it is; `auto` finds out as it goes.
        clock: The seconds by which what is remembered grows old.
        cache_dir: Where the catalogue of topics is kept for the next start; None: nowhere.
    """

    def __init__(
        self,
        transport: Transport,
        profile: Pin = "auto",
        clock: Callable[[], float] = time.monotonic,
        *,
        cache_dir: Path | None = None,
    ) -> None:
        self._service = Service(transport, profile)
        self._topic_names: dict[int, str | None] = {}
        self.configs = Configs(self._service, clock)
        self.audiences = Audiences(self._service, self.configs)
        self.runs = Runs(self._service, self.configs)
        self.exports = Exports(self._service, self.runs)
        self.everyone = Everyone(self.runs, self.exports)
        self.visitors = Visitors(self._service)
        self.topics = Topics(self._service, cache_dir, clock)

    @property
    def profile(self) -> ApiProfile:
        """What has been found out about the API."""
        return self._service.profile

    @property
    def base_url(self) -> str:
        """Where the service is."""
        return self._service.transport.base_url

    async def close(self) -> None:
        """Let go of the connections."""
        await self._service.transport.close()

    async def account(self) -> Account:
        """The state of the customer's account."""
        answer = await self._service.get("/v1/data/account")
        data = as_object(answer.data)
        if not data.keys() & {"healthy", "organization"}:
            raise answer.unusable("the state of the account is missing")
        account = answer.read(Account, {**data, "slots": find_slots(data)})
        if not account.model_fields_set & {"healthy", "organization"}:
            raise answer.unusable("the state of the account cannot be read")
        return account

    async def topic_names(self, topic_ids: tuple[int, ...]) -> tuple[TopicName, ...]:
        """Return the names of the topics that the service knows, each asked for once."""
        names = self._topic_names
        unknown = [topic for topic in dict.fromkeys(topic_ids) if topic not in names]
        # Many are looked up in the catalogue: one request, and none if it is at hand.
        if len(unknown) > MOST_COMPARED:
            found = {topic.id: topic.name for topic in (await self.topics.all()).topics}
        else:
            series = await self.topics.compare(unknown) if unknown else ()
            found = {one.id: one.name or f"Topic {one.id}" for one in series}
        names |= {topic: found.get(topic) for topic in unknown}
        told = ((topic, names[topic]) for topic in topic_ids)
        return tuple(TopicName(id=topic, name=name) for topic, name in told if name is not None)
