"""get_account_status, and the slots that active audiences take."""

from pydantic import Field

from leadpipe_mcp.api.models import Account, Slots
from leadpipe_mcp.errors import ServiceError, SlotsFull
from leadpipe_mcp.text import counted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.replies import Part, named, people, size_of, warnings
from leadpipe_mcp.tools.services import Call


class CreditPart(Part):
    used: int | None = None
    limit: int | None = None
    remaining: int | None = None
    resets_at: str | None = None


class SlotCounts(Part):
    used: int
    limit: int
    free: int


class PixelPart(Part):
    total: int | None = None
    active: int | None = None
    paused: int | None = None


class AccountStatus(Reply):
    healthy: bool | None = None
    organization: str | None = None
    organization_status: str | None = Field(default=None, description="Such as trial or expired.")
    slots: SlotCounts | None = None
    credits: CreditPart | None = None
    pixels: PixelPart | None = None


@tool("Show the account", reads=True)
async def get_account_status(call: Call, asked: Arguments) -> AccountStatus:  # noqa: ARG001 -- every tool is called alike
    """Check the account: API key, subscription, free audience slots and remaining credits.

    Use it when a call is refused, or before activating an audience. It tells a wrong key from an
    expired subscription.
    """
    account = await call.leadpipe.account()
    parts = {name: getattr(account, name) for name in ("healthy", "slots", "credits", "pixels")}
    reply = AccountStatus.model_validate(
        {"summary": _health(account), **parts}, from_attributes=True
    )
    reply.organization = account.organization.name
    reply.organization_status = account.organization.status
    if account.slots:
        free = counted(account.slots.limit, "slot")
        reply.summary += f" {account.slots.free} of {free} free."
    if account.credits and account.credits.remaining is not None:
        reply.summary += f" {counted(account.credits.remaining, 'credit')} left."
    hidden = "The service does not show how many audience slots are free."
    reply.warnings = warnings(None if account.slots else hidden)
    return reply


def _health(account: Account) -> str:
    status = account.organization.status
    # Only what the service itself calls unhealthy is called that.
    if account.healthy is not False:
        return f"The key works and the organization is {status or 'in good standing'}."
    return (
        f"The key is right, but the organization is {status or 'not healthy'}: audiences cannot be"
        " used until the subscription is renewed in the Leadpipe dashboard."
    )


class SlotPart(Part):
    before: int | None = None
    after: int | None = None
    limit: int

    @classmethod
    def of(cls, before: Slots | None, after: Slots | None) -> "SlotPart | None":
        """Return the slots before and after; None if the service shows neither."""
        seen = after or before
        if seen is None:
            return None
        used, now_used = (slots.used if slots else None for slots in (before, after))
        return cls(before=used, after=now_used, limit=seen.limit)


async def slots_of(call: Call) -> Slots | None:
    """Return the account's slots; None if the service does not show them."""
    try:
        return (await call.leadpipe.account()).slots
    except ServiceError:
        return None


def slot_sentence(slots: Slots | None) -> str:
    """Say what activating does to the account's slots."""
    if slots is None:
        return "It takes an audience slot; the service does not show how many are free."
    if slots.limit == 1:
        return "It takes your only slot."
    if slots.free == 1:
        return f"It takes the last of your {slots.limit} slots."
    return f"It takes one of your {slots.limit} slots; {slots.used} in use now."


async def require_slot(call: Call, slots: Slots | None, consequence: str) -> None:
    """Refuse to activate if the account shows no free slot."""
    if slots is not None and slots.free == 0:
        raise await slots_full(call, consequence)


async def slots_full(call: Call, consequence: str, told: SlotsFull | None = None) -> SlotsFull:
    """Return the refusal that names the active audiences, one of which could be paused."""
    try:
        active = await call.leadpipe.audiences.list("active")
    except ServiceError:
        what_next = SlotsFull.what_next
    else:
        each = [f"{named(a)} ({people(size_of(a))}, id {a.id})" for a in active[:10]]
        what_next = (
            f"Active now: {'; '.join(each)}. Ask the user which of them to pause, then activate"
            " again."
            if active
            else "No audience is listed as active; a deleted one may still hold its slot. The"
            " Leadpipe dashboard shows it."
        )
    return SlotsFull(
        f"SLOTS_FULL: every audience slot is in use, so {consequence}", what_next, like=told
    )
