"""preview_audience and update_audience: who a config finds, and a change of it."""

import hashlib
import json

from pydantic import Field, JsonValue

from leadpipe_mcp.api.models import ServiceConfig, SpelledConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.planning.plan import of_size
from leadpipe_mcp.toolkit import Action, Arguments, Reply, tool
from leadpipe_mcp.tools import configs, replies
from leadpipe_mcp.tools.arguments import (
    AudienceId,
    AudienceName,
    ConfirmCode,
    ObjectOf,
    twice_named,
)
from leadpipe_mcp.tools.configs import ConfigArguments, ConfigChange
from leadpipe_mcp.tools.lifecycle import age_of_list, newest_run
from leadpipe_mcp.tools.replies import Table, named, people, warnings
from leadpipe_mcp.tools.services import Call

_SAMPLE_COLUMNS = ("name", "jobTitle", "company", "companyIndustry", "score")
_SAMPLE_SIZE = 5
_MAKE_UP_SIZE = 5


class PreviewAudience(ConfigArguments):
    """Who should be in it."""


class AudiencePreview(Reply):
    """How many people a config finds."""

    size: int
    data_date: str | None = None
    industries: dict[str, int] | None = None
    seniorities: dict[str, int] | None = None
    counted_over: str | None = Field(default=None, description="What the counts cover.")
    sample: Table | None = None
    config: dict[str, JsonValue] = Field(description="As applied; create_audience takes it.")
    config_hash: str


class UpdateAudience(Arguments):
    """Which audience, and what to change."""

    id: AudienceId = Field(description="The audience's id.")
    name: AudienceName | None = Field(default=None, description="A new name.")
    config: ObjectOf[ConfigChange] | None = Field(
        default=None, description="What to change about who is in it."
    )
    confirm: ConfirmCode = None


class AudienceUpdated(Reply):
    """An audience after a change."""

    id: str
    name: str | None = None
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    changes: Table | None = Field(default=None, description="Each part, before and after.")
    config: dict[str, JsonValue] | None = Field(default=None, description="As it is now.")


@tool("Preview an audience", reads=True)
async def preview_audience(call: Call, asked: PreviewAudience) -> AudiencePreview:
    """Count the people that topics (intent data), scores and filters (an ICP) find today.

    Shows their make-up and five masked examples. Use it before create_audience, as often as
    needed: it saves and spends nothing. Filters are checked against the service's catalogue and
    against what it says it applied.
    """
    spelled, unsure = await configs.spell(call, asked.to_config())
    preview = await call.leadpipe.configs.preview(spelled)
    columns = choose_columns(_SAMPLE_COLUMNS)
    sample = table(preview.sample[:_SAMPLE_SIZE], columns, contact=False)
    config = preview.config.as_shown()
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    create = replies.suggest("create_audience", "save this config under a name")
    repeated = twice_named(asked.topic_ids)
    return AudiencePreview(
        summary=f"{replies.matches(preview.size)}, {replies.data_from(preview.data_date)}",
        size=preview.size,
        data_date=preview.data_date,
        **replies.make_up(preview, _MAKE_UP_SIZE),
        sample=replies.table_of(_SAMPLE_COLUMNS, sample),
        config=config,
        config_hash=preview.config_hash or digest[:16],
        warnings=warnings(repeated, unsure, preview.notes, of_size(preview.size)),
        next=[create] if preview.size else None,
    )


@tool("Change an audience", destroys=True, idempotent=True)
async def update_audience(call: Call, asked: UpdateAudience) -> AudienceUpdated:
    """Rename a saved audience, or change its topics, scores or filters.

    It is a change, not a replacement: anything not named stays, filters merge by key, null removes
    one. The reply shows before, after and the new size. Changing an active audience asks the user
    first. To change its status, use set_status.
    """
    if asked.name is None and asked.config is None:
        raise NotPossible("Nothing to change was given.", "Pass a name, a config, or both.")
    audience = await call.leadpipe.audiences.get(asked.id)
    call.services.last_active.note(audience)
    made, spelled, preview, notes = configs.renamed(audience, asked.name), None, None, list[str]()
    if asked.config and audience.config:
        spelled = await _changed(call, audience.config, asked.config)
        unsure = await configs.unknown_topics(call, asked.config.topic_ids or ())
        preview = await call.leadpipe.configs.preview(spelled)
        made += await configs.changes(call, audience.config, spelled.sent)
        repeated = twice_named(asked.config.topic_ids)
        notes = warnings(repeated, unsure, preview.notes, of_size(preview.size))
    elif asked.config:
        raise NotPossible(
            f"The service does not show the config of {named(audience)}, so part of it cannot be"
            " changed without losing the rest. Nothing was changed.",
            "Create a new audience with the whole config instead.",
        )
    if not made:
        return AudienceUpdated(
            summary=f"{named(audience)} already looks like that, so nothing was changed.",
            id=audience.id,
            name=replies.name_of(audience),
            status=audience.status,
            size=replies.size_of(audience),
        )
    if audience.status == "active":
        size = f" It would have {people(preview.size)}." if preview else ""
        question = (
            f"Change {named(audience)}, which is active? {configs.in_one_sentence(made)}.{size}"
        )
        await call.confirm(Action("update", question, audience.model_dump()), asked.confirm)
    updated = await call.leadpipe.audiences.update(asked.id, name=asked.name, config=spelled)
    call.services.last_active.note(updated)
    step = {"draft": replies.to_activate, "active": replies.to_wait}
    if spelled and updated.status != "draft":
        notes += await age_of_list(call, updated, await newest_run(call, asked.id))
    found = f" {replies.matches(preview.size)} now." if preview else ""
    return AudienceUpdated(
        summary=f"{named(updated)} was changed: {', '.join(one.part for one in made)}.{found}",
        id=updated.id,
        name=replies.name_of(updated),
        status=updated.status,
        size=preview.size if preview else replies.size_of(updated),
        changes=replies.table_of(["what", "before", "after"], [one.row() for one in made]),
        config=preview.config.as_shown() if preview else None,
        warnings=notes,
        next=[step.get(updated.status, replies.to_read)(updated.id)],
    )


async def _changed(call: Call, config: ServiceConfig, change: ConfigChange) -> SpelledConfig:
    """Return the config with the change, if its parts still fit together."""
    spelled = await call.leadpipe.configs.changed(
        config, change.fields(), change.filters or {}, change.exclude or {}
    )
    try:
        configs.check_config(spelled.shown)
    except NotPossible as contradiction:
        raise NotPossible(f"With this change, {contradiction}") from None
    return spelled
