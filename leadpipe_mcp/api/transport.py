"""One HTTP service: where it is, the key it takes, how long it may take, when it is asked again.

Callers get an `Answer` or one of our errors.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr

from leadpipe_mcp import __version__
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
from leadpipe_mcp.api.connections import Connections, Network, checked_base_url, names_a_thing
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
    health: Health
    """How the service, or the host of a link, has been doing."""
    repeatable: bool = True
    changing: bool = False
    kept: float = 0.0
    """How much of a call's time it leaves to what may have to follow."""
    until: float = math.inf
    """When it ends at the latest, by the clock of the event loop."""
    file: BinaryIO | None = None
    """Where the answer goes, if it is a file."""
    most_bytes: int = MOST_ANSWERED


class Transport:
    """Requests to one service over one pool of connections.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or None: then only what is public can be asked.
        network: What carries requests in the place of HTTP connections, such as
            `serve_in_process`.
        total_seconds: How long a request that is of no call may take, with its repetitions.
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
        self._key = key or SecretStr("")
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
        if not self._key and not public:
            raise NotConfigured(self._vendor)
        headers = self._headers()
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        is_harmless = repeatable or method == "GET"
        task = _Task(
            outgoing(method, self.base_url + path, query, body, headers),
            route=f"{method} {path}",
            health=self._health,
            repeatable=is_harmless or idempotency_key is not None,
            changing=not is_harmless,
            # Where a change leaves no time to look after it, it is better not begun.
            kept=0.0 if is_harmless else LOOK_SECONDS,
        )
        alone = self._total_seconds + REPLY_SECONDS + task.kept
        return await self._insist(task, present_budget(alone))

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
        # A signed link is no route of the service, and its host's troubles are not the service's.
        task = _Task(
            Outgoing("GET", address, self._headers(to_the_service=is_own)),
            route=f"GET {where if is_own else urlsplit(where).netloc}",
            health=self._health if is_own else self._elsewhere,
            kept=PAGES_SECONDS,
            until=anyio.current_time() + DOWNLOAD_SECONDS,
            file=file,
            most_bytes=most_bytes,
        )
        await self._insist(task, present_budget(DOWNLOAD_SECONDS))

    async def close(self) -> None:
        """Let go of the connections; a later request opens new ones."""
        await self._connections.close()

    def _headers(self, *, to_the_service: bool = True) -> dict[str, str]:
        usual = {
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": f"leadpipe-mcp/{__version__}",
        }
        if not self._key or not to_the_service:
            return usual
        key = self._key.get_secret_value()
        return usual | ({"Authorization": f"Bearer {key}"} if self._bearer else {"X-API-Key": key})

    async def _insist(self, task: _Task, budget: CallBudget) -> Answer:
        failure: ServiceError | None = None
        doubt: ServiceError | None = None
        tries = 0
        while True:
            tries += 1
            try:
                return await self._try(task, budget, is_retry=tries > 1)
            except AllowanceSpent:
                raise failure or AllowanceSpent() from None
            except ServiceError as error:
                error.vendor, error.changing = self._vendor, task.changing
                failure = error
            if task.changing and failure.leaves_doubt:
                # Whatever comes of a later try, this one may have done it.
                doubt = doubt or failure
            never_sent = isinstance(failure, Unreachable) and failure.how == "not sent"
            may, left = task.repeatable or never_sent, _left(task, budget)
            wait = task.health.pause(failure, task.route, tries, left) if may else None
            if wait is None:
                raise doubt or failure
            await budget.rest(wait)

    async def _try(self, task: _Task, budget: CallBudget, *, is_retry: bool) -> Answer:
        """The answer to one try, in its turn and after the pause that the route asked for."""
        wait = task.health.wait_for(task.route)
        if wait and wait > budget.left:
            raise TooManyRequests(
                f"{SERVICE} asked for a pause a moment ago, so nothing was sent.",
                status=429,
                retry_after=wait,
            )
        await budget.rest(wait)
        async with turn(budget, self._turns):
            task.health.admit(task.route)
            seconds = _left(task, budget)
            if seconds < min(LEAST_SECONDS, self._total_seconds / 2):
                raise OutOfTime(
                    "The service was so slow that no time is left; this step was not begun."
                )
            budget.requests += 1
            budget.retries += is_retry
            try:
                answer = await self._attempt(task, budget, seconds)
            except ServiceError as error:
                task.health.failed(error, task.route)
                budget.request_id = error.request_id or budget.request_id
                raise
            task.health.answered()
            budget.request_id = answer.request_id or budget.request_id
            return answer

    async def _attempt(self, task: _Task, budget: CallBudget, seconds: float) -> Answer:
        last = anyio.current_time()

        def keeps_coming() -> None:
            """Give back the time since the last piece: only what stays away is waited for."""
            nonlocal last
            now = anyio.current_time()
            budget.extend(now - last)
            scope.deadline = min(scope.deadline + now - last, task.until)
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
        hidden = self._key.get_secret_value() if len(self._key) >= SHORTEST_KEY else ""
        if task.file and received.is_success:
            return Answer(received.status, None, {}, received.request_id(hidden))
        try:
            return read_answer(received, hidden, self._vendor, changing=task.changing)
        except NotFound as missing:
            # The thing, the route or the address may be wrong, and each takes another advice.
            is_thing = names_a_thing(task.route.partition(" ")[2])
            has_answered = self._health.has_answered
            if received.is_page or not (is_thing or has_answered):
                raise WrongAddress(missing.args[0], like=missing) from None
            missing.is_route, missing.is_address_proven = not is_thing, has_answered
            raise


def _left(task: _Task, budget: CallBudget) -> float:
    return min(budget.left - task.kept, task.until - anyio.current_time())
