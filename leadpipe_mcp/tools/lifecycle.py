"""set_status and delete_audience, and the activation that several tools share."""

from functools import partial
from typing import Literal

from pydantic import Field

from leadpipe_mcp.api.budget import together
from leadpipe_mcp.api.models import Audience, Run, Slots, Status
from leadpipe_mcp.errors import LeadpipeError, NotFound, ServiceError, SlotsFull
from leadpipe_mcp.toolkit import Action, Arguments, Reply, Suggestion, tool
from leadpipe_mcp.tools.arguments import AudienceId, ConfirmCode, Named, StrictInt
from leadpipe_mcp.tools.changes import changes, in_one_sentence, renamed
from leadpipe_mcp.tools.replies import (
    RunPart,
    SlotPart,
    name_of,
    named,
    people,
    run_sentence,
    size_of,
    state,
    suggestions,
    to_read,
    to_wait,
)
from leadpipe_mcp.tools.services import Call

MAX_WAIT = 300
OLD_LIST = (
    "The people shown are from before the audience was last changed; the next run applies its"
    " current config."
)
_FULL = "SLOTS_FULL: every audience slot is in use, so {}"


class SetStatus(Arguments):
    """Which audience, and its new status."""

    id: AudienceId = Field(description="The audience's id.")
    status: Named[Literal["draft", "active", "paused"]] = Field(
        description="active: refreshed daily, takes a slot; paused: frees the slot, keeps it all."
    )
    wait_seconds: StrictInt = Field(
        default=0,
        ge=0,
        le=MAX_WAIT,
        description="After activating, seconds to wait for its people (0-300).",
    )
    confirm: ConfirmCode = None


class DeleteAudience(Arguments):
    """Which audience."""

    id: AudienceId = Field(description="The audience's id.")
    confirm: ConfirmCode = None


class StatusChanged(Reply):
    """An audience's status, before and after."""

    id: str
    name: str | None = None
    status: str
    before: str | None = Field(default=None, description="The status before.")
    size: int | None = Field(default=None, description="How many people.")
    slots: SlotPart | None = None
    run: RunPart | None = None


class AudienceDeleted(Reply):
    """What was deleted."""

    id: str
    name: str | None = None


@tool("Activate, pause or shelve an audience", idempotent=True)
async def set_status(call: Call, asked: SetStatus) -> StatusChanged:
    """Activate or pause a saved audience, or return it to draft.

    Activating starts its daily refresh and takes one of the account's slots, so the user is asked
    first; pausing frees the slot and keeps the audience. The reply gives the slots before and
    after, and whether its people are ready. If every slot is taken, it refuses and names the
    active audiences that could be paused.
    """
    audience, before = await together(
        partial(call.leadpipe.audiences.get, asked.id), partial(slots_of, call)
    )
    if audience.status == asked.status:
        return StatusChanged(
            summary=f"{named(audience)} is already {state(asked.status)}, so nothing was changed.",
            id=audience.id,
            name=name_of(audience),
            status=audience.status,
            size=size_of(audience),
            next=suggestions(to_read(asked.id) if asked.status == "active" else None),
        )
    if asked.status == "active":
        await require_slot(call, before, f"{named(audience)} stays {state(audience.status)}.")
        await ask_to_activate(call, audience, before, asked.confirm)
    call.services.last_active.note(audience)
    changed = await change_status(call, audience, asked.status)
    return await _changed(call, asked, audience, changed, before)


async def _changed(
    call: Call, asked: SetStatus, audience: Audience, changed: Audience, before: Slots | None
) -> StatusChanged:
    active = asked.status == "active"
    run, after = (
        await together(
            partial(run_after_change, call, asked.id, asked.wait_seconds), partial(slots_of, call)
        )
        if active
        else (None, await slots_of(call))
    )
    slots = SlotPart.of(before, after)
    summary = f"{named(changed)} is now {state(changed.status)} (was {state(audience.status)})."
    if active:
        summary += f"{slots_taken(slots)} {run_sentence(run)}"
    elif slots and slots.after is not None:
        summary += f" Slots in use: {slots.after} of {slots.limit}."
    return StatusChanged(
        summary=summary,
        id=changed.id,
        name=name_of(changed),
        status=changed.status,
        before=audience.status,
        size=run.size if run and run.state == "ready" else size_of(changed),
        slots=slots,
        run=RunPart.of(run) if run else None,
        next=suggestions(next_step(run, asked.id) if active else None),
    )


@tool("Delete an audience", destroys=True)
async def delete_audience(call: Call, asked: DeleteAudience) -> AudienceDeleted:
    """Permanently delete a saved audience and its list of people.

    The user is asked first, with its name and size. To stop it but keep it, use set_status with
    paused.
    """
    audience = await call.leadpipe.audiences.get(asked.id)
    await call.confirm(
        Action(
            "delete",
            f"Delete {named(audience)} ({people(size_of(audience))}, {audience.status})?"
            " This cannot be undone.",
            audience.model_dump(),
        ),
        asked.confirm,
    )
    await call.leadpipe.audiences.delete(asked.id)
    return AudienceDeleted(
        summary=f"{named(audience)} was deleted.", id=audience.id, name=name_of(audience)
    )


async def ask_to_activate(
    call: Call, audience: Audience, slots: Slots | None, code: str | None
) -> None:
    """Ask the human to give a slot to this audience; return once they agreed."""
    if not call.asks:
        return
    size, changed = await together(
        partial(size_now, call, audience), partial(_since_last_active, call, audience)
    )
    question = f"Activate {named(audience)} ({people(size)})? {slot_sentence(slots)}{changed}"
    await call.confirm(Action("activate", question, audience.model_dump()), code)


async def _since_last_active(call: Call, audience: Audience) -> str:
    """Say what was changed since the human last agreed to activate this audience."""
    was = call.services.last_active.of(audience.id)
    had = people(size_of(was or audience))
    configs = call.leadpipe.configs
    try:
        if was and was.config and audience.config:
            made = renamed(was, audience.name) + changes(
                await configs.as_saved(was.config), await configs.as_saved(audience.config)
            )
            told = in_one_sentence(made)
            return f" Changed since it was last active ({had} then): {told}." if made else ""
        if audience.last_refreshed_at is None:
            return ""
        run = await call.leadpipe.runs.latest(audience.id)
        if await call.leadpipe.runs.is_outdated(audience, run):
            return f" Its config was changed after its last refresh ({had} then)."
    except LeadpipeError:
        return " Whether it was changed since it was last active could not be checked."
    return ""


def slot_sentence(slots: Slots | None) -> str:
    """Say what activating does to the account's slots."""
    if slots is None:
        return "It takes an audience slot; the service does not show how many are free."
    if slots.limit == 1:
        return "It takes your only slot."
    if slots.free == 1:
        return f"It takes the last of your {slots.limit} slots."
    return f"It takes one of your {slots.limit} slots; {slots.used} in use now."


def slots_taken(slots: SlotPart | None) -> str:
    """Say how full the account is after an activation, as a further sentence of a summary."""
    if slots is None or slots.after is None:
        return ""
    if slots.after < slots.limit:
        return f" Slots in use: {slots.after} of {slots.limit}."
    if slots.limit == 1:
        return " That was your only slot."
    return f" That was the last of your {slots.limit} slots."


async def require_slot(call: Call, slots: Slots | None, consequence: str) -> None:
    """Refuse to activate if the account shows no free slot.

    Raises:
        SlotsFull: Naming the active audiences, one of which could be paused.
    """
    if slots is not None and slots.free == 0:
        raise SlotsFull(_FULL.format(consequence), await _who_could_be_paused(call))


async def change_status(call: Call, audience: Audience, status: Status) -> Audience:
    """Change the audience's status and return the audience.

    Raises:
        SlotsFull: Naming the active audiences, one of which could be paused.
    """
    try:
        return await call.leadpipe.audiences.update(audience.id, status=status)
    except SlotsFull as full:
        raise SlotsFull(
            _FULL.format(f"{named(audience)} stays {state(audience.status)}."),
            await _who_could_be_paused(call),
            status=full.status,
            code=full.code,
            request_id=full.request_id,
        ) from None


async def _who_could_be_paused(call: Call) -> str:
    try:
        active = await call.leadpipe.audiences.list("active")
    except ServiceError:
        return SlotsFull.what_next
    if not active:
        return (
            "No audience is listed as active; a deleted one may still hold its slot. The Leadpipe"
            " dashboard shows it."
        )
    listed = "; ".join(f"{named(a)} ({people(size_of(a))}, id {a.id})" for a in active[:10])
    return f"Active now: {listed}. Ask the user which of them to pause, then activate again."


async def slots_of(call: Call) -> Slots | None:
    """Return the account's slots; None if the service does not show them."""
    try:
        return (await call.leadpipe.account()).slots
    except ServiceError:
        return None


async def size_now(call: Call, audience: Audience) -> int | None:
    """Count the people the audience would have now; else return its last size."""
    if audience.config is None:
        return size_of(audience)
    try:
        config = await call.leadpipe.configs.as_saved(audience.config)
        return (await call.leadpipe.configs.preview(config)).size
    except LeadpipeError:
        return size_of(audience)


async def newest_run(call: Call, audience_id: str, seconds: int) -> Run | None:
    """Wait for the audience's newest run; None if the service does not show it."""

    async def report(run: Run, waited: float) -> None:
        if seconds:
            await call.progress(waited, seconds, run_sentence(run))

    try:
        return await call.leadpipe.runs.wait(audience_id, seconds, report)
    except NotFound:
        return None


async def run_after_change(call: Call, audience_id: str, seconds: int) -> Run | None:
    """As `newest_run`, but a failure now does not hide what was confirmed before."""
    try:
        return await newest_run(call, audience_id, seconds)
    except ServiceError:
        return None


async def age_of_list(call: Call, audience: Audience, run: Run | None) -> list[str]:
    """Warn if the people are from before the audience was last changed."""
    try:
        if run is None or not await call.leadpipe.runs.is_outdated(audience, run):
            return []
    except LeadpipeError:
        return []
    return [OLD_LIST]


def next_step(run: Run | None, audience_id: str) -> Suggestion | None:
    """Suggest what to do with an audience whose newest run is this one, or unknown."""
    if run is None or run.state in {"queued", "running"}:
        return to_wait(audience_id)
    return to_read(audience_id) if run.state == "ready" else None


def to_activate(audience_id: str) -> Suggestion:
    """The call that activates an audience."""
    return Suggestion(
        tool="set_status",
        arguments={"id": audience_id, "status": "active"},
        why="start its daily refresh; takes a slot, so the user is asked",
    )
