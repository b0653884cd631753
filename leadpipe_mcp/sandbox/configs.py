"""Audience configs read by the rules of a generation."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import NamedTuple

from leadpipe_mcp.sandbox.interest import HIGHEST, LOWEST
from leadpipe_mcp.sandbox.matching import Criteria, Criterion, Match, match
from leadpipe_mcp.sandbox.reading import Form
from leadpipe_mcp.sandbox.replies import Json
from leadpipe_mcp.sandbox.settings import Profile, SandboxSettings
from leadpipe_mcp.sandbox.spelling import read_filters, write_filters
from leadpipe_mcp.sandbox.topics import find_topic

_FIELDS = ("topicIds", "minScore", "maxScore", "minTopicOverlap", "filters", "sourceUrl")


class Bounds(NamedTuple):
    """What a generation allows in a config."""

    topics: int
    lowest: tuple[int, int]
    highest: tuple[int, int]
    overlap: int
    clamps: bool
    """Whether scores are clamped into those that occur, and null is a score."""


BOUNDS: dict[Profile, Bounds] = {
    "flat": Bounds(10, (1, 100), (1, 100), 10, clamps=False),
    "catalog": Bounds(250, (0, 99), (50, 99), 250, clamps=True),
    "mixed": Bounds(250, (0, 100), (1, 100), 250, clamps=True),
}


@dataclass(frozen=True)
class Config:
    """A config that was accepted: as it was sent, and ready to be applied."""

    sent: Json
    criteria: Criteria

    @cached_property
    def hash(self) -> str:
        """64 hexadecimal digits, equal for configs that mean the same."""
        meaning = asdict(self.criteria)
        meaning["topics"] = sorted(self.criteria.topics)
        meaning["filters"] = sorted(
            [
                criterion.facet,
                str(sorted(criterion.values)),
                criterion.wanted,
                criterion.operator,
                criterion.mode,
            ]
            for criterion in self.criteria.filters
        )
        return hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).hexdigest()

    @property
    def key(self) -> str:
        """A shorter mark, for the caches of the flat generation."""
        return self.hash[:32]

    def match(self, people: int, day: date) -> Match:
        """The people whom the config finds on a day."""
        return match(people, self.criteria, day)

    def normalized(self, settings: SandboxSettings) -> Json:
        """The config as it will be applied, in the catalogue's spelling."""
        return {
            "topicIds": list(self.criteria.topics),
            "minScore": self.criteria.lowest,
            "maxScore": self.criteria.highest,
            "minTopicOverlap": self.criteria.overlap,
            "filters": write_filters(self.criteria.filters, settings),
            "sourceUrl": self.sent.get("sourceUrl"),
        }

    def applied(self, settings: SandboxSettings) -> list[str]:
        """The keys of the filters that are applied."""
        return list(write_filters(self.criteria.filters, settings))


def read_config(form: Form, settings: SandboxSettings) -> Config:
    """The config in a form; what is wrong with it stands in the form's issues afterwards."""
    bounds = BOUNDS[settings.profile]
    form.require("topicIds")
    topics = list(dict.fromkeys(form.integers("topicIds", bounds.topics) or ()))
    lowest = form.integer("minScore", *bounds.lowest, may_be_null=bounds.clamps)
    highest = form.integer("maxScore", *bounds.highest)
    overlap = form.integer("minTopicOverlap", 1, bounds.overlap) or 1
    _read_source(form)
    criteria = Criteria(
        topics=tuple(topics),
        lowest=max(1, settings.default_min_score if lowest is None else lowest),
        highest=bounds.highest[1] if highest is None else highest,
        overlap=overlap,
        filters=_read_filters(form, settings),
    )
    if bounds.clamps:
        criteria = _clamped(criteria)
    _note_impossible(form, criteria, settings)
    return Config({key: form.fields[key] for key in _FIELDS if form.has(key)}, criteria)


def _read_filters(form: Form, settings: SandboxSettings) -> tuple[Criterion, ...]:
    if not form.has("filters"):
        return ()
    return read_filters(form.inner("filters"), settings)


def _read_source(form: Form) -> None:
    url = form.text("sourceUrl", 2_048)
    if url is not None and not url.startswith(("http://", "https://")):
        form.wrong("sourceUrl", "Invalid URL")


def _clamped(criteria: Criteria) -> Criteria:
    return replace(
        criteria,
        lowest=max(criteria.lowest, LOWEST),
        highest=min(criteria.highest, HIGHEST),
    )


def _note_impossible(form: Form, criteria: Criteria, settings: SandboxSettings) -> None:
    if settings.impossible_config == "reject":
        if criteria.lowest > criteria.highest:
            form.wrong("minScore", "Must not be above maxScore")
        if criteria.overlap > len(criteria.topics):
            form.wrong("minTopicOverlap", "Must not exceed the number of topics")
    if settings.unknown_topics == "reject":
        for topic in criteria.topics:
            if find_topic(topic) is None:
                form.wrong("topicIds", f"Unknown topic {topic}")
