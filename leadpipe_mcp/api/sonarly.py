"""SonarlyClient: LinkedIn audiences as typed Python.

Nothing that changes something is idempotent at Sonarly, so no such request is sent twice. After an
unclear failure the client looks, and says what it saw (see settling.py).
"""

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from pydantic import JsonValue

from leadpipe_mcp.api import sonarly_models as models
from leadpipe_mcp.api.addresses import path_of
from leadpipe_mcp.api.answers import Answer, as_object, cursor_text
from leadpipe_mcp.api.connections import Network
from leadpipe_mcp.api.settling import OutcomeWords, is_gone, settled, the_new_one
from leadpipe_mcp.api.sonarly_models import (
    AccountGroup,
    AudienceType,
    Folder,
    LinkedinAudience,
    Overview,
)
from leadpipe_mcp.api.transport import Key, Transport
from leadpipe_mcp.errors import Forbidden, NotPossible, ServiceError, Unclear
from leadpipe_mcp.text import clean

T = TypeVar("T")
Thing = TypeVar("Thing", LinkedinAudience, Folder)
MOST_PAGES = 100
# Two clocks may differ by so much.
SKEW_SECONDS = 600
# These stand where the id of an audience does.
_OTHER_ROUTES = ("navigation", "folders")
_CHECK = "Look with sonarly_list_audiences in a minute, before trying again."


def sonarly_transport(
    base_url: str,
    key: Key,
    *,
    network: Network | None = None,
) -> Transport:
    """The way to Sonarly, which takes its key as a bearer token."""
    return Transport(base_url, key, network=network, vendor=models.SONARLY, bearer=True)


class SonarlyClient:
    """Everything that Sonarly does with audiences; `group` is always the id of an account."""

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._clock = clock
        self.known_accounts: tuple[AccountGroup, ...] = ()
        """The accounts as they were listed last in this process."""

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    async def accounts(self) -> tuple[AccountGroup, ...]:
        """The accounts that the key may see; no document shows a second page of them."""
        self.known_accounts = await self._ask(
            "accounts",
            "GET",
            "/v1/accounts",
            lambda answer: answer.read_each(AccountGroup, models.read_page(answer)[0]),
        )
        return self.known_accounts

    async def overview(self, group: str) -> Overview:
        """Every audience that the list or the folders show, and the folders."""
        listed, complete = await self._listed(group)
        try:
            there = await self.navigation(group)
        except ServiceError:
            return Overview(tuple(listed.values()), shows_folders=False)
        # Which of the two shows monitoring audiences is not documented.
        for placed in there.audiences:
            known = listed.get(placed.id, placed)
            folder = known.folder_id or placed.folder_id
            listed[placed.id] = known.model_copy(update={"folder_id": folder} if folder else {})
        return Overview(tuple(listed.values()), there.folders, complete and there.complete)

    async def _listed(self, group: str) -> tuple[dict[str, LinkedinAudience], bool]:
        """The audiences of all pages by id, and whether these are all that there are."""

        def read(answer: Answer) -> tuple[tuple[LinkedinAudience, ...], JsonValue, bool]:
            items, following = models.read_page(answer)
            audiences = answer.read_each(LinkedinAudience, items)
            return audiences, following, len(audiences) == len(items)

        found: dict[str, LinkedinAudience] = {}
        complete, place, seen = True, None, set[str]()
        while place not in seen and len(seen) < MOST_PAGES:
            seen |= {place} if place else set()
            query = {"cursor": place}
            page = await self._ask("audiences", "GET", _route(group), read, query=query)
            audiences, following, all_read = page
            found |= {audience.id: audience for audience in audiences}
            complete = complete and all_read
            if following is None:
                return found, complete
            place = cursor_text(following)
        return found, False

    async def before_creating(self, group: str) -> Overview:
        """What there is before something is made; an empty overview where the key may not look."""
        try:
            return await self.overview(group)
        except Forbidden:
            return Overview()

    async def get(self, group: str, audience_id: str) -> LinkedinAudience:
        """One audience; `NotReady` is raised while a prospecting job fills it."""

        def read(answer: Answer) -> LinkedinAudience:
            found = answer.read(LinkedinAudience)
            if found.id != audience_id:
                raise answer.unusable("it is about another audience than was asked for")
            return found

        return await self._ask("get", "GET", _route(group, _id(audience_id)), read)

    async def prospects(
        self, group: str, audience_id: str, cursor: JsonValue = None, limit: int | None = None
    ) -> models.ProspectPage:
        """One page of the people in an audience."""
        route = _route(group, _id(audience_id), "prospects")
        query = {"cursor": None if cursor is None else cursor_text(cursor), "limit": limit}
        return await self._ask("prospects", "GET", route, models.read_prospects, query=query)

    async def navigation(self, group: str) -> Overview:
        """All folders with their audiences, and the audiences that are in none."""
        route = _route(group, "navigation")
        return await self._ask("navigation", "GET", route, models.read_navigation)

    async def create(
        self,
        group: str,
        name: str,
        kind: AudienceType,
        description: str | None = None,
        *,
        before: Overview,
    ) -> LinkedinAudience:
        """The new audience. `before` is what there was, by which a new one is known."""
        since = self._clock() - SKEW_SECONDS

        async def look() -> LinkedinAudience | None:
            after = await self.overview(group)
            fresh = _fresh(after.audiences, before.audiences, name)
            made = fresh[0].made_since(since) if fresh else None
            # A date that cannot be read is no doubt where all that was there before is known.
            certain = before.complete if made is None else made
            found = the_new_one(fresh, "audience", certain=certain)
            if not found and not after.complete:
                raise Unclear("Not all audiences could be looked at; among those seen it is not.")
            return found

        body = {"name": name, "type": kind, "description": description}
        read = _confirming(LinkedinAudience, {})
        ask = partial(self._ask, "create", "POST", _route(group), read, body=body)
        return await settled(ask, look, _not_made("audience"))

    async def update(
        self,
        group: str,
        audience_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> LinkedinAudience:
        """The audience after the change; what is None stays."""
        wanted = {"name": name, "description": description}
        return await self._altered("update", group, audience_id, wanted, wanted)

    async def move(self, group: str, audience_id: str, folder_id: str | None) -> LinkedinAudience:
        """The audience in its new folder, or in none."""
        wanted = {"folder_id": folder_id or ""}
        if folder_id is None:
            return await self._altered("remove-from-folder", group, audience_id, {}, wanted)
        body = {"folderId": path_of(folder_id, shown_by="sonarly_list_audiences")[1:]}
        return await self._altered("move-to-folder", group, audience_id, body, wanted)

    async def _altered(
        self,
        operation: str,
        group: str,
        audience_id: str,
        body: models.Wanted,
        wanted: models.Wanted,
    ) -> LinkedinAudience:
        method, rest = ("PATCH", ()) if operation == "update" else ("POST", (operation,))
        route = _route(group, _id(audience_id), *rest)

        async def look() -> LinkedinAudience | None:
            seen = await self.get(group, audience_id)
            if "folder_id" in wanted and "folder_id" not in seen.model_fields_set:
                placed = (await self.navigation(group)).audiences
                seen = next((audience for audience in placed if audience.id == seen.id), seen)
            if not models.is_as_wanted(seen, wanted):
                return None
            if models.hides_description(seen, wanted.get("description")):
                raise Unclear("Sonarly does not show the description.")
            return seen

        read = _confirming(LinkedinAudience, wanted)
        ask = partial(self._ask, operation, method, route, read, body=body)
        words = OutcomeWords("the audience is not as was asked for.", _CHECK)
        return await settled(ask, look, words)

    async def delete(self, group: str, audience_id: str) -> bool:
        """Delete an audience."""
        route = _route(group, _id(audience_id))

        def confirmed(answer: Answer) -> bool:
            if as_object(answer.data).get("deleted") is not True:
                raise answer.unusable("it does not say that it was deleted")
            return True

        ask = partial(self._ask, "delete", "DELETE", route, confirmed)
        look = partial(is_gone, partial(self.get, group, audience_id))
        return await settled(ask, look, OutcomeWords("the audience is still there.", _CHECK))

    async def create_folder(
        self, group: str, name: str, kind: AudienceType, *, before: Overview
    ) -> Folder:
        """The new folder. `before` is what there was, by which a new one is known."""

        async def look() -> Folder | None:
            after = await self.navigation(group)
            fresh = _fresh(after.folders, before.folders, name)
            found = the_new_one(fresh, "folder", certain=before.complete)
            if not found and not after.complete:
                raise Unclear("Not all folders could be read; among those that could it is not.")
            if not found and all(folder.audiences for folder in after.folders):
                raise Unclear("It is not among the folders, but an empty one may not be shown.")
            return found

        body = {"name": name, "audienceType": kind}
        route, read = _route(group, "folders"), _confirming(Folder, {})
        ask = partial(self._ask, "create folder", "POST", route, read, body=body)
        return await settled(ask, look, _not_made("folder"))

    async def rename_folder(self, group: str, folder_id: str, name: str) -> Folder:
        """The folder with its new name."""
        wanted = {"name": name}

        async def look() -> Folder | None:
            folders = (await self.navigation(group)).folders
            folder = next((folder for folder in folders if folder.id == folder_id), None)
            if folder is None:
                raise Unclear("The folder is not shown now.")
            return folder if models.is_as_wanted(folder, wanted) else None

        route, read = _route(group, "folders", folder_id), _confirming(Folder, wanted)
        ask = partial(self._ask, "rename folder", "PATCH", route, read, body=wanted)
        return await settled(ask, look, OutcomeWords("the folder has another name.", _CHECK))

    async def _ask(
        self,
        operation: str,
        method: str,
        route: str,
        read: Callable[[Answer], T],
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> T:
        """What is read from the answer; every error knows what was to be done."""
        given = {name: value for name, value in (body or {}).items() if value is not None}
        try:
            answer = await self._transport.request(method, route, query=query, body=given or None)
            return read(answer)
        except ServiceError as error:
            if special := models.operation_advice(error, operation, reads=method == "GET"):
                error.operation_advice = special
            raise


def _route(group: str, *rest: str) -> str:
    account = path_of(group, shown_by="sonarly_list_accounts")
    return f"/v1/accounts{account}/audiences{path_of(*rest, shown_by='sonarly_list_audiences')}"


def _id(audience_id: str) -> str:
    if audience_id.casefold() in _OTHER_ROUTES:
        raise NotPossible(
            f"'{clean(audience_id, 60)}' cannot be the id of an audience.",
            "sonarly_list_audiences shows those that exist.",
        )
    return audience_id


def _not_made(thing: str) -> OutcomeWords:
    undone = f"no new {thing} of this name is there, so none was created."
    return OutcomeWords(undone, _CHECK, firm=False)


def _fresh(after: Iterable[Thing], before: Iterable[Thing], name: str) -> list[Thing]:
    """The things of this name that were not there before."""
    known = {thing.id for thing in before}
    new = [thing for thing in after if thing.id not in known]
    return [thing for thing in new if models.is_as_wanted(thing, {"name": name})]


def _confirming(kind: type[Thing], wanted: models.Wanted) -> Callable[[Answer], Thing]:
    """Read the thing in an answer that has to show the change."""

    def read(answer: Answer) -> Thing:
        thing = answer.read(kind)
        if not models.is_as_wanted(thing, wanted):
            raise answer.unusable("what it shows has not changed as asked")
        return thing

    return read
