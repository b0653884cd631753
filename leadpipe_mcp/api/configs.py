"""Configs: what the service makes of topics, scores and filters before anything is saved."""

import time
from collections.abc import Callable, Iterable, Mapping

from pydantic import JsonValue

from leadpipe_mcp.api.answers import as_object, issues_in
from leadpipe_mcp.api.generations import MOST_TOPICS, fit, read_catalog, read_preview
from leadpipe_mcp.api.models import AudienceConfig, Preview, ServiceConfig, Validation
from leadpipe_mcp.api.service import Service, audience_path
from leadpipe_mcp.api.shown import differing, not_applied, own_keys, show, without_words
from leadpipe_mcp.api.spelling import SpelledConfig, Spelling
from leadpipe_mcp.errors import NotFound, NotPossible
from leadpipe_mcp.text import redact
from leadpipe_mcp.vocabulary.catalog import EXCLUDING, FilterCatalog

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
            catalog = read_catalog(answer, self._service.profile.vocabulary)
            self._service.profile.vocabulary = catalog.vocabulary
            self._catalog = (now, catalog)
        return self._catalog[1]

    async def spell(self, config: AudienceConfig, *, near: bool = False) -> SpelledConfig:
        """Return the config in the service's own words and bounds.

        Args:
            config: Who is wanted, in the caller's words.
            near: Whether a value that is only near to what was asked may be taken.

        Raises:
            NotPossible: Naming everything that the service cannot apply.
        """
        spelling = Spelling(await self.filters(), near).read(config.filters, config.exclude)
        return self._spelled(config, spelling, spelling.sent, spelling.filters, spelling.exclude)

    async def as_saved(self, saved: ServiceConfig) -> SpelledConfig:
        """Return a saved config as it is, with the way in which replies show it."""
        filters, exclude = show(await self.filters(), saved.filters)
        parts = saved.model_dump() | {"filters": filters, "exclude": exclude}
        return SpelledConfig(saved, AudienceConfig.model_validate(parts))

    async def changed(
        self,
        saved: ServiceConfig,
        fields: Mapping[str, object],
        filters: Mapping[str, object],
        exclude: Mapping[str, object],
    ) -> SpelledConfig:
        """Return a saved config with a change in it; what the change does not name stays.

        Args:
            saved: The config as the service shows it, with everything else it holds.
            fields: The other fields to set, such as `min_score`.
            filters: What is asked for now, by key; a None asks for nothing.
            exclude: What is left out now. Where the service has one filter for both, a key named
                here leaves `filters`, and the other way round.
        """
        known = await self.filters()
        asked = [{k: v for k, v in part.items() if v is not None} for part in (filters, exclude)]
        spelling = Spelling(known).read(*asked)
        kept = own_keys(known, saved.filters)
        for part, change in (("filters", filters), ("exclude", exclude)):
            for key in change:
                # One that the service has no more can still be taken out.
                entry = None if key in kept else known.entry_for(key)
                out = known.excluding(entry) if entry and part == "exclude" else None
                kept.pop(out.key if out else entry.key if entry else key, None)
        for including, excluding in EXCLUDING.items():
            # A title that is asked for now is no longer left out, and the other way round.
            for new, old in ((including, excluding), (excluding, including)):
                if new in spelling.sent and old in kept and old not in spelling.sent:
                    kept[old] = without_words(kept[old], of=spelling.sent[new])
        sent = dict[str, JsonValue](
            {key: value for key, value in (kept | spelling.sent).items() if value is not None}
        )
        new_filters, new_exclude = show(known, sent)
        config = AudienceConfig.model_validate(saved.model_dump() | dict(fields))
        return self._spelled(
            config, spelling, sent, new_filters | spelling.filters, new_exclude | spelling.exclude
        )

    def _spelled(
        self,
        config: AudienceConfig,
        spelling: Spelling,
        sent: dict[str, JsonValue],
        filters: dict[str, JsonValue],
        exclude: dict[str, JsonValue],
    ) -> SpelledConfig:
        parts = config.model_dump(exclude={"filters", "exclude"})
        asked = ServiceConfig.model_validate(parts | {"filters": sent})
        fitting = fit(asked, spelling.catalog.vocabulary)
        shown = fitting.model_dump() | {"filters": filters, "exclude": exclude}
        return SpelledConfig(
            fitting,
            AudienceConfig.model_validate(shown),
            tuple(spelling.matches),
            tuple(dict.fromkeys(spelling.remarks)),
            tuple(spelling.by_listing),
        )

    async def validate(self, config: SpelledConfig) -> Validation | None:
        """Return what the service makes of a config, or None where it does not offer to say.

        Raises:
            NotPossible: If the service finds it invalid, or would find other people by it.
        """
        filters, profile = await self.filters(), self._service.profile
        if profile.validates is None:
            profile.validates = profile.vocabulary == "catalog"
        if not profile.validates:
            return None
        try:
            answer = await self._service.ask(audience_path("validate"), config.sent.as_sent())
        except NotFound:
            profile.validates = False
            return None
        # An invalid config may come without anything else that a validation holds.
        data = as_object(answer.data)
        if data.get("valid") is False:
            # Where it says why is not documented.
            texts = (data.get(name) for name in ("message", "reason", "error"))
            why = [*(redact(text) for text in texts if isinstance(text, str)), *issues_in(data)]
            said = f": {'; '.join(why[:3])}" if why else ""
            raise NotPossible(f"The service finds this config invalid{said}.")
        validation = answer.read(Validation)
        if not data.keys() & {"valid", "configHash", "normalizedConfig"}:
            raise answer.unusable("it does not say whether the config is valid")
        wrong = list(not_applied(filters, config.sent.filters, validation.applied_filters))
        if normal := validation.normalized_config:
            # What it does not tell is not known to differ; another lowest score `preview` says.
            told = normal.model_fields_set - ({"min_score"} if normal.min_score else set())
            made = config.sent.model_copy(update={name: getattr(normal, name) for name in told})
            wrong += differing(filters, config.sent, made)
        _refuse_others(filters, wrong)
        return validation

    async def preview(self, config: SpelledConfig, validation: Validation | None = None) -> Preview:
        """Return how many people a config finds now; nothing is created.

        Args:
            config: Who is wanted.
            validation: What the service made of the config, if it was asked already.

        Raises:
            NotPossible: If the service did not apply every filter that was asked for.
        """
        validation = validation or await self.validate(config)
        preview = await self._previewed(config)
        notes, shown = list(config.notes), preview.config
        normal, asked = (validation.normalized_config if validation else None), shown.min_score
        if normal and normal.min_score and asked is not None and normal.min_score != asked:
            notes.append(f"The service counts scores from {normal.min_score}, not {asked}.")
            shown = shown.model_copy(update={"min_score": normal.min_score})
        return preview.model_copy(update={"notes": tuple(notes), "config": shown})

    async def size(self, config: SpelledConfig) -> int:
        """Return how many people a config finds now, in one request: it is not validated before.

        For variations of a config that `preview` has looked at.
        """
        return (await self._previewed(config)).size

    async def are_same(self, one: ServiceConfig, other: ServiceConfig) -> bool:
        """Whether two configs find the same people, however they are written."""
        known = await self.filters()
        return not differing(known, one, other) and not differing(known, other, one)

    async def most_topics(self) -> int:
        """How many topics a config may have."""
        return MOST_TOPICS[(await self.filters()).vocabulary]

    async def _previewed(self, config: SpelledConfig) -> Preview:
        filters = await self.filters()
        answer = await self._service.ask(audience_path("preview"), config.sent.as_sent())
        preview = read_preview(answer, config.shown, filters.vocabulary)
        _refuse_others(filters, not_applied(filters, config.sent.filters, preview.applied_filters))
        return preview


def _refuse_others(filters: FilterCatalog, parts: Iterable[str]) -> None:
    """Refuse a config of which the service makes another one.

    Raises:
        NotPossible: Naming the parts that it would not apply as asked, if there are any.
    """
    names = list(dict.fromkeys(filters.name_of(part) for part in parts))
    if names:
        raise NotPossible(
            f"The service took the config, but does not say that it applied {', '.join(names)} as"
            " asked; the people would not be the ones asked for.",
            "Leave that out, or use another filter that means the same.",
        )
