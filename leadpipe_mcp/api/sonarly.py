"""SonarlyClient: LinkedIn audiences as typed Python.

Nothing that changes something is idempotent at Sonarly, so no such request is sent twice. After an
unclear failure the client looks, and says what it saw (see settling.py).
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from pydantic import JsonValue, SecretStr

from leadpipe_mcp.api.addresses import path_of
from leadpipe_mcp.api.answers import Answer, as_list, as_object, cursor_text
from leadpipe_mcp.api.connections import Network
from leadpipe_mcp.api.settling import Done, OutcomeWords, settled
from leadpipe_mcp.api.sonarly_errors import SONARLY, Operation, operation_advice
from leadpipe_mcp.api.sonarly_looks import Wanted, named_folder, new_folder, newcomer
from leadpipe_mcp.api.sonarly_models import (
    AccountGroup,
    AccountPage,
    AudiencePage,
    AudienceType,
    Folder,
    LinkedinAudience,
    Navigation,
    Overview,
    ProspectPage,
    held_by,
    page_of,
)
from leadpipe_mcp.api.transport import Transport
from leadpipe_mcp.errors import (
    Forbidden,
    NotFound,
    NotPossible,
    ServiceError,
    WrongAddress,
)
from leadpipe_mcp.text import clean

T = TypeVar("T")
MOST_PAGES = 100
# These stand where the id of an audience does.
_OTHER_ROUTES = ("navigation", "folders")
_CHECK = "Look with sonarly_list_audiences in a minute, before trying again."


def sonarly_transport(
    base_url: str, key: SecretStr | None, *, network: Network | None = None
) -> Transport:
    """The way to Sonarly, which takes its key as a bearer token."""
    return Transport(base_url, key, network=network, vendor=SONARLY, bearer=True)


class SonarlyClient:
    """Everything that Sonarly does with audiences; `group` is always the id of an account.

    Args:
        transport: The way to Sonarly.
        clock: The time, in seconds since 1970.
    """

    def __init__(self, transport: Transport, clock: Callable[[], float] = time.time) -> None:
        self._transport = transport
        self._clock = clock
        self.known_accounts: tuple[AccountGroup, ...] = ()
        """The accounts as they were listed last in this process."""

    async def accounts(self) -> tuple[AccountGroup, ...]:
        """The accounts that the key may see."""

        def read(answer: Answer) -> AccountPage:
            return answer.read(AccountPage, page_of(answer))

        page = await self._ask("accounts", "GET", "/v1/accounts", read)
        self.known_accounts = page.items
        return page.items

    async def audiences(
        self, group: str, cursor: JsonValue = None, limit: int | None = None
    ) -> AudiencePage:
        """One page of the audiences, without those that are being filled."""

        def read(answer: Answer) -> AudiencePage:
            told = page_of(answer)
            page = answer.read(AudiencePage, told)
            complete = len(page.items) == len(as_list(told.get("items")))
            return page.model_copy(update={"complete": complete})

        query = {"cursor": _as_text(cursor), "limit": limit}
        return await self._ask("audiences", "GET", _route(group), read, query=query)

    async def all_audiences(self, group: str) -> tuple[tuple[LinkedinAudience, ...], bool]:
        """The audiences of all pages, each once, and whether these are all that there are."""
        found: dict[str, LinkedinAudience] = {}
        cursor: JsonValue = None
        seen: set[str] = set()
        complete = True
        for _ in range(MOST_PAGES):
            page = await self.audiences(group, cursor)
            found |= {audience.id: audience for audience in page.items}
            complete = complete and page.complete
            cursor = page.next_cursor
            if cursor is None:
                return tuple(found.values()), complete
            if cursor_text(cursor) in seen:
                break
            seen.add(cursor_text(cursor))
        return tuple(found.values()), False

    async def overview(self, group: str) -> Overview:
        """Every audience that the list or the folders show, and the folders."""
        listed, complete = await self.all_audiences(group)
        try:
            navigation = await self.navigation(group)
        except ServiceError:
            return Overview(listed, None, complete=False)
        # Which of the two shows monitoring audiences is not documented.
        placed = {audience.id: audience for audience in navigation.audiences()}
        listed_ids = {audience.id for audience in listed}
        audiences = [
            audience.model_copy(update={"folder_id": placed[audience.id].folder_id})
            if audience.id in placed and not audience.folder_id
            else audience
            for audience in listed
        ]
        others = [audience for audience in placed.values() if audience.id not in listed_ids]
        complete = complete and navigation.complete
        return Overview((*audiences, *others), navigation.folders, complete=complete)

    async def before_creating(self, group: str) -> Overview:
        """What there is before something is made; an empty overview where the key may not look."""
        try:
            return await self.overview(group)
        except Forbidden:
            return Overview()

    async def get(self, group: str, audience_id: str) -> LinkedinAudience:
        """One audience.

        Raises:
            NotReady: If a prospecting job fills it just now.
        """
        route = _route(group, _id(audience_id))

        def read(answer: Answer) -> LinkedinAudience:
            found = answer.read(LinkedinAudience)
            if found.id != audience_id:
                raise answer.unusable("it is about another audience than was asked for")
            return found

        return await self._ask("get", "GET", route, read)

    async def create(
        self,
        group: str,
        name: str,
        kind: AudienceType,
        description: str | None = None,
        *,
        before: Overview | None = None,
    ) -> Done[LinkedinAudience]:
        """The new audience. `before` is what there was, by which a new one is known.

        Raises:
            NotDone: If it was not created.
            Unclear: If it may have been created; a look could not tell.
        """
        there = await self.before_creating(group) if before is None else before
        since = self._clock()
        body = {"name": name, "type": kind, "description": description}

        async def look() -> LinkedinAudience | None:
            return newcomer(there, await self.overview(group), name, since)

        return await settled(
            lambda: self._change("create", "POST", _route(group), _audience, body),
            look,
            OutcomeWords(
                "no new audience of this name is there, so none was created.", _CHECK, firm=False
            ),
        )

    async def update(
        self,
        group: str,
        audience_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
    ) -> Done[LinkedinAudience]:
        """The audience after the change; what is None stays."""
        route = _route(group, _id(audience_id))
        wanted = Wanted(name, description)

        async def change() -> LinkedinAudience:
            body = {"name": name, "description": description}
            return await self._change("update", "PATCH", route, wanted.confirmed_by, body)

        async def look() -> LinkedinAudience | None:
            return wanted.seen_in(await self.get(group, audience_id))

        words = OutcomeWords("the audience is not as was asked for.", _CHECK)
        return await settled(change, look, words)

    async def delete(self, group: str, audience_id: str) -> Done[bool]:
        """Delete an audience."""
        route = _route(group, _id(audience_id))

        async def look() -> bool | None:
            try:
                await self.get(group, audience_id)
            except WrongAddress:
                raise
            except NotFound:
                return True
            return None

        return await settled(
            lambda: self._change("delete", "DELETE", route, _deleted),
            look,
            OutcomeWords("the audience is still there.", _CHECK),
        )

    async def prospects(
        self, group: str, audience_id: str, cursor: JsonValue = None, limit: int | None = None
    ) -> ProspectPage:
        """One page of the people in an audience."""

        def read(answer: Answer) -> ProspectPage:
            return answer.read(ProspectPage, page_of(answer))

        route = _route(group, _id(audience_id), "prospects")
        query = {"cursor": _as_text(cursor), "limit": limit}
        return await self._ask("prospects", "GET", route, read, query=query)

    async def navigation(self, group: str) -> Navigation:
        """All folders with their audiences, and the audiences that are in none."""

        def read(answer: Answer) -> Navigation:
            navigation = answer.read(Navigation)
            complete = len(navigation.folders) + len(navigation.audiences()) == held_by(answer)
            return navigation.model_copy(update={"complete": complete})

        return await self._ask("navigation", "GET", _route(group, "navigation"), read)

    async def move(self, group: str, audience_id: str, folder_id: str) -> Done[LinkedinAudience]:
        """The audience in its new folder."""
        route = _route(group, _id(audience_id), "move-to-folder")
        body = {"folderId": path_of(folder_id, shown_by="sonarly_list_audiences")[1:]}
        wanted = Wanted(folder_id=folder_id)

        async def change() -> LinkedinAudience:
            return await self._change("move", "POST", route, wanted.confirmed_by, body)

        words = OutcomeWords("the audience is not in this folder.", _CHECK)
        look = self._look_where(group, audience_id, folder_id)
        return await settled(change, look, words)

    async def remove_from_folder(self, group: str, audience_id: str) -> Done[LinkedinAudience]:
        """The audience, in no folder."""
        route = _route(group, _id(audience_id), "remove-from-folder")
        wanted = Wanted(folder_id="")

        async def change() -> LinkedinAudience:
            return await self._change("remove", "POST", route, wanted.confirmed_by)

        words = OutcomeWords("the audience is still in its folder.", _CHECK)
        look = self._look_where(group, audience_id, "")
        return await settled(change, look, words)

    async def create_folder(
        self, group: str, name: str, kind: AudienceType, *, before: Navigation | None = None
    ) -> Done[Folder]:
        """The new folder. `before` is what there was, by which a new one is known."""
        there = await self.navigation(group) if before is None else before
        body = {"name": name, "audienceType": kind}

        async def look() -> Folder | None:
            return new_folder(there, await self.navigation(group), name)

        return await settled(
            lambda: self._change("create folder", "POST", _route(group, "folders"), _folder, body),
            look,
            OutcomeWords(
                "no new folder of this name is there, so none was created.", _CHECK, firm=False
            ),
        )

    async def rename_folder(self, group: str, folder_id: str, name: str) -> Done[Folder]:
        """The folder with its new name."""
        route = _route(group, "folders", folder_id)

        def confirmed(answer: Answer) -> Folder:
            folder = answer.read(Folder)
            if folder.name.strip() != name.strip():
                raise answer.unusable("the folder it shows has another name")
            return folder

        async def look() -> Folder | None:
            return named_folder(await self.navigation(group), folder_id, name)

        return await settled(
            lambda: self._change("rename folder", "PATCH", route, confirmed, {"name": name}),
            look,
            OutcomeWords("the folder has another name.", _CHECK),
        )

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    def _look_where(
        self, group: str, audience_id: str, folder_id: str
    ) -> Callable[[], Awaitable[LinkedinAudience | None]]:
        """A look that gives the audience if it is in the folder; "" is none."""

        async def look() -> LinkedinAudience | None:
            seen = await self.get(group, audience_id)
            if "folder_id" not in seen.model_fields_set:
                placed = (await self.navigation(group)).audiences()
                seen = next((audience for audience in placed if audience.id == seen.id), seen)
            return seen if (seen.folder_id or "") == folder_id else None

        return look

    async def _change(
        self,
        operation: Operation,
        method: str,
        route: str,
        read: Callable[[Answer], T],
        body: Mapping[str, object] | None = None,
    ) -> T:
        given = {name: value for name, value in (body or {}).items() if value is not None}
        return await self._ask(operation, method, route, read, body=given or None)

    async def _ask(
        self,
        operation: Operation,
        method: str,
        route: str,
        read: Callable[[Answer], T],
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> T:
        """What is read from the answer; every error knows what was to be done."""
        try:
            return read(await self._transport.request(method, route, query=query, body=body))
        except ServiceError as error:
            error.operation_advice = operation_advice(error, operation, reads=method == "GET")
            raise


def _route(group: str, *rest: str) -> str:
    account = path_of(group, shown_by="sonarly_list_accounts")
    return f"/v1/accounts{account}/audiences{path_of(*rest, shown_by='sonarly_list_audiences')}"


def _as_text(cursor: JsonValue) -> str | None:
    return None if cursor is None else cursor_text(cursor)


def _id(audience_id: str) -> str:
    if audience_id.casefold() in _OTHER_ROUTES:
        raise NotPossible(
            f"'{clean(audience_id, 60)}' cannot be the id of an audience.",
            "sonarly_list_audiences shows those that exist.",
        )
    return audience_id


def _audience(answer: Answer) -> LinkedinAudience:
    return answer.read(LinkedinAudience)


def _folder(answer: Answer) -> Folder:
    return answer.read(Folder)


def _deleted(answer: Answer) -> bool:
    if as_object(answer.data).get("deleted") is not True:
        raise answer.unusable("it does not say that it was deleted")
    return True
