"""preview_audience and create_audience."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial

from pydantic import Field, JsonValue

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, Preview, ServiceConfig, Slots, Status
from leadpipe_mcp.errors import (
    Conflict,
    LeadpipeError,
    NotDone,
    ServiceError,
    SlotsFull,
)
from leadpipe_mcp.people.columns import choose_columns
from leadpipe_mcp.people.privacy import table
from leadpipe_mcp.planning.cautions import of_size
from leadpipe_mcp.text import in_quotes
from leadpipe_mcp.toolkit import Action, Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools.arguments import (
    AudienceName,
    ConfirmCode,
    Named,
    ObjectOf,
)
from leadpipe_mcp.tools.configs import (
    ConfigArguments,
    spell,
)
from leadpipe_mcp.tools.lifecycle import (
    change_status,
    next_step,
    require_slot,
    run_after_change,
    slot_sentence,
    slots_of,
    slots_taken,
    to_activate,
)
from leadpipe_mcp.tools.replies import (
    NAME_LENGTH,
    RunPart,
    SlotPart,
    Table,
    day,
    make_up,
    matches,
    name_of,
    named,
    people,
    run_sentence,
    size_of,
    suggestions,
    table_of,
    warnings,
)
from leadpipe_mcp.tools.services import Call

SAMPLE_COLUMNS = ("name", "jobTitle", "company", "companyIndustry", "score")
SAMPLE_SIZE = 5
MAKE_UP_SIZE = 5


class PreviewAudience(ConfigArguments):
    """Who should be in it."""


class AudiencePreview(Reply):
    """How many people a config finds."""

    size: int = Field(description="How many people.")
    data_date: str | None = None
    industries: dict[str, int] | None = Field(default=None, description="People by industry.")
    seniorities: dict[str, int] | None = Field(default=None, description="People by seniority.")
    counted_over: str | None = Field(default=None, description="What the counts cover.")
    sample: Table | None = None
    config: dict[str, JsonValue] = Field(description="As applied; create_audience takes it.")
    config_hash: str


@tool("Preview an audience", reads=True)
async def preview_audience(call: Call, asked: PreviewAudience) -> AudiencePreview:
    """Count the people that topics (intent data), scores and filters (an ICP) find today.

    Shows their make-up and five masked examples. Use it before create_audience, as often as
    needed: it saves and spends nothing. Filters are checked against the service's catalogue and
    against what it says it applied.
    """
    spelled, unsure = await spell(call, asked.to_config())
    preview = await call.leadpipe.configs.preview(spelled)
    who = make_up(preview, MAKE_UP_SIZE)
    columns = choose_columns(SAMPLE_COLUMNS)
    sample = table(preview.sample[:SAMPLE_SIZE], columns, contact=False)
    config = preview.config.as_shown()
    create = Suggestion(tool="create_audience", why="save this config under a name")
    return AudiencePreview(
        summary=f"{matches(preview.size)}, data from {day(preview.data_date)}.",
        size=preview.size,
        data_date=preview.data_date,
        industries=who.industries,
        seniorities=who.seniorities,
        counted_over=who.counted_over,
        sample=table_of([c.name for c in columns], sample),
        config=config,
        config_hash=preview.config_hash or _hash(config),
        warnings=warnings(asked.notes(), unsure, preview.notes, of_size(preview.size)),
        next=suggestions(create if preview.size else None),
    )


def _hash(config: dict[str, JsonValue]) -> str:
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()[:16]


class CreateAudience(Arguments):
    """The name, and who should be in it."""

    name: AudienceName = Field(description="A name the user will know it by.")
    config: ObjectOf[ConfigArguments] = Field(description="Who should be in it.")
    status: Named[Status] = Field(default="draft", description="active takes a slot.")
    same_name: bool = Field(default=False, description="true saves a second one.")
    confirm: ConfirmCode = None


class AudienceCreated(Reply):
    """The audience that was saved."""

    id: str
    name: str | None = None
    status: str | None = None
    size: int | None = Field(default=None, description="How many people match now.")
    data_date: str | None = None
    config: dict[str, JsonValue] | None = Field(default=None, description="As saved.")
    slots: SlotPart | None = None
    run: RunPart | None = None


@tool("Create an audience")
async def create_audience(call: Call, asked: CreateAudience) -> AudienceCreated:
    """Save an audience (segment, lead list) under a name.

    By default it is a draft, which costs nothing; active takes one of the account's slots, so the
    user is asked first. Filters are checked and people counted first. The same name with the same
    config is refused. To change an audience, use update_audience.
    """
    spelled, unsure = await spell(call, asked.config.to_config())
    preview, known = await together(
        partial(call.leadpipe.configs.preview, spelled), call.leadpipe.audiences.known
    )
    if not asked.same_name:
        unsure += await refuse_twin(call, asked.name, spelled.sent, known)
    before = await _ask_to_create(call, asked, preview) if asked.status == "active" else None
    # First a draft, then its status: a failure in between leaves a draft that can be named.
    audience = await call.leadpipe.audiences.create(asked.name, spelled, before=known)
    reply = _created(asked, audience, preview)
    reply.warnings = warnings(unsure, reply.warnings)
    if asked.status == "draft":
        return reply
    try:
        audience = await change_status(call, audience, asked.status)
    except SlotsFull as full:
        reply.summary = f"{named(audience)} is saved, but as a draft. {full}"
        return reply
    except ServiceError as failed:
        return _half_created(reply, audience, asked.status, failed)
    reply.status = audience.status
    reply.summary = f"{named(audience)} is saved ({audience.status}). {matches(preview.size)}."
    if asked.status == "active":
        run, after = await together(
            partial(run_after_change, call, audience.id, 0), partial(slots_of, call)
        )
        reply.slots = SlotPart.of(before, after)
        reply.summary += f"{slots_taken(reply.slots)} {run_sentence(run)}"
        reply.run = RunPart.of(run) if run else None
        reply.next = suggestions(next_step(run, audience.id))
    return reply


async def _ask_to_create(call: Call, asked: CreateAudience, preview: Preview) -> Slots | None:
    """Ask the human to give a slot to the new audience, and return the slots."""
    before = await slots_of(call)
    await require_slot(
        call,
        before,
        f"{in_quotes(asked.name, NAME_LENGTH)} cannot be active and was not saved; with status"
        " draft it can be saved now.",
    )
    question = (
        f"Create and activate {in_quotes(asked.name, NAME_LENGTH)} ({people(preview.size)})?"
        f" {slot_sentence(before)}"
    )
    seen = [asked.name, preview.config.as_shown()]
    await call.confirm(Action("create", question, seen), asked.confirm)
    return before


def _half_created(
    reply: AudienceCreated, audience: Audience, status: Status, failed: ServiceError
) -> AudienceCreated:
    """Reply that the audience is saved, but not with the status that was asked for."""
    if isinstance(failed, NotDone):
        reply.summary = f"{named(audience)} is saved, but not {status}: {failed.problem}"
        reply.next = [
            Suggestion(
                tool="set_status",
                arguments={"id": audience.id, "status": status},
                why="try the rest again; do not create it again",
            )
        ]
        return reply
    reply.summary = (
        f"{named(audience)} is saved, but its status ({status}) was not confirmed: {failed.problem}"
        " Do not create it again; check it with get_audience."
    )
    reply.status = None
    reply.next = [
        Suggestion(tool="get_audience", arguments={"id": audience.id}, why="check its status")
    ]
    return reply


def _created(asked: CreateAudience, audience: Audience, preview: Preview) -> AudienceCreated:
    return AudienceCreated(
        summary=f"{named(audience)} is saved ({audience.status}). {matches(preview.size)} now.",
        id=audience.id,
        name=name_of(audience),
        status=audience.status,
        size=preview.size,
        data_date=preview.data_date,
        config=preview.config.as_shown(),
        warnings=warnings(asked.config.notes(), preview.notes, of_size(preview.size)),
        next=[to_activate(audience.id)],
    )


_MOST_COMPARED = 5
UNSEEN = "Not all audiences could be checked, so another one may have this name."


async def refuse_twin(
    call: Call, name: str, config: ServiceConfig, known: Sequence[Audience] | None
) -> list[str]:
    """Return a warning about audiences with the same name and another config.

    Args:
        call: The way to the service.
        name: What the new audience is to be called.
        config: Who is to be in it.
        known: All audiences; None if not all of them could be seen.

    Raises:
        Conflict: Naming the audience that has the same name and the same config.
    """
    if known is None:
        return [UNSEEN]
    namesakes = [a for a in known if a.name.strip().casefold() == name.strip().casefold()]
    for namesake in namesakes[:_MOST_COMPARED]:
        if await _is_made_of(call, namesake, config):
            raise Conflict(
                f"{named(namesake)} is already saved with exactly this config ({_which(namesake)})."
                " Nothing was created.",
                "Use it, or pass sameName: true if the user wants a second one.",
            )
    if not namesakes:
        return []
    others = "; ".join(_which(namesake) for namesake in namesakes[:_MOST_COMPARED])
    return [f"{named(namesakes[0])} is also the name of another audience ({others})."]


async def _is_made_of(call: Call, audience: Audience, config: ServiceConfig) -> bool:
    """Whether the audience is known to have this config."""
    try:
        shown = audience if audience.config else await call.leadpipe.audiences.get(audience.id)
        return bool(shown.config) and await call.leadpipe.configs.are_same(config, shown.config)
    except LeadpipeError:
        return False


def _which(audience: Audience) -> str:
    size = size_of(audience)
    many = "" if size is None else f"{people(size)}, "
    return f"{audience.status}, {many}id {audience.id}"
