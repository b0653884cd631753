"""Runs: each is one making of an audience's list of people. And the people themselves."""

from collections.abc import Awaitable, Callable, Collection
from functools import partial
from typing import TypeVar

import anyio
from pydantic import JsonValue

from leadpipe_mcp.api.answers import as_object, cursor_text
from leadpipe_mcp.api.budget import present_budget, together
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.generations import (
    Service,
    audience_path,
    check_day,
    read_dated_page,
    read_numbered_page,
    without_id,
)
from leadpipe_mcp.api.models import Audience, PeoplePage, Run, SpelledConfig
from leadpipe_mcp.api.settling import OutcomeWords, settled, the_new_one
from leadpipe_mcp.errors import Conflict, NotFound, NotPossible
from leadpipe_mcp.text import redact

T = TypeVar("T")
# A run takes from two seconds to a minute; looking at it often at first costs little.
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 2.5
MOST_RUNS = 100
"""As many as the service lists at once."""
Report = Callable[[Run, float], Awaitable[None]]
"""Takes the run as each look shows it, and the seconds waited so far."""
_LOOK = "Look at the runs with get_audience in a minute, before trying again."


class Runs:
    """The runs of saved audiences, and the people that they found."""

    def __init__(self, service: Service, configs: Configs) -> None:
        self._service = service
        self._configs = configs

    async def list(
        self, audience_id: str, limit: int = 5, *, whole: bool = False
    ) -> tuple[Run, ...]:
        """The latest runs of a saved audience, newest first.

        `whole` refuses a list in which a run cannot be read.
        """
        answer = await self._service.get(audience_path(audience_id, "runs"), limit=limit)
        items = answer.items()
        profile = self._service.profile
        if items and profile.runs is None:
            numbered = all("id" in told for item in items if (told := as_object(item)))
            profile.runs = "numbered" if numbered else "dated"
        if profile.runs == "dated":
            items = [without_id(item) for item in items]
        runs = answer.read_each(Run, items, whole=whole)
        newest_first = sorted(runs, key=lambda r: r.created_at or r.data_date or "", reverse=True)
        return tuple(newest_first[:limit])

    async def latest(self, audience_id: str, date: str | None = None) -> Run:
        """Return the newest run, of a date if one is named; or one whose state is "none"."""
        if self._service.profile.runs != "dated":
            runs = await self.list(audience_id, MOST_RUNS)
            if self._service.profile.runs == "numbered":
                return _newest(runs, date)
        # Runs by date, or an audience without runs on an API that has not shown its kind.
        try:
            answer = await self._service.get(audience_path(audience_id, "status"), date=date)
        except NotFound:
            # Only where it is not known whether there is such a route does this mean "no run".
            if self._service.profile.runs == "dated":
                raise
            return Run(state="none", data_date=date)
        run = answer.read(Run, without_id(answer.data))
        check_day(answer, date, run.data_date)
        return run

    async def overview(self, audience_id: str, limit: int = 5) -> tuple[Run, tuple[Run, ...]]:
        """Return the newest run and the latest few, by one request where runs have numbers."""
        if self._service.profile.runs == "dated":
            return await together(
                partial(self.latest, audience_id), partial(self.list, audience_id, limit)
            )
        runs = await self.list(audience_id, MOST_RUNS)
        numbered = self._service.profile.runs == "numbered"
        return _newest(runs) if numbered else await self.latest(audience_id), runs[:limit]

    async def wait(self, audience_id: str, seconds: float, report: Report) -> Run:
        """The newest run once it is made, or as it stands when the seconds are over."""
        return await wait_until(
            partial(self.latest, audience_id), lambda run: not run.is_being_made, seconds, report
        )

    async def is_outdated(self, audience: Audience, run: Run) -> bool:
        """Whether the run was made before the audience's config was changed, if the service says.

        The service keeps the people of an older config until the next run of the new one.
        """
        changed, made = audience.updated_at, run.created_at
        if not (run.config_hash and audience.config and changed and made) or changed <= made:
            return False
        validation = await self._configs.validate(await self._configs.as_saved(audience.config))
        now = validation.config_hash if validation else None
        return now is not None and now != run.config_hash

    async def people(
        self,
        audience_id: str,
        *,
        run_id: str | None = None,
        date: str | None = None,
        limit: int = 25,
        cursor: JsonValue = None,
    ) -> PeoplePage:
        """People of a saved audience: of the named run, the run of the date, or the latest.

        A later page is asked for with the cursor, and with the run or the date of the first one.
        The page is empty, and its run tells why, where the run is not ready.
        """
        latest: Run | None = None
        if run_id is None and cursor is None and self._service.profile.runs != "dated":
            latest = await self.latest(audience_id, date)
            if latest.state != "ready":
                return PeoplePage(run=latest)
            run_id, date = latest.id, latest.data_date
        place = None if cursor is None else cursor_text(cursor)
        if run_id is None:
            path = audience_path(audience_id, "results")
            try:
                answer = await self._service.get(path, date=date, limit=limit, cursor=place)
            except (NotFound, Conflict):
                # Whether the audience is missing, or its people, is not told apart here.
                run = await self.latest(audience_id, date)
                if place or run.state == "ready":
                    raise
                return PeoplePage(run=run)
            return read_dated_page(answer, date)
        if place is not None and not (place.isascii() and place.isdigit()):
            raise NotPossible(f"'{redact(place, 60)}' is no cursor of this run.")
        offset = int(place or 0)
        path = audience_path(audience_id, "runs", run_id, "results")
        answer = await self._service.get(path, limit=limit, offset=offset)
        page = read_numbered_page(answer, offset)
        check_day(answer, date, page.run.data_date)
        if page.run.id not in {None, run_id}:
            raise answer.unusable("the people are of another run than was asked for")
        # The results of a run do not say of which day they are, nor when they were made.
        known = latest or page.run.model_copy(update={"data_date": page.run.data_date or date})
        run = known.model_copy(update={"state": page.run.state, "size": page.run.size})
        return page.model_copy(update={"run": run})

    async def query(
        self,
        config: SpelledConfig | None = None,
        *,
        audience_id: str | None = None,
        date: str | None = None,
        limit: int = 25,
        cursor: JsonValue = None,
    ) -> PeoplePage | None:
        """The people that a config, saved or not, finds; None where the API has no such query."""
        if self._service.profile.queries is False:
            return None
        named = {"limit": limit, "audienceId": audience_id, "date": date, "cursor": cursor}
        body = {name: value for name, value in named.items() if value}
        asked = config.sent.written() if config else {}
        try:
            answer = await self._service.ask(audience_path("query"), asked | body)
        except NotFound:
            if audience_id or self._service.profile.queries:
                raise
            # Without the date it shows whether it is the route that is not there, or the day.
            if date and await self.query(config, limit=1) is not None:
                raise
            self._service.profile.queries = False
            return None
        self._service.profile.queries = True
        return read_dated_page(answer, date)

    async def queue(
        self, audience_id: str, idempotency_key: str, before: Collection[Run] | None = None
    ) -> Run:
        """A new run; the same key never queues a second one.

        `before` are the runs that there were, by which a new one is known; None: not known.
        """
        if self._service.profile.runs == "dated":
            raise NotPossible("This service makes its runs on its own, one a day.")

        async def order() -> Run:
            answer = await self._service.transport.request(
                "POST",
                audience_path(audience_id, "runs"),
                body={"runType": "manual"},
                idempotency_key=idempotency_key,
            )
            return answer.read(Run)

        async def look() -> Run | None:
            after = await self.list(audience_id, MOST_RUNS, whole=True)
            if keyed := [run for run in after if run.idempotency_key == idempotency_key]:
                return keyed[0]
            known = {run.id for run in before or ()}
            fresh = [run for run in after if run.id not in known and run.idempotency_key is None]
            return the_new_one(fresh, "run", certain=before is not None)

        # The key has made sure of what can be repeated.
        words = OutcomeWords("no new run is there, so none was queued.", _LOOK, firm=False)
        return await settled(order, look, words)

    async def cancel(self, audience_id: str, run_id: str) -> None:
        """Cancel a run that is still queued."""
        path = audience_path(audience_id, "runs", run_id)

        async def change() -> bool:
            answer = await self._service.transport.request("DELETE", path)
            # What it answers is not documented; if it says nothing, the runs themselves tell.
            if as_object(answer.data).get("status") != "cancelled":
                raise answer.unusable("it does not say that the run is cancelled")
            return True

        async def look() -> bool | None:
            runs = await self.list(audience_id, MOST_RUNS, whole=True)
            is_there = any(run.id == run_id and run.state != "cancelled" for run in runs)
            return None if is_there else True

        await settled(change, look, OutcomeWords("the run is not cancelled.", _LOOK), again=True)


def _newest(runs: Collection[Run], date: str | None = None) -> Run:
    of_date = (r for r in runs if r.state != "cancelled" and date in {None, r.data_date})
    return next(of_date, Run(state="none", data_date=date))


async def wait_until(
    look: Callable[[], Awaitable[T]],
    is_made: Callable[[T], bool],
    seconds: float,
    report: Callable[[T, float], Awaitable[None]],
) -> T:
    """Look until a thing is made or the seconds are over; `report` hears of every look."""
    started, pause = anyio.current_time(), _FIRST_PAUSE
    present_budget().extend(seconds)
    while True:
        seen = await look()
        waited = anyio.current_time() - started
        await report(seen, waited)
        if is_made(seen) or waited >= seconds:
            return seen
        await anyio.sleep(min(pause, seconds - waited))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
