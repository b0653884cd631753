"""Configs: what the service makes of topics, scores and filters before anything is saved."""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import JsonValue

from leadpipe_mcp.api.answers import as_object, issues_in
from leadpipe_mcp.api.generations import (
    MOST_TOPICS,
    Service,
    audience_path,
    fit,
    read_catalog,
    read_preview,
)
from leadpipe_mcp.api.models import (
    AudienceConfig,
    Preview,
    ServiceConfig,
    SpelledConfig,
    Validation,
)
from leadpipe_mcp.api.spelling import PLAIN_OPERATORS, Spelling, usual_operator, words_of
from leadpipe_mcp.errors import NotFound, NotPossible
from leadpipe_mcp.text import redact
from leadpipe_mcp.vocabulary.catalog import EXCLUDING, FLAT_KEYS, FilterCatalog, FilterEntry

CATALOG_SECONDS = 24 * 3600


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
            catalog = read_catalog(answer, self._service.profile.vocabulary)
            self._service.profile.vocabulary = catalog.vocabulary
            self._catalog = (now, catalog)
        return self._catalog[1]

    async def spell(self, config: AudienceConfig, *, near: bool = False) -> SpelledConfig:
        """Return the config in the service's own words and bounds, or refuse it with every reason.

        `near` takes a value that is only near to what was asked.
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

        One that it finds invalid, or by which it would find other people, is refused.
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
        return MOST_TOPICS[(await self.filters()).vocabulary]

    async def _previewed(self, config: SpelledConfig) -> Preview:
        filters = await self.filters()
        answer = await self._service.ask(audience_path("preview"), config.sent.as_sent())
        preview = read_preview(answer, config.shown, filters.vocabulary)
        _refuse_others(filters, not_applied(filters, config.sent.filters, preview.applied_filters))
        return preview


def _refuse_others(filters: FilterCatalog, parts: Iterable[str]) -> None:
    names = list(dict.fromkeys(filters.name_of(part) for part in parts))
    if names:
        raise NotPossible(
            f"The service took the config, but does not say that it applied {', '.join(names)} as"
            " asked; the people would not be the ones asked for.",
            "Leave that out, or use another filter that means the same.",
        )


def show(
    catalog: FilterCatalog, filters: Mapping[str, JsonValue]
) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """Return the service's filters as replies show them: what is asked for, what is left out.

    A list of more than half of a filter's values is shown as what it leaves out.
    """
    wanted: dict[str, JsonValue] = {}
    unwanted: dict[str, JsonValue] = {}
    including = {out: own for own, out in EXCLUDING.items()}
    for key, value in own_keys(catalog, filters).items():
        entry, name = catalog.entries.get(key), catalog.name_of(key)
        plainly = _plain_value(entry, value) if entry else None
        if entry is None or plainly is None:
            wanted[name if entry else key] = value
        elif key in including and isinstance(plainly, list):
            unwanted[catalog.name_of(including[key])] = plainly
        elif entry.is_closed and isinstance(plainly, list):
            rest = [known.value for known in entry.values if known.value not in plainly]
            if rest and 2 * len(plainly) > len(entry.values) == len(plainly) + len(rest):
                unwanted[name] = list(rest)
            else:
                wanted[name] = plainly
        else:
            wanted[name] = plainly
    return wanted, unwanted


def _plain_value(entry: FilterEntry, value: JsonValue) -> list[JsonValue] | bool | None:
    """A service's value as a yes or no or as a list of words; None if it says more than that."""
    if entry.kind in {"flag", "yes_no"}:
        if isinstance(value, str):
            return {"y": True, "n": False}.get(value)
        return value if isinstance(value, bool) else None
    if isinstance(value, dict):
        plain = {None, usual_operator(entry)} if entry.kind == "text" else PLAIN_OPERATORS
        if value.keys() - {"values", "operator", "mode"} or value.get("mode") not in {None, "any"}:
            return None
        if value.get("operator") not in plain and (entry.kind == "text" or entry.is_closed):
            return None
        value = value.get("values")
    value = [value] if isinstance(value, str) else value
    words = isinstance(value, list) and all(isinstance(word, str) for word in value)
    return value if words and isinstance(value, list) else None


def own_keys(catalog: FilterCatalog, filters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return filters under the service's present keys; it also writes {"role": {"seniority": …}}.

    There "includeMode" stands beside "include", and is its mode.
    """
    groups = {key.partition(".")[0] for key in catalog.entries if "." in key}
    found: dict[str, JsonValue] = {}
    for key, value in filters.items():
        is_own = key in catalog.entries or key not in groups
        if is_own or not isinstance(value, dict) or "values" in value:
            found[key] = value
            continue
        modes = {f"{name}Mode" for name in value}
        for name, inner in value.items():
            mode = value.get(f"{name}Mode")
            if name not in modes:
                found[f"{key}.{name}"] = {"values": inner, "mode": mode} if mode else inner
    own: dict[str, JsonValue] = {}
    for key, value in found.items():
        try:
            own[catalog.entry_for(key).key] = value
        except NotPossible:
            own[key] = value
    return own


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
    ours, got = own_keys(catalog, sent.filters), own_keys(catalog, kept.filters)
    differ = (key for key in dict.fromkeys([*ours, *got]) if not _same(catalog, key, ours, got))
    return (*parts, *(catalog.name_of(key) for key in differ))


def _same(
    catalog: FilterCatalog, key: str, ours: Mapping[str, JsonValue], got: Mapping[str, JsonValue]
) -> bool:
    one, other = ours.get(key), got.get(key)
    if (entry := catalog.entries.get(key)) is None or one is None or other is None:
        return one == other
    return _meaning(entry, one) == _meaning(entry, other)


def _meaning(entry: FilterEntry, value: JsonValue) -> object:
    """The same for two ways to write one wish: other case, other order, what is usual left out."""
    if (plainly := _plain_value(entry, value)) is not None:
        value = plainly
    usual = usual_operator(entry) or (entry.operators[0] if len(entry.operators) == 1 else None)
    how: tuple[JsonValue, ...] = (usual, "any")
    if isinstance(value, dict) and not value.keys() - {"values", "operator", "mode"}:
        how = (value.get("operator") or usual, value.get("mode") or "any")
        value = value.get("values")
    if isinstance(value, list):
        return ({str(word).casefold() for word in value}, *how)
    return value


def not_applied(
    catalog: FilterCatalog,
    asked: Mapping[str, JsonValue],
    applied: Sequence[tuple[str, JsonValue]] | None,
) -> tuple[str, ...]:
    """Return the filters of which the service says something else than was asked.

    `applied` is None where the service says nothing of them: then nothing can be missed.
    """
    if applied is None:
        return ()
    flat_names = {flat.twin: flat.name for flat in FLAT_KEYS.values()}
    known = {name for key in asked for name in (key, flat_names.get(key, key))}
    wrong: list[str] = []
    for key, value in asked.items():
        names = "|".join(map(re.escape, {key, flat_names.get(key, key)}))
        # An entry of the service's list may hold more behind the key.
        told_of = [its for said, its in applied if re.match(rf"(?:{names})(?![\w.])", said)]
        values = [its for its in told_of if its is not None]
        if not told_of or any(not _same(catalog, key, {key: value}, {key: its}) for its in values):
            wrong.append(key)
    return (*wrong, *(key for key, _ in applied if key in catalog.entries and key not in known))


def without_words(value: JsonValue, *, of: JsonValue) -> JsonValue:
    """Return a filter's value without the words that another one holds; None if none is left."""
    gone = words_of(of)
    left = [word for form, word in words_of(value).items() if form not in gone]
    kept: JsonValue = {**value, "values": list(left)} if isinstance(value, dict) else list(left)
    return kept if left else None
