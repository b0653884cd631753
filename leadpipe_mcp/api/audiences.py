"""Saved audiences: listed, read, created, changed, deleted."""

from leadpipe_mcp.api.answers import Answer, as_object
from leadpipe_mcp.api.configs import Configs, differing
from leadpipe_mcp.api.models import Audience, AudienceConfig, Status
from leadpipe_mcp.api.service import Service, audience_path
from leadpipe_mcp.errors import NotFound, ServiceError, UnusableAnswer


class Audiences:
    """The saved audiences of the key's organization."""

    def __init__(self, service: Service, configs: Configs) -> None:
        self._service = service
        self._configs = configs

    async def list(
        self, status: Status | None = None, limit: int | None = None
    ) -> tuple[Audience, ...]:
        """The saved audiences, at most `limit` of those with the status."""
        answer = await self._service.get(audience_path(), status=status, limit=limit)
        # An older API takes no parameters and answers with everything.
        found = answer.read_each(Audience)
        return tuple(a for a in found if status in {None, a.status})[:limit]

    async def get(self, audience_id: str) -> Audience:
        """One saved audience."""
        answer = await self._service.get(audience_path(audience_id))
        return answer.read(Audience)

    async def create(self, name: str, config: AudienceConfig, status: Status = "draft") -> Audience:
        """The audience that was saved, with the status that was asked for."""
        spelled = await self._configs.spell(config)
        body: dict[str, object] = {"name": name, "config": spelled.as_sent()}
        # The flat API creates drafts only; the status is set afterwards.
        if self._service.profile.vocabulary == "catalog":
            body["status"] = status
        answer = await self._service.post(audience_path(), body)
        audience = answer.read(Audience)
        await self._check_kept(answer, spelled, audience)
        if audience.status == status:
            return audience
        try:
            return await self.update(audience.id, status=status)
        except ServiceError as failed:
            failed.problem += f" The audience is saved as a draft, with the id {audience.id}."
            raise

    async def update(
        self,
        audience_id: str,
        *,
        name: str | None = None,
        status: Status | None = None,
        config: AudienceConfig | None = None,
        audience_size: int | None = None,
    ) -> Audience:
        """The audience after the change. A config is sent whole: what it leaves out is reset.

        Raises:
            UnusableAnswer: If the service's answer does not confirm the change.
        """
        spelled = await self._configs.spell(config) if config else None
        body = {
            "name": name,
            "status": status,
            # Filters are sent though there are none left: a service that merges would keep them.
            "config": {"filters": {}} | spelled.as_sent() if spelled else None,
            "audienceSize": audience_size,
        }
        answer = await self._service.transport.request(
            "PATCH",
            audience_path(audience_id),
            body={field: value for field, value in body.items() if value is not None},
        )
        audience = answer.read(Audience)
        asked = {"name": name, "status": status, "size": audience_size}
        if any(value not in {None, getattr(audience, part)} for part, value in asked.items()):
            raise answer.unusable("the audience it shows has not changed as asked")
        if spelled and audience.config is None:
            audience = await self.get(audience_id)
        if spelled:
            await self._check_kept(answer, spelled, audience)
        return audience

    async def delete(self, audience_id: str) -> None:
        """Nothing; the audience is gone.

        Raises:
            UnusableAnswer: If the service's answer does not confirm it.
        """
        path = audience_path(audience_id)
        try:
            answer = await self._service.transport.request("DELETE", path)
        # One document shows an answer without a body.
        except UnusableAnswer as unclear:
            await self._check_gone(path, unclear)
            return
        if as_object(answer.data).get("deleted") is not True:
            await self._check_gone(path, answer.unusable("it does not say that it was deleted"))

    async def _check_gone(self, path: str, unclear: UnusableAnswer) -> None:
        """Look for the audience after an answer that does not tell."""
        try:
            await self._service.get(path)
        except NotFound:
            return
        except ServiceError:
            raise unclear from None
        raise unclear

    async def _check_kept(self, answer: Answer, sent: AudienceConfig, audience: Audience) -> None:
        """Compare what the service keeps with what was sent, where it shows it."""
        if audience.config is None:
            return
        # It may keep a filter under its other key.
        filters = await self._configs.merge_filters(audience.config.filters, {})
        differ = differing(sent, audience.config.model_copy(update={"filters": filters}))
        if differ:
            raise answer.unusable(
                f"it keeps these otherwise than they were sent: {', '.join(differ)}"
            )
