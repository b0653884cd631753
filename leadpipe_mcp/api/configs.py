"""Configs: what the service makes of topics, scores and filters before anything is saved."""

import time
from collections.abc import Callable, Mapping

from pydantic import JsonValue

from leadpipe_mcp.api import catalog, flat
from leadpipe_mcp.api.answers import Answer, as_object, issues_in
from leadpipe_mcp.api.filters import read_filters, same_wish
from leadpipe_mcp.api.models import AudienceConfig, Preview, Validation
from leadpipe_mcp.api.service import Service, audience_path
from leadpipe_mcp.api.spelling import FilterCatalog, missing_filters, unnested
from leadpipe_mcp.errors import NotFound, NotPossible
from leadpipe_mcp.text import redact

CATALOG_SECONDS = 24 * 3600


class Configs:
    """The filters that there are, and configs made of them.

    Args:
        service: The way to the service.
        clock: The seconds by which the catalogue of filters grows old.
    """

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._catalog: tuple[float, FilterCatalog] | None = None

    async def filters(self) -> FilterCatalog:
        """The filters that the service has, asked for once a day."""
        now = self._clock()
        if self._catalog is None or now - self._catalog[0] > CATALOG_SECONDS:
            answer = await self._service.get(audience_path("filters"))
            self._catalog = (now, self._read_catalog(answer))
        return self._catalog[1]

    def _read_catalog(self, answer: Answer) -> FilterCatalog:
        if self._service.profile.vocabulary is None:
            if not catalog.is_catalog(answer.data) and not flat.is_flat(answer.data):
                raise answer.unusable("its list of filters is of no known form")
            found = "catalog" if catalog.is_catalog(answer.data) else "flat"
            self._service.profile.vocabulary = found
        if self._service.profile.vocabulary == "flat":
            if not flat.is_flat(answer.data):
                raise answer.unusable("its list of filters is not of the flat form")
            return flat.read_catalog(answer.data)
        if not catalog.is_catalog(answer.data):
            raise answer.unusable("its list of filters is not of the catalogue form")
        return catalog.read_catalog(answer)

    async def spell(self, config: AudienceConfig) -> AudienceConfig:
        """The config in the service's own words and bounds.

        Raises:
            NotPossible: Naming what the service cannot apply.
        """
        filters = await self.filters()
        fit = flat.fit if filters.vocabulary == "flat" else catalog.fit
        spelled = filters.spell(read_filters(config.filters))
        return fit(config.model_copy(update={"filters": spelled}))

    async def merge_filters(
        self, present: Mapping[str, JsonValue], change: Mapping[str, object]
    ) -> dict[str, JsonValue]:
        """The present filters with the change applied key by key; a None removes its filter."""
        return (await self.filters()).merge(present, change)

    async def validate(self, config: AudienceConfig) -> Validation | None:
        """What the service makes of a config, or None where it does not offer to say.

        Raises:
            NotPossible: If the service finds it invalid, or would not apply all of its filters.
        """
        spelled = await self.spell(config)
        if self._service.profile.validates is None:
            offers = self._service.profile.vocabulary == "catalog"
            self._service.profile.validates = offers
        if not self._service.profile.validates:
            return None
        try:
            answer = await self._service.ask(audience_path("validate"), spelled.as_sent())
        except NotFound:
            self._service.profile.validates = False
            return None
        # An invalid config may come without anything else that a validation holds.
        if as_object(answer.data).get("valid") is False:
            raise NotPossible(f"The service finds this config invalid{_complaints(answer)}.")
        validation = answer.read(Validation)
        if not as_object(answer.data).keys() & {"valid", "configHash", "normalizedConfig"}:
            raise answer.unusable("it does not say whether the config is valid")
        _check_applied(spelled, validation.applied_filters)
        return validation

    async def preview(
        self, config: AudienceConfig, validation: Validation | None = None
    ) -> Preview:
        """How many people a config finds now; nothing is created.

        Args:
            config: Who is wanted.
            validation: What the service made of the config, if it was asked already.

        Raises:
            NotPossible: If the service did not apply every filter that was asked for.
        """
        validation = validation or await self.validate(config)
        spelled = await self.spell(config)
        preview = await self._previewed(spelled)
        normal = validation.normalized_config if validation else None
        asked = spelled.min_score
        if normal and normal.min_score and asked is not None and normal.min_score != asked:
            note = f"The service counts scores from {normal.min_score}, not {asked}."
            spelled = spelled.model_copy(update={"min_score": normal.min_score})
            return preview.model_copy(update={"notes": (note,), "config": spelled})
        return preview

    async def size(self, config: AudienceConfig) -> int:
        """How many people a config finds now, in one request: it is not validated before.

        For variations of a config that `preview` has looked at.
        """
        return (await self._previewed(await self.spell(config))).size

    async def most_topics(self) -> int:
        """How many topics a config may have."""
        filters = await self.filters()
        return flat.MAX_TOPICS if filters.vocabulary == "flat" else catalog.MAX_TOPICS

    async def _previewed(self, spelled: AudienceConfig) -> Preview:
        answer = await self._service.ask(audience_path("preview"), spelled.as_sent())
        is_flat = self._service.profile.vocabulary == "flat"
        preview = (flat if is_flat else catalog).read_preview(answer, spelled)
        _check_applied(spelled, preview.applied_filters)
        return preview


def differing(sent: AudienceConfig, kept: AudienceConfig) -> tuple[str, ...]:
    """The parts of a config that the service keeps otherwise than they were sent."""
    # The May 2026 API counts scores from 50 to 99 and says so in what it keeps.
    lowest = max(sent.min_score or 0, 50) if kept.min_score == 50 else sent.min_score
    pairs: dict[str, tuple[object, object]] = {
        "topicIds": (set(sent.topic_ids), set(kept.topic_ids)),
        "minScore": (lowest, kept.min_score),
        "maxScore": (min(sent.max_score or 99, 99), min(kept.max_score or 99, 99)),
        "minTopicOverlap": (sent.min_topic_overlap or 1, kept.min_topic_overlap or 1),
    }
    parts = [name for name, (wanted, got) in pairs.items() if wanted is not None and wanted != got]
    ours, theirs = unnested(sent.filters), unnested(kept.filters)
    keys = dict.fromkeys([*ours, *theirs])
    return (*parts, *(key for key in keys if not same_wish(key, ours.get(key), theirs.get(key))))


def _check_applied(spelled: AudienceConfig, applied: tuple[str, ...] | None) -> None:
    missing = missing_filters(spelled.filters, applied)
    if missing:
        raise NotPossible(
            f"The service took the config, but does not say that it applied {', '.join(missing)};"
            " the people would not be the ones asked for.",
            "Leave the filter out, or use another that means the same.",
        )


def _complaints(answer: Answer) -> str:
    """What the service says is wrong; where it says it is not documented."""
    data = as_object(answer.data)
    said = [data.get(name) for name in ("message", "reason", "error")]
    words = [*(redact(text) for text in said if isinstance(text, str)), *issues_in(data)]
    return f": {'; '.join(words[:3])}" if words else ""
