"""update_audience: a change, not a replacement."""

from dataclasses import dataclass

from pydantic import Field, JsonValue

from leadpipe_mcp.api.models import Audience, Preview
from leadpipe_mcp.api.spelling import SpelledConfig
from leadpipe_mcp.errors import NotPossible
from leadpipe_mcp.planning.cautions import of_size
from leadpipe_mcp.toolkit import Action, Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools.arguments import (
    AudienceId,
    AudienceName,
    ConfirmCode,
    ObjectOf,
    twice_named,
)
from leadpipe_mcp.tools.changes import Change, changes, in_one_sentence, renamed
from leadpipe_mcp.tools.configs import (
    ConfigChange,
    check_config,
    unknown_topics,
)
from leadpipe_mcp.tools.lifecycle import (
    age_of_list,
    run_after_change,
    to_activate,
)
from leadpipe_mcp.tools.replies import (
    Table,
    matches,
    name_of,
    named,
    people,
    size_of,
    suggestions,
    to_read,
    to_wait,
    warnings,
)
from leadpipe_mcp.tools.services import Call


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
    change = await _change_of(call, audience, asked.config) if asked.config else None
    made = renamed(audience, asked.name) + (change.changes if change else [])
    if not made:
        return _unchanged(audience)
    preview = change.preview if change else None
    if audience.status == "active":
        await _ask_to_change(call, audience, made, preview, asked.confirm)
    config = change.spelled if change else None
    updated = await call.leadpipe.audiences.update(asked.id, name=asked.name, config=config)
    call.services.last_active.note(updated)
    parts = ", ".join(part.part for part in made)
    size = f" {matches(preview.size)} now." if preview else ""
    return AudienceUpdated(
        summary=f"{named(updated)} was changed: {parts}.{size}",
        id=updated.id,
        name=name_of(updated),
        status=updated.status,
        size=preview.size if preview else size_of(updated),
        changes=Table(columns=["what", "before", "after"], rows=[one.row() for one in made]),
        config=preview.config.as_shown() if preview else None,
        warnings=warnings(
            change.notes if change else None,
            await age_of_list(call, updated, await run_after_change(call, asked.id, 0))
            if config and updated.status != "draft"
            else None,
        ),
        next=suggestions(_after_change(updated)),
    )


@dataclass(frozen=True)
class _Change:
    """A change of an audience's config: the new one, who it finds, what differs, warnings."""

    spelled: SpelledConfig
    preview: Preview
    changes: list[Change]
    notes: list[str]


async def _change_of(call: Call, audience: Audience, change: ConfigChange) -> _Change:
    """Count the people that the audience's changed config finds."""
    if audience.config is None:
        raise NotPossible(
            f"The service does not show the config of {named(audience)}, so part of it cannot be"
            " changed without losing the rest. Nothing was changed.",
            "Create a new audience with the whole config instead.",
        )
    spelled = await call.leadpipe.configs.changed(
        audience.config, change.fields(), change.filters or {}, change.exclude or {}
    )
    try:
        check_config(spelled.shown)
    except NotPossible as contradiction:
        raise NotPossible(f"With this change, {contradiction}") from None
    unsure = await unknown_topics(call, change.topic_ids or ())
    preview = await call.leadpipe.configs.preview(spelled)
    # Both as saved configs are shown, so that another spelling of the same is no change.
    was = await call.leadpipe.configs.as_saved(audience.config)
    will_be = await call.leadpipe.configs.as_saved(spelled.sent)
    notes = [*twice_named(change.topic_ids), *unsure, *preview.notes, *of_size(preview.size)]
    return _Change(spelled, preview, changes(was, will_be), notes)


async def _ask_to_change(
    call: Call,
    audience: Audience,
    made: list[Change],
    preview: Preview | None,
    code: str | None,
) -> None:
    size = f" It would have {people(preview.size)}." if preview else ""
    question = f"Change {named(audience)}, which is active? {in_one_sentence(made)}.{size}"
    await call.confirm(Action("update", question, audience.model_dump()), code)


def _after_change(audience: Audience) -> Suggestion:
    if audience.status == "draft":
        return to_activate(audience.id)
    return to_wait(audience.id) if audience.status == "active" else to_read(audience.id)


def _unchanged(audience: Audience) -> AudienceUpdated:
    return AudienceUpdated(
        summary=f"{named(audience)} already looks like that, so nothing was changed.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=size_of(audience),
    )
