"""One HTTP service: where it is, the key it takes, how long it may take, when it is asked again.

Callers get an `Answer` or one of our errors. Three things keep a service that is in trouble from
being hammered. Each retry is paid for from a budget that only successes fill. After six failures in
a row nothing is sent for some seconds, and then one request tries whether it is back; where all six
were of one route, only this route rests. And a route that asked for a pause gets it.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

import anyio
from pydantic import SecretStr

from leadpipe_mcp import __version__, errors
from leadpipe_mcp.api import budget as budgets
from leadpipe_mcp.api.addresses import checked_base_url, names_a_thing
from leadpipe_mcp.api.answers import Answer, read_answer
from leadpipe_mcp.api.budget import CallBudget, present_budget
from leadpipe_mcp.api.connections import (
    MOST_ANSWERED,
    Connections,
    Incoming,
    Network,
    Outgoing,
    outgoing,
)
from leadpipe_mcp.errors import SERVICE, ServiceError, Unreachable

Key = SecretStr | Callable[[], SecretStr | None] | None
"""A key, or what returns that of the present caller."""
LEAST_SECONDS = 1.0
"""With less time than this nothing is sent."""
DOWNLOAD_SECONDS = 300.0
MOST_DOWNLOADED = 2 * 2**30
SHORTEST_KEY = 8
"""A shorter one is not a key, and its characters may be in any word."""
MOST_TRIES = 3
BACKOFF = 0.5
MOST_RETRIES = 20.0
EARNED = 0.5
"""What a success adds to the budget for retries."""
FAILURES = 6
FIRST_REST, LONGEST_REST = 5.0, 60.0
_SHORTEST = 1.0


class Health:
    """How one service has been doing."""

    def __init__(self) -> None:
        self._retries = MOST_RETRIES
        self._failed: list[str] = []
        self._last_problem = ""
        self._rest = FIRST_REST
        self._resting_until = 0.0
        self._pauses: dict[str, float] = {}
        self.has_answered = False
        """Whether the service has ever answered as it should."""

    def wait_for(self, route: str, left: float) -> float:
        """How many seconds this route has asked to be left alone; refuse what has less left."""
        wait = max(0.0, self._pauses.get(route, 0.0) - anyio.current_time())
        if wait and wait > left:
            raise errors.TooManyRequests(
                f"{SERVICE} asked for a pause a moment ago, so nothing was sent.",
                status=429,
                retry_after=wait,
            )
        return wait

    def admit(self, route: str) -> None:
        """Refuse a request to a service at rest, except one from time to time, to try."""
        if not self._rests(route):
            return
        now = anyio.current_time()
        wait = self._resting_until - now
        if wait > 0:
            raise Unreachable(
                f"{SERVICE} failed {len(self._failed)} times in a row, so nothing was sent."
                f" The last failure: {self._last_problem}",
                f"The next try makes sense in {max(wait, _SHORTEST):.0f} seconds.",
                how="not sent",
            )
        self._rest = min(LONGEST_REST, self._rest * 2)
        self._resting_until = now + self._rest

    def answered(self) -> None:
        """Take note that the service does answer."""
        self.has_answered = True
        self._retries = min(MOST_RETRIES, self._retries + EARNED)
        self._failed, self._rest = [], FIRST_REST

    def failed(self, error: ServiceError, route: str) -> None:
        """Take note of what the failure shows of the service."""
        now = anyio.current_time()
        if isinstance(error, errors.Misconfigured):
            return
        if isinstance(error, Unreachable | errors.ServiceDown):
            self._failed.append(route)
            # Only its words: an error that is kept holds all that led to it.
            self._last_problem = error.args[0]
            if len(self._failed) == FAILURES:
                self._resting_until = now + self._rest
        else:
            self._failed, self._rest = [], FIRST_REST
        if isinstance(error, errors.TooManyRequests) and error.retry_after:
            self._pauses = {route: end for route, end in self._pauses.items() if end > now}
            self._pauses[route] = now + error.retry_after

    def pause(self, error: ServiceError, route: str, tries: int, left: float) -> float | None:
        """How long to wait before the same is tried once more; None if it makes no sense."""
        if not error.retryable or tries >= MOST_TRIES or self._rests(route):
            return None
        jitter = random.uniform(0, BACKOFF * 2 ** (tries - 1))  # noqa: S311 -- no secret
        wait = max(jitter, error.retry_after or 0.0)
        if wait + _SHORTEST > left or self._retries < 1:
            return None
        self._retries -= 1
        return wait

    def _rests(self, route: str) -> bool:
        """Whether the service, or at least this route of it, failed too often in a row."""
        routes = set(self._failed)
        return len(self._failed) >= FAILURES and (route in routes or len(routes) > 1)


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

    def left(self, budget: CallBudget) -> float:
        """How many seconds it still has."""
        return min(budget.left - self.kept, self.until - anyio.current_time())


class Transport:
    """Requests to one service over one pool of connections.

    Args:
        base_url: Where the service is; a path in it is kept in front of every request's path.
        key: The API key, or what returns that of the present caller. Without one, only what is
            public can be asked.
        network: What carries requests in the place of HTTP connections, such as
            `serve_in_process`.
        vendor: The vendor of the service, as errors speak of it.
        bearer: Whether the key goes as a bearer token; else in a header of its own.
    """

    def __init__(
        self,
        base_url: str,
        key: Key,
        *,
        network: Network | None = None,
        vendor: errors.Vendor = errors.LEADPIPE,
        bearer: bool = False,
    ) -> None:
        self.base_url = checked_base_url(base_url)
        self._keyed = key if callable(key) else lambda: key
        self._connections = Connections(network)
        self._bearer = bearer
        self._vendor = vendor
        self._turns = anyio.CapacityLimiter(budgets.AT_ONCE)
        self._health = Health()

    @property
    def _key(self) -> SecretStr:
        return self._keyed() or SecretStr("")

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
            raise errors.NotConfigured(self._vendor)
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
            kept=0.0 if is_harmless else budgets.LOOK_SECONDS,
        )
        return await self._insist(task, present_budget())

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
            raise errors.UnusableAnswer(
                "The link to the file leads into this machine, and was not followed."
            )
        address = self.base_url + where if is_own else where
        # A signed link is no route of the service, and its host's troubles are not the service's.
        task = _Task(
            Outgoing("GET", address, self._headers(to_the_service=is_own)),
            route=f"GET {where if is_own else urlsplit(where).netloc}",
            health=self._health if is_own else Health(),
            kept=budgets.PAGES_SECONDS,
            until=anyio.current_time() + DOWNLOAD_SECONDS,
            file=file,
            most_bytes=most_bytes,
        )
        await self._insist(task, present_budget())

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
            except errors.AllowanceSpent:
                raise failure or errors.AllowanceSpent() from None
            except ServiceError as error:
                error.vendor, error.changing = self._vendor, task.changing
                failure = error
            if task.changing and failure.leaves_doubt:
                # Whatever comes of a later try, this one may have done it.
                doubt = doubt or failure
            never_sent = isinstance(failure, Unreachable) and failure.how == "not sent"
            may, left = task.repeatable or never_sent, task.left(budget)
            wait = task.health.pause(failure, task.route, tries, left) if may else None
            if wait is None:
                raise doubt or failure
            await budget.rest(wait)

    async def _try(self, task: _Task, budget: CallBudget, *, is_retry: bool) -> Answer:
        """The answer to one try, in its turn and after the pause that the route asked for."""
        await budget.rest(task.health.wait_for(task.route, budget.left))
        async with budgets.turn(budget, self._turns):
            task.health.admit(task.route)
            if task.left(budget) < LEAST_SECONDS:
                raise errors.OutOfTime(
                    "The service was so slow that no time is left; this step was not begun."
                )
            budget.requests += 1
            budget.retries += is_retry
            try:
                answer = await self._attempt(task, budget)
            except ServiceError as error:
                task.health.failed(error, task.route)
                budget.request_id = error.request_id or budget.request_id
                raise
            task.health.answered()
            budget.request_id = answer.request_id or budget.request_id
            return answer

    async def _attempt(self, task: _Task, budget: CallBudget) -> Answer:
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
            with anyio.fail_after(task.left(budget)) as scope:
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
        except errors.NotFound as missing:
            # The thing, the route or the address may be wrong, and each takes another advice.
            is_thing = names_a_thing(task.route.partition(" ")[2])
            if received.is_page or not (is_thing or self.has_answered):
                raise errors.WrongAddress(missing.args[0], like=missing) from None
            missing.vendor = self._vendor
            if not is_thing:
                missing.operation_advice = errors.NOT_OFFERED
            elif not self.has_answered:
                doubt = f"If the id is right, check {errors.BASE_URL}."
                missing.operation_advice = f"{missing.advice} {doubt}"
            raise
