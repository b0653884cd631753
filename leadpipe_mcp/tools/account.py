"""get_account_status, and the slots that active audiences take."""

from pydantic import Field

from leadpipe_mcp.api.models import Slots
from leadpipe_mcp.errors import SlotsFull
from leadpipe_mcp.text import counted
from leadpipe_mcp.toolkit import Arguments, Reply, tool
from leadpipe_mcp.tools.replies import Part, named, people, size_of, warnings
from leadpipe_mcp.tools.services import Call, if_shown


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
    status, slots, credit = account.organization.status, account.slots, account.credits
    # Only what the service itself calls unhealthy is called that.
    said = [
        f"The key is right, but the organization is {status or 'not healthy'}: audiences cannot be"
        " used until the subscription is renewed in the Leadpipe dashboard."
        if account.healthy is False
        else f"The key works and the organization is {status or 'in good standing'}."
    ]
    if slots:
        said.append(f"{slots.free} of {counted(slots.limit, 'slot')} free.")
    if credit and credit.remaining is not None:
        said.append(f"{counted(credit.remaining, 'credit')} left.")
    hidden = "The service does not show how many audience slots are free."
    return AccountStatus.model_validate(
        {
            "summary": " ".join(said),
            "healthy": account.healthy,
            "organization": account.organization.name,
            "organization_status": status,
            "slots": slots,
            "credits": credit,
            "pixels": account.pixels,
            "warnings": warnings(None if slots else hidden),
        }
    )


class SlotPart(Part):
    before: int | None = None
    after: int | None = None
    limit: int


async def slots_of(call: Call) -> Slots | None:
    """Return the account's slots; None if the service does not show them."""
    account = await if_shown(call.leadpipe.account)
    return account.slots if account else None


def slot_sentence(slots: Slots | None) -> str:
    """Say what activating does to the account's slots."""
    if slots is None:
        return "It takes an audience slot; the service does not show how many are free."
    if slots.limit == 1:
        return "It takes your only slot."
    if slots.free == 1:
        return f"It takes the last of your {slots.limit} slots."
    return f"It takes one of your {slots.limit} slots; {slots.used} in use now."


async def slots_full(call: Call, consequence: str, told: SlotsFull | None = None) -> SlotsFull:
    """Return the refusal that names the active audiences, one of which could be paused."""
    active = await if_shown(call.leadpipe.audiences.list, "active")
    what_next = SlotsFull.what_next
    if active:
        each = [f"{named(a)} ({people(size_of(a))}, id {a.id})" for a in active[:10]]
        what_next = (
            f"Active now: {'; '.join(each)}. Ask the user which of them to pause, then activate"
            " again."
        )
    elif active is not None:
        what_next = (
            "No audience is listed as active; a deleted one may still hold its slot. The Leadpipe"
            " dashboard shows it."
        )
    return SlotsFull(
        f"SLOTS_FULL: every audience slot is in use, so {consequence}", what_next, like=told
    )
