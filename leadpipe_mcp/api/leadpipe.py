"""LeadpipeClient: everything that the service can do, whichever generation of its API answers."""

import contextlib
import re
import time
from collections.abc import Callable, Mapping

from leadpipe_mcp.api.answers import as_object
from leadpipe_mcp.api.audiences import Audiences
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.exports import Exports
from leadpipe_mcp.api.generations import ApiProfile, Pin, Service
from leadpipe_mcp.api.keeping import Keeping
from leadpipe_mcp.api.models import Account, Slots, TopicName
from leadpipe_mcp.api.reading import whole_number
from leadpipe_mcp.api.runs import Runs
from leadpipe_mcp.api.topics import MOST_COMPARED, Topics
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.api.visitors import Visitors

_COUNTS = (
    ("used", "taken", "occupied", "active", "current"),
    ("limit", "max", "maximum", "allowed", "included", "quota", "total"),
    ("free", "available", "remaining", "left"),
)
"""By which words of its name a number is a count of audience slots: used, all, or free."""
_OTHERS = {"credits", "pixels", "organization"}
"""Parts of the account that are documented, and count something else."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


class LeadpipeClient:
    """The Leadpipe service; by `clock`, what is remembered of it grows old.

    `keeping` keeps the catalogue of topics for other starts or processes; None: nothing does.
    """

    def __init__(
        self,
        transport: Transport,
        profile: Pin = "auto",
        clock: Callable[[], float] = time.monotonic,
        *,
        keeping: Keeping | None = None,
    ) -> None:
        self._service = Service(transport, profile)
        self._topic_names: dict[int, str | None] = {}
        self.configs = Configs(self._service, clock)
        self.audiences = Audiences(self._service, self.configs)
        self.runs = Runs(self._service, self.configs)
        self.exports = Exports(self._service, self.runs)
        self.visitors = Visitors(self._service)
        self.topics = Topics(self._service, keeping, clock)

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
        account = answer.read(Account, {**data, "slots": _slots_in(data)})
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


def _slots_in(part: Mapping[str, object], *, inside: bool = False, depth: int = 4) -> Slots | None:
    """How many audience slots there are and are used; None where that is not shown.

    They are known by the words of their names: where they stand is not documented.
    """
    numbers: dict[str, int] = {}
    deeper: list[Slots | None] = []
    for name, value in part.items():
        words = [word.lower() for word in _WORDS.findall(name)]
        is_about = inside or bool({"slot", "slots"} & set(words))
        inner = as_object(value)
        if inner and depth and name not in _OTHERS:
            deeper.append(_slots_in(inner, inside=is_about, depth=depth - 1))
        elif is_about:
            with contextlib.suppress(ValueError):
                numbers |= dict.fromkeys(words, whole_number(value))
    used, limit, free = (next((numbers[w] for w in ws if w in numbers), None) for ws in _COUNTS)
    if used is None and limit is not None and free is not None:
        used = max(0, limit - free)
    if limit is None and used is not None and free is not None:
        limit = used + free
    if used is not None and limit is not None:
        return Slots(used=used, limit=limit)
    return next((slots for slots in deeper if slots), None)
