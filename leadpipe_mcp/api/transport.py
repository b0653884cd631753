"""One HTTP service: where it is, the key it takes, how long it may take, when it is asked again.

Callers get an `Answer` or one of our errors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr

from leadpipe_mcp import __version__
from leadpipe_mcp.api.addresses import checked_base_url, names_a_thing
from leadpipe_mcp.api.answers import Answer, read_answer
from leadpipe_mcp.api.budget import (
    AT_ONCE,
    CALL_SECONDS,
    LOOK_SECONDS,
    PAGES_SECONDS,
    REPLY_SECONDS,
    CallBudget,
    present_budget,
    turn,
)
from leadpipe_mcp.api.connections import Connections, Network
from leadpipe_mcp.api.decoding import ACCEPTED
from leadpipe_mcp.api.health import Health
from leadpipe_mcp.api.incoming import MOST_ANSWERED, Incoming, Outgoing, outgoing
from leadpipe_mcp.errors import (
    LEADPIPE,
    SERVICE,
    AllowanceSpent,
    NotConfigured,
    NotFound,
    OutOfTime,
    ServiceError,
    TooManyRequests,
    Unreachable,
    UnusableAnswer,
    Vendor,
    WrongAddress,
)

LEAST_SECONDS = 1.0
"""With less time than this nothing is sent."""
DOWNLOAD_SECONDS = 300.0
MOST_DOWNLOADED = 2 * 2**30
SHORTEST_KEY = 8
"""A shorter one is not a key, and its characters may be in any word."""


@dataclass(frozen=True)
class _Task:
    """A request, and what may be done about its failures."""

    sending: Outgoing
    route: str
    repeatable: bool
    health: Health
    """How the service, or the host of a link, has been doing."""
    kept: float = 0.0
    """How much of a call's time it leaves to what may have to follow."""
    changing: bool = False
    """Whether it is to change something."""
    file: BinaryIO | None = None
    """Where the answer goes, if it is a file."""
    most_bytes: int = MOST_ANSWERED
    """A longer answer is not taken."""
    names_a_thing: bool = True
    """Whether a 404 may be about an id in the path."""


class Transport:
    """Requests to one service over one pool of connections, opened when first needed.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or None: then only what is public can be asked.
        network: What carries requests in the place of HTTP connections, such as
            `serve_in_process`.
        total_seconds: How long one request may take in all, with its repetitions.
        vendor: The vendor of the service, as errors speak of it.
        bearer: Whether the key goes as a bearer token; else in a header of its own.
    """

    def __init__(
        self,
        base_url: str,
        key: SecretStr | None,
        *,
        network: Network | None = None,
        total_seconds: float = CALL_SECONDS,
        vendor: Vendor = LEADPIPE,
        bearer: bool = False,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._key = key
        self._connections = Connections(network)
        self._total_seconds = total_seconds
        self._bearer = bearer
        self._vendor = vendor
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._health = Health()
        self._elsewhere = Health()

    @property
    def has_answered(self) -> bool:
        """Whether the service has ever answered as it should: then its address is right."""
        return self._health.has_answered

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, object] | None = None,
        idempotency_key: str | None = None,
        public: bool = False,
        repeatable: bool = False,
    ) -> Answer:
        """The service's answer, or the error that says why there is none.

        What can be repeated without doing anything twice is tried up to three times: every GET,
        what is said to be `repeatable`, what carries an idempotency key, and what was never sent.
        """
        if self._key is None and not public:
            raise NotConfigured(self._vendor)
        headers = self._headers()
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        is_harmless = repeatable or method == "GET"
        task = _Task(
            outgoing(method, self.base_url + path, query, body, headers),
            route=f"{method} {path}",
            repeatable=is_harmless or idempotency_key is not None,
            health=self._health,
            # Where a change leaves no time to look after it, it is better not begun.
            kept=0.0 if is_harmless else LOOK_SECONDS,
            changing=not is_harmless,
            names_a_thing=names_a_thing(path),
        )
        own = CallBudget(self._total_seconds + REPLY_SECONDS)
        alone = self._total_seconds + REPLY_SECONDS + LOOK_SECONDS
        return await self._insist(task, present_budget(alone), own)

    async def _insist(self, task: _Task, budget: CallBudget, own: CallBudget) -> Answer:
        """The answer, asked for again where that can help and can do no harm.

        Args:
            task: What is asked.
            budget: The time and the requests of the call.
            own: The time of this request alone.
        """
        failure: ServiceError | None = None
        doubt: ServiceError | None = None
        tries = 0
        while True:
            tries += 1
            try:
                return await self._try(task, budget, own, tries)
            except AllowanceSpent:
                raise failure or AllowanceSpent() from None
            except ServiceError as error:
                error.vendor, error.changing = self._vendor, task.changing
                failure = error
            if task.changing and failure.leaves_doubt:
                # Whatever comes of a later try, this one may have done it.
                doubt = doubt or failure
            never_sent = isinstance(failure, Unreachable) and failure.how == "not sent"
            left = self._left(task, budget, own)
            may = task.repeatable or never_sent
            wait = task.health.pause(failure, task.route, tries, left) if may else None
            if wait is None:
                raise doubt or failure
            await budget.rest(wait)

    def _left(self, task: _Task, budget: CallBudget, own: CallBudget) -> float:
        """How many seconds there are: for a service in trouble nobody waits in a queue as well."""
        if task.health.is_well:
            return min(budget.left - task.kept, own.left)
        return min(budget.left_in_all - task.kept, own.left_in_all)

    async def _try(self, task: _Task, budget: CallBudget, own: CallBudget, tries: int) -> Answer:
        """The answer to one try, in its turn."""
        await self._keep_pause(task, budget)
        with budget.queueing(), own.queueing():
            async with turn(budget, self._turns):
                admission = task.health.admit(task.route)
                seconds = self._left(task, budget, own)
                if seconds < min(LEAST_SECONDS, self._total_seconds / 2):
                    raise OutOfTime
                budget.requests += 1
                budget.retries += tries > 1
                try:
                    with budget.busy(), own.busy():
                        answer = await self._attempt(task, budget, own, seconds)
                except ServiceError as error:
                    error.vendor = self._vendor
                    task.health.failed(error, task.route, admission)
                    budget.request_id = error.request_id or budget.request_id
                    raise
                task.health.answered()
                budget.request_id = answer.request_id or budget.request_id
                return answer

    async def _keep_pause(self, task: _Task, budget: CallBudget) -> None:
        """Wait until the pause is over that the service asked for on this route.

        Raises:
            TooManyRequests: If that takes longer than there is time.
        """
        wait = task.health.wait_for(task.route)
        if wait and wait > budget.left:
            raise TooManyRequests(
                f"{SERVICE} asked for a pause a moment ago, so nothing was sent.",
                retry_after=wait,
            )
        await budget.rest(wait)

    async def _attempt(
        self, task: _Task, budget: CallBudget, own: CallBudget, seconds: float
    ) -> Answer:
        """The answer to what is sent now."""
        last = anyio.current_time()

        def keeps_coming() -> None:
            """Give back the time since the last piece: only what stays away is waited for."""
            nonlocal last
            now = anyio.current_time()
            budget.extend(now - last)
            scope.deadline = min(scope.deadline + now - last, now + own.left)
            last = now

        incoming = Incoming(task.most_bytes, task.file, keeps_coming)
        try:
            with anyio.fail_after(seconds) as scope:
                await self._connections.exchange(task.sending, incoming)
            received = incoming.received()
        except TimeoutError:
            raise Unreachable(
                f"{SERVICE} did not answer in the time that there was.", how="late"
            ) from None
        finally:
            incoming.drop()
        key = self._key.get_secret_value() if self._key else ""
        hidden = key if len(key) >= SHORTEST_KEY else ""
        if task.file and received.is_success:
            return Answer(received.status, None, {}, received.request_id(hidden))
        try:
            return read_answer(received, hidden, self._vendor, changing=task.changing)
        except NotFound as missing:
            raise self._explained(missing, task, is_page=received.is_page) from None

    def _explained(self, missing: NotFound, task: _Task, *, is_page: bool) -> NotFound:
        """A 404 with the advice that fits: the thing, the route or the address may be wrong."""
        missing.vendor = self._vendor
        has_answered = self._health.has_answered
        if is_page or not (task.names_a_thing or has_answered):
            return WrongAddress(missing.problem, like=missing)
        missing.is_route = not task.names_a_thing
        missing.is_address_proven = has_answered
        return missing

    def _headers(self, *, to_the_service: bool = True) -> dict[str, str]:
        """The headers of a request; the key goes to the service itself and nowhere else."""
        usual = {
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED,
            "User-Agent": f"leadpipe-mcp/{__version__}",
        }
        if self._key is None or not to_the_service:
            return usual
        key = self._key.get_secret_value()
        return usual | ({"Authorization": f"Bearer {key}"} if self._bearer else {"X-API-Key": key})

    async def download(
        self, where: str, file: BinaryIO, *, most_bytes: int = MOST_DOWNLOADED
    ) -> None:
        """Write the file that is there into the one that was given.

        As long as pieces come it may take longer than a call usually may. Each try starts over.

        Args:
            where: A path of the service, or a whole address, to which no key is sent: a link that
                the service has signed.
            file: What takes it. What is in it is of no use if this fails.
            most_bytes: A longer one is not taken.
        """
        is_own = where.startswith("/")
        if not is_own and self.base_url.startswith("https:") and not where.startswith("https:"):
            raise UnusableAnswer(
                f"{SERVICE}'s link to the file leads into this machine, and was not followed."
            )
        address = self.base_url + where if is_own else where
        sending = Outgoing("GET", address, self._headers(to_the_service=is_own))
        # A signed link is no route of the service, and its host's troubles are not the service's.
        task = _Task(
            sending,
            route=f"GET {where if is_own else urlsplit(where).netloc}",
            repeatable=True,
            health=self._health if is_own else self._elsewhere,
            kept=PAGES_SECONDS,
            file=file,
            most_bytes=most_bytes,
        )
        own = CallBudget(DOWNLOAD_SECONDS)
        await self._insist(task, present_budget(DOWNLOAD_SECONDS), own)

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        await self._connections.close()
