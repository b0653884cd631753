"""Saved audiences: listed, read, created, changed, deleted."""

import contextlib
from functools import partial

from leadpipe_mcp.api.answers import as_object
from leadpipe_mcp.api.configs import Configs
from leadpipe_mcp.api.generations import Service, audience_path
from leadpipe_mcp.api.models import Audience, ServiceConfig, SpelledConfig, Status
from leadpipe_mcp.api.settling import OutcomeWords, is_gone, settled, the_new_one
from leadpipe_mcp.errors import NotFound, ServiceError, Unclear, UnusableAnswer, WrongAddress
from leadpipe_mcp.text import clean

MOST_LISTED = 100
_LOOK = "Look with {} in a minute, before trying again."


class Audiences:
    """The saved audiences of the key's organization."""

    def __init__(self, service: Service, configs: Configs) -> None:
        self._service = service
        self._configs = configs

    async def list(
        self, status: Status | None = None, limit: int | None = None, *, whole: bool = False
    ) -> tuple[Audience, ...]:
        """The saved audiences, at most `limit` of those with the status.

        `whole` refuses a list in which an audience cannot be read.
        """
        answer = await self._service.get(audience_path(), status=status, limit=limit)
        # An older API takes no parameters and answers with everything.
        found = answer.read_each(Audience, whole=whole)
        return tuple(a for a in found if status in {None, a.status})[:limit]

    async def get(self, audience_id: str) -> Audience:
        """One saved audience."""
        answer = await self._service.get(audience_path(audience_id))
        audience = answer.read(Audience)
        if audience.id.casefold() != audience_id.casefold():
            raise answer.unusable("it is about another audience than was asked for")
        return audience

    async def known(self) -> tuple[Audience, ...] | None:
        """Return the audiences that there are; None where not all of them could be seen."""
        try:
            known = await self.list(limit=MOST_LISTED, whole=True)
        except ServiceError:
            return None
        return known if len(known) < MOST_LISTED else None

    async def create(
        self,
        name: str,
        config: SpelledConfig,
        status: Status = "draft",
        before: tuple[Audience, ...] | None = None,
    ) -> Audience:
        """Save an audience. A new one is known by those that there were `before`."""
        body: dict[str, object] = {"name": name, "config": config.sent.written()}
        # The flat API creates drafts only; the status is set afterwards.
        if self._service.profile.vocabulary == "catalog":
            body["status"] = status
        before = before or await self.known()

        async def create() -> Audience:
            return (await self._service.post(audience_path(), body)).read(Audience)

        async def look() -> Audience | None:
            after = await self.list(limit=MOST_LISTED, whole=True)
            known = {audience.id for audience in before or ()}
            fresh = [a for a in after if a.id not in known and a.name.strip() == name.strip()]
            found = the_new_one(fresh, "audience", certain=before is not None)
            if not found and len(after) >= MOST_LISTED:
                raise Unclear("Not all audiences could be looked at; among those seen it is not.")
            return found

        undone = "no new audience of this name is there, so none was saved."
        words = OutcomeWords(undone, _LOOK.format("list_audiences"), firm=False)
        audience = await settled(create, look, words, again=True)
        await self._check_kept(config.sent, audience)
        if audience.status == status:
            return audience
        try:
            return await self.update(audience.id, status=status)
        except ServiceError as failed:
            failed.add_note(f"The audience is saved as a draft, with the id {audience.id}.")
            raise

    async def update(
        self,
        audience_id: str,
        *,
        name: str | None = None,
        status: Status | None = None,
        config: SpelledConfig | None = None,
        audience_size: int | None = None,
    ) -> Audience:
        """The audience after the change. A config is sent whole: what it leaves out is reset."""
        spelled = config.sent if config else None
        body = {
            "name": name,
            "status": status,
            # Filters are sent though there are none left: a service that merges would keep them.
            "config": {"filters": {}} | spelled.written() if spelled else None,
            "audienceSize": audience_size,
        }
        given = {field: value for field, value in body.items() if value is not None}
        asked = {"name": name, "status": status, "size": audience_size}

        def is_so(audience: Audience) -> bool:
            return all(value in {None, getattr(audience, part)} for part, value in asked.items())

        async def change() -> Audience:
            answer = await self._service.transport.request(
                "PATCH", audience_path(audience_id), body=given
            )
            audience = answer.read(Audience)
            if not is_so(audience):
                raise answer.unusable("the audience it shows has not changed as asked")
            return audience

        async def look() -> Audience | None:
            audience = await self.get(audience_id)
            if spelled and audience.config is None:
                raise Unclear("The service does not show what the audience is made of.")
            differ = await self._configs.differing(spelled, audience.config) if spelled else ()
            return audience if is_so(audience) and not differ else None

        words = OutcomeWords("the audience is not as was asked for.", _LOOK.format("get_audience"))
        audience = await settled(change, look, words, again=True)
        if spelled and audience.config is None:
            # The change is made; whoever cannot look at it now can look later.
            with contextlib.suppress(ServiceError):
                audience = await self.get(audience_id)
        if spelled:
            await self._check_kept(spelled, audience)
        return audience

    async def delete(self, audience_id: str) -> None:
        """Delete an audience."""
        path = audience_path(audience_id)
        tries = 0

        async def change() -> bool:
            nonlocal tries
            tries += 1
            try:
                answer = await self._service.transport.request("DELETE", path)
            except NotFound as missing:
                if tries == 1 or isinstance(missing, WrongAddress):
                    raise
                # The try before has deleted it after all.
                return True
            if as_object(answer.data).get("deleted") is not True:
                raise answer.unusable("it does not say that it was deleted")
            return True

        words = OutcomeWords("the audience is still there.", _LOOK.format("get_audience"))
        await settled(change, partial(is_gone, lambda: self._service.get(path)), words, again=True)

    async def _check_kept(self, sent: ServiceConfig, audience: Audience) -> None:
        if differ := await self._configs.differing(sent, audience.config):
            raise UnusableAnswer(
                f"The service saved the audience with the id {clean(audience.id, 40)}, but it keeps"
                f" these otherwise than they were sent: {', '.join(differ)}.",
                "Do not use it as it is: look at it with get_audience, and tell the user.",
            )
