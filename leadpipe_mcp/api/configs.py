"""Configs: what the service makes of topics, scores and filters before anything is saved."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from pydantic import JsonValue

from leadpipe_mcp.api import generations
from leadpipe_mcp.api.answers import as_object, issues_in
from leadpipe_mcp.api.generations import Service, audience_path
from leadpipe_mcp.api.models import (
    AudienceConfig,
    Filters,
    Preview,
    ServiceConfig,
    SpelledConfig,
    Validation,
)
from leadpipe_mcp.api.spelling import FLAGS, Spelling, is_usual, words_of
from leadpipe_mcp.errors import NotFound, NotPossible
from leadpipe_mcp.text import redact
from leadpipe_mcp.vocabulary.catalog import EXCLUDING, FilterCatalog, FilterEntry

CATALOG_SECONDS = 24 * 3600
_PARTS = {"values", "operator", "mode"}


class Configs:
    """The filters that there are, and configs made of them."""

    def __init__(self, service: Service, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._catalog: tuple[float, FilterCatalog] | None = None

    async def filters(self) -> FilterCatalog:
        """The filters that the service has, asked for once a day."""
        now = self._clock()
        if self._catalog is None or now - self._catalog[0] > CATALOG_SECONDS:
            answer = await self._service.get(audience_path("filters"))
            catalog = generations.read_catalog(answer, self._service.profile.vocabulary)
            self._service.profile.vocabulary = catalog.vocabulary
            self._catalog = (now, catalog)
        return self._catalog[1]

    async def spell(self, config: AudienceConfig, *, near: bool = False) -> SpelledConfig:
        """Return the config in the service's own words and bounds, or refuse it with every reason.

        `near` takes a value that is only near to what was asked.
        """
        return await self._spelled(config, {}, config.filters, config.exclude, near=near)

    async def as_saved(self, saved: ServiceConfig) -> SpelledConfig:
        """Return a saved config as it is, with the way in which replies show it."""
        filters, exclude = _show(await self.filters(), saved.filters)
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
        config = AudienceConfig.model_validate(saved.model_dump() | dict(fields))
        return await self._spelled(config, saved.filters, filters, exclude)

    async def _spelled(
        self,
        config: AudienceConfig,
        saved: Filters,
        filters: Mapping[str, object],
        exclude: Mapping[str, object],
        *,
        near: bool = False,
    ) -> SpelledConfig:
        known = await self.filters()
        kept = _own_keys(known, saved)
        # One that the service has no more can still be taken out.
        asked = [
            {key: value for key, value in part.items() if value is not None or key not in kept}
            for part in (filters, exclude)
        ]
        spelling = Spelling(known, near).read(*asked)
        for part in (filters, exclude):
            for key in part:
                entry = known.entries.get(key) if key in kept else known.entry_for(key)
                out = known.excluding(entry) if entry and part is exclude else None
                kept.pop(out.key if out else entry.key if entry else key, None)
        for including, excluding in EXCLUDING.items():
            # A title that is asked for now is no longer left out, and the other way round.
            for new, old in ((including, excluding), (excluding, including)):
                if new in spelling.sent and old in kept:
                    value, gone = kept.pop(old), words_of(spelling.sent[new])
                    how = value if isinstance(value, dict) else Filters()
                    left = list[JsonValue](w for at, w in words_of(value).items() if at not in gone)
                    kept |= {old: Filters(how, values=left)} if left else Filters()
        shown, hidden = _show(known, kept)
        parts = config.model_dump(exclude={"exclude"}) | {"filters": kept | spelling.sent}
        fitting = generations.fit(ServiceConfig.model_validate(parts), known.vocabulary)
        parts = {"filters": shown | spelling.filters, "exclude": hidden | spelling.exclude}
        return SpelledConfig(
            fitting,
            AudienceConfig.model_validate(fitting.model_dump() | parts),
            tuple(spelling.matches),
            tuple(dict.fromkeys(spelling.remarks)),
            tuple(spelling.by_listing),
        )

    async def validate(self, config: SpelledConfig) -> Validation | None:
        """Return what the service makes of a config, or None where it does not offer to say.

        One that it finds invalid, or by which it would find other people, is refused.
        """
        filters, profile = await self.filters(), self._service.profile
        if profile.validates is None:
            profile.validates = profile.vocabulary == "catalog"
        if not profile.validates:
            return None
        try:
            answer = await self._service.ask(audience_path("validate"), config.sent.written())
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
        wrong = list(_not_applied(filters, config.sent.filters, validation.applied_filters))
        if normal := validation.normalized_config:
            # What it does not tell is not known to differ; another lowest score `preview` says.
            told = normal.model_fields_set - ({"min_score"} if normal.min_score else set())
            made = config.sent.model_copy(update={name: getattr(normal, name) for name in told})
            wrong += _differing(filters, config.sent, made)
        _refuse_others(filters, wrong)
        return validation

    async def preview(self, config: SpelledConfig, validation: Validation | None = None) -> Preview:
        """Return how many people a config finds now, if every filter was applied."""
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

    async def differing(self, sent: ServiceConfig, kept: ServiceConfig | None) -> tuple[str, ...]:
        """Return the parts of a config that the service keeps otherwise, where it shows them."""
        return _differing(await self.filters(), sent, kept) if kept else ()

    async def are_same(self, one: ServiceConfig, other: ServiceConfig) -> bool:
        """Whether two configs find the same people, however they are written."""
        return not await self.differing(one, other) and not await self.differing(other, one)

    async def most_topics(self) -> int:
        """How many topics a config may have."""
        return generations.MOST_TOPICS[(await self.filters()).vocabulary]

    async def _previewed(self, config: SpelledConfig) -> Preview:
        filters = await self.filters()
        answer = await self._service.ask(audience_path("preview"), config.sent.written())
        preview = generations.read_preview(answer, config.shown, filters.vocabulary)
        _refuse_others(filters, _not_applied(filters, config.sent.filters, preview.applied_filters))
        return preview


def _refuse_others(filters: FilterCatalog, parts: Iterable[str]) -> None:
    if names := dict.fromkeys(filters.name_of(part) for part in parts):
        raise NotPossible(
            f"The service took the config, but does not say that it applied {', '.join(names)} as"
            " asked; the people would not be the ones asked for.",
            "Leave that out, or use another filter that means the same.",
        )


def _show(catalog: FilterCatalog, filters: Filters) -> tuple[Filters, Filters]:
    """Return the service's filters as replies show them: what is asked for, what is left out.

    A list of more than half of a filter's values is shown as what it leaves out.
    """
    wanted, unwanted = Filters(), Filters()
    including = {out: own for own, out in EXCLUDING.items()}
    for key, value in _own_keys(catalog, filters).items():
        entry, name = catalog.entries.get(key), catalog.name_of(key)
        says = _meaning(entry, value)
        if entry is None or says is None or says.operator or says.mode:
            wanted[name if entry else key] = value
        elif key in including:
            unwanted[catalog.name_of(including[key])] = says.said
        else:
            words = says.said if isinstance(says.said, list) else []
            rest = [known.value for known in entry.values if known.value not in words]
            short = rest and 2 * len(words) > len(entry.values) == len(words) + len(rest)
            (unwanted if short else wanted)[name] = list(rest) if short else says.said
    return wanted, unwanted


def _own_keys(catalog: FilterCatalog, filters: Filters) -> Filters:
    """Return filters under the service's present keys; it also writes {"role": {"seniority": …}}.

    There "includeMode" stands beside "include", and is its mode.
    """
    groups = {key.partition(".")[0] for key in catalog.entries if "." in key}
    found = Filters()
    for key, value in filters.items():
        is_group = key in groups and key not in catalog.entries
        if not is_group or not isinstance(value, dict) or "values" in value:
            found[key] = value
            continue
        modes = {f"{name}Mode" for name in value}
        for name in value.keys() - modes:
            inner, mode = value[name], value.get(f"{name}Mode")
            found[f"{key}.{name}"] = {"values": inner, "mode": mode} if mode else inner
    own = Filters()
    for key, value in found.items():
        try:
            own[catalog.entry_for(key).key] = value
        except NotPossible:
            own[key] = value
    return {key: value for key, value in own.items() if value is not None}


class _Meaning(NamedTuple):
    """What a filter's value says: a yes or no or words, and how, where that is not as usual."""

    said: JsonValue
    operator: JsonValue = None
    mode: JsonValue = None


def _meaning(entry: FilterEntry | None, value: JsonValue) -> _Meaning | None:
    """Read a service's value; None if it says what is not known here."""
    if entry is None:
        return None
    if entry.kind in {"flag", "yes_no"}:
        flag = FLAGS.get(value.casefold()) if isinstance(value, str) else value
        return _Meaning(flag) if isinstance(flag, bool) else None
    given = value if isinstance(value, dict) else {"values": value}
    values = given.get("values")
    words: list[JsonValue] = values if isinstance(values, list) else [values]
    if given.keys() - _PARTS or not all(isinstance(word, str) for word in words):
        return None
    operator, mode = given.get("operator"), given.get("mode")
    usual = is_usual(entry, operator, None), is_usual(entry, None, mode)
    return _Meaning(words, None if usual[0] else operator, None if usual[1] else mode)


def _same(catalog: FilterCatalog, key: str, one: JsonValue, other: JsonValue) -> bool:
    """Whether two values say the same, in any case and order."""
    entry = catalog.entries.get(key)
    ours, theirs = _meaning(entry, one), _meaning(entry, other)
    if ours is None or theirs is None or isinstance(ours.said, bool):
        return (ours or one) == (theirs or other)
    return ours[1:] == theirs[1:] and words_of(one).keys() == words_of(other).keys()


def _differing(catalog: FilterCatalog, sent: ServiceConfig, kept: ServiceConfig) -> tuple[str, ...]:
    # The May 2026 API counts scores from 50 to 99 and says so in what it keeps.
    lowest = max(sent.min_score or 0, 50) if kept.min_score == 50 else sent.min_score
    pairs: dict[str, tuple[object, object]] = {
        "topicIds": (set(sent.topic_ids), set(kept.topic_ids)),
        "minScore": (lowest, kept.min_score),
        "maxScore": (min(sent.max_score or 99, 99), min(kept.max_score or 99, 99)),
        "minTopicOverlap": (sent.min_topic_overlap or 1, kept.min_topic_overlap or 1),
    }
    extra, theirs = sent.model_extra or {}, kept.model_extra or {}
    pairs |= {name: (value, theirs.get(name)) for name, value in extra.items()}
    parts = [name for name, (ours, got) in pairs.items() if ours is not None and ours != got]
    ours, got = _own_keys(catalog, sent.filters), _own_keys(catalog, kept.filters)
    keys = dict.fromkeys([*ours, *got])
    other = (key for key in keys if not _same(catalog, key, ours.get(key), got.get(key)))
    return (*parts, *map(catalog.name_of, other))


def _not_applied(
    catalog: FilterCatalog, asked: Filters, applied: Sequence[tuple[str, JsonValue]] | None
) -> tuple[str, ...]:
    """Return the filters of which the service says something else than was asked.

    `applied` is None where the service says nothing of them: then nothing can be missed.
    """
    if applied is None:
        return ()
    wrong: list[str] = []
    for key, value in asked.items():
        names = "|".join(map(re.escape, (key, catalog.name_of(key))))
        # An entry of the service's list may hold more behind the key.
        told_of = [its for said, its in applied if re.match(rf"(?:{names})(?![\w.])", said)]
        values = [its for its in told_of if its is not None]
        if not told_of or not all(_same(catalog, key, value, its) for its in values):
            wrong.append(key)
    return (*wrong, *(key for key, _ in applied if key in catalog.entries and key not in asked))
